/* Followers: who waits for events, by long poll or server-sent events.
 *
 * One thread reads for all of a room in turn, so that a commit costs one wake-up and not one for
 * each. A follower of server-sent events has a piece of text between that thread and the one that
 * serves the connection: when it is full, nothing is read for it until the client has taken some.
 *
 * Such a follower has two holders: this thread, which drops it at its end, and the connection,
 * whose `closed` is its last word. The later one frees it. */
#include "api/streams/inside.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "store/feed.h"

enum {
    PIECE_SIZE = 256 << 10,   /* of text for a connection; more is not read */
    PAGE_SIZE = 8 << 20,      /* of a long poll's answer, about */
    TEXT_SIZE_MAX = 16 << 20, /* of a piece, with the largest event */
};
#define HEARTBEAT (15 * GM_SECOND)
#define LOOK_PERIOD (200 * GM_MS)

void gm_follow_room_news(struct gm_follow_room *room)
{
    gm_mutex_lock(room->mu);
    room->committed = true;
    gm_cond_signal(room->news);
    gm_mutex_unlock(room->mu);
}

void gm_following_close(struct gm_following *following)
{
    gm_stream_follow_close(following->stream);
    gm_feed_close(following->feed);
    gm_view_feed_close(following->view);
    *following = (struct gm_following){0};
}

static void free_follower(struct gm_follower *follower)
{
    gm_following_close(&follower->following);
    gm_buf_deinit(&follower->piece);
    gm_buf_deinit(&follower->out);
    gm_mutex_free(follower->mu);
    gm_free(follower->what_z);
    gm_free(follower->name_z);
    gm_free(follower);
}

/* ---- for those who look ---- */

static int64_t lag_of(const struct gm_follower *follower)
{
    const struct gm_following *following = &follower->following;
    if (following->stream != NULL) {
        return gm_stream_follow_lag(following->stream);
    }
    return following->view != NULL ? gm_view_feed_lag(following->view)
                                   : gm_store_newest_change(follower->store) + 1 - following->num;
}

/* How far behind it is, now and then: a client that takes nothing is looked at with the others. */
static void show_lag(struct gm_follower *follower)
{
    gm_ns now = gm_follow_now();
    if (follower->name_z != NULL && now >= follower->looked_at + LOOK_PERIOD) {
        int64_t lag = lag_of(follower);
        atomic_store_explicit(&follower->lag, lag, memory_order_relaxed);
        gm_metric_set(GM_M_FOLLOWER_LAG, gm_str_z(follower->name_z), (double)lag);
        follower->looked_at = now;
    }
}

void gm_follow_room_each(struct gm_follow_room *room, gm_follower_fn fn, void *ctx)
{
    struct {
        char *name_z, *what_z;
        int64_t lag;
    } found[GM_FOLLOWERS_MAX];
    size_t count = 0;
    gm_mutex_lock(room->mu);
    for (; count < room->clients.n; count++) {
        const struct gm_follower *follower = room->clients.at[count];
        found[count].name_z = gm_strdup_z(follower->name_z);
        found[count].what_z = gm_strdup_z(follower->what_z);
        found[count].lag = atomic_load_explicit(&follower->lag, memory_order_relaxed);
    }
    gm_mutex_unlock(room->mu);
    for (size_t i = 0; i < count; i++) {
        fn(ctx, &(struct gm_follower_status){found[i].name_z, found[i].what_z, found[i].lag});
        gm_free(found[i].name_z);
        gm_free(found[i].what_z);
    }
}

/* ---- coming ---- */

static struct gm_follow_room *room_of(struct gm_adt_call *call,
                                      const struct gm_following *following)
{
    struct gm_streams_api *api = call->mount;
    return following->view != NULL ? &api->views : &api->events;
}

/* False: the call is ended. */
static bool reserve(struct gm_adt_call *call, struct gm_follow_room *room)
{
    gm_mutex_lock(room->mu);
    bool free = !room->stopping && room->count < GM_FOLLOWERS_MAX;
    room->count += free ? 1 : 0;
    gm_mutex_unlock(room->mu);
    if (!free) {
        gm_adt_reply_header(call, "Retry-After", GM_STR("5"));
        gm_adt_refuse(call, 503, "ServiceUnavailable", "%d clients wait for events already.",
                      GM_FOLLOWERS_MAX);
    }
    return free;
}

static struct gm_follower *new_follower(struct gm_adt_call *call,
                                        const struct gm_following *following)
{
    struct gm_follower *follower = gm_alloc(sizeof(*follower));
    follower->call = call;
    follower->room = room_of(call, following);
    follower->store = ((struct gm_streams_api *)call->mount)->options.store;
    follower->following = *following;
    follower->following.key = (struct gm_str){NULL, 0};
    if (following->key.n > 0) {
        follower->following.key = gm_arena_dup(call->arena, following->key);
    }
    gm_buf_init(&follower->piece, TEXT_SIZE_MAX);
    gm_buf_init(&follower->out, (size_t)2 * TEXT_SIZE_MAX);
    return follower;
}

static void enlist(struct gm_follower *follower)
{
    struct gm_follow_room *room = follower->room;
    gm_mutex_lock(room->mu);
    follower->next = room->arriving;
    room->arriving = follower;
    if (follower->sends_events) {
        follower->name_z =
            gm_format_z("%s/%llu", follower->what_z, (unsigned long long)++room->numbers);
        *gm_vec_push(&room->clients) = follower;
    }
    gm_cond_signal(room->news);
    gm_mutex_unlock(room->mu);
}

void gm_follow_poll(struct gm_adt_call *call, const struct gm_following *following, gm_ns wait)
{
    struct gm_following own = *following;
    if (!reserve(call, room_of(call, following))) {
        gm_following_close(&own);
        return;
    }
    struct gm_follower *follower = new_follower(call, following);
    follower->due = gm_follow_now() + wait;
    enlist(follower);
}

/* ---- the connection's side of server-sent events ---- */

static int64_t produce(void *ctx, char *to, size_t size)
{
    struct gm_follower *follower = ctx;
    gm_mutex_lock(follower->mu);
    size_t left = follower->out.n - follower->out_at;
    size_t n = left < size ? left : size;
    if (n > 0) {
        memcpy(to, follower->out.p + follower->out_at, n);
    }
    follower->out_at += n;
    bool empty = n > 0 && n == left;
    if (empty) {
        gm_buf_reset(&follower->out);
        follower->out_at = 0;
    }
    int64_t answer = n == 0 && follower->ended ? -1 : (int64_t)n;
    bool wants = empty && !follower->dropped;
    gm_mutex_unlock(follower->mu);
    if (wants) {
        gm_follow_room_news(follower->room); /* there is room */
    }
    return answer;
}

static void closed(void *ctx)
{
    struct gm_follower *follower = ctx;
    struct gm_follow_room *room = follower->room;
    gm_mutex_lock(follower->mu);
    follower->gone = true;
    bool last = follower->dropped;
    gm_mutex_unlock(follower->mu);
    if (last) {
        free_follower(follower);
    } else { /* the thread may have freed it by now */
        gm_follow_room_news(room);
    }
}

void gm_follow_events(struct gm_adt_call *call, const struct gm_following *following)
{
    struct gm_following own = *following;
    if (!reserve(call, room_of(call, following))) {
        gm_following_close(&own);
        return;
    }
    struct gm_follower *follower = new_follower(call, following);
    if (following->key.n > 0) { /* the call may go first */
        follower->following.key = gm_str_z(gm_str_dup_z(following->key));
    }
    follower->sends_events = true;
    follower->what_z = gm_strdup_z(following->what_z);
    follower->mu = gm_mutex_new();
    follower->due = gm_follow_now();
    call->http->reply.content_type_z = "text/event-stream";
    gm_adt_stream(call, &(struct gm_http_stream){produce, closed, follower});
    enlist(follower);
}

/* ---- one turn of a long poll ---- */

static void answer_poll(struct gm_follower *follower)
{
    struct gm_adt_call *call = follower->call;
    struct gm_buf *body = &call->http->reply.body;
    gm_buf_add_z(body, "{\"value\":[");
    gm_buf_add(body, gm_buf_str(&follower->piece));
    gm_buf_add_z(body, "],\"cursor\":\"");
    gm_follower_write_cursor(follower, body);
    gm_buf_add_char(body, '"');
    if (follower->following.view != NULL) {
        gm_view_feed_write_watermark(follower->following.view, ",", body);
    }
    gm_buf_add_char(body, '}');
    gm_adt_answer(call, 200);
}

/* True: it is at its end. */
static bool turn_poll(struct gm_follower *follower, bool stopping, bool *more)
{
    struct gm_err err = {0};
    struct gm_stream_page page = {0};
    gm_rc rc = gm_follower_read(follower, PAGE_SIZE, &page, &err);
    if (rc == GM_E_LIMIT) {
        gm_adt_refuse(follower->call, 410, "NotKept", "%s", err.text);
        return true;
    }
    if (rc == GM_E_CONFLICT) {
        gm_adt_refuse(follower->call, 410, "ViewChanged",
                      "%s: begin with all of its rows again (from=oldest).", err.text);
        return true;
    }
    if (rc == GM_E_CORRUPT) {
        gm_adt_refuse(follower->call, 500, "Damaged", "%s", err.text);
        return true;
    }
    if (rc != GM_OK && rc != GM_E_END) {
        gm_adt_fail(follower->call, rc, &err);
        return true;
    }
    bool full = follower->piece.n >= PAGE_SIZE;
    bool whole = follower->following.view == NULL || gm_view_feed_between(follower->following.view);
    if (!whole && !stopping) {
        *more = true;
        return false;
    }
    if (full || follower->count > 0 || (rc == GM_E_END && gm_follow_now() >= follower->due) ||
        stopping) {
        answer_poll(follower);
        return true;
    }
    *more = *more || rc == GM_OK;
    return false;
}

/* ---- one turn of server-sent events ---- */

/* Hands the piece to the connection. */
static void hand_over(struct gm_follower *follower, bool ended)
{
    gm_mutex_lock(follower->mu);
    gm_buf_add(&follower->out, gm_buf_str(&follower->piece));
    follower->ended = follower->ended || ended;
    if (!follower->gone && (follower->piece.n > 0 || ended)) {
        gm_http_stream_wake(follower->call->http);
    }
    gm_mutex_unlock(follower->mu);
    gm_buf_reset(&follower->piece);
}

static void tell_failure(struct gm_follower *follower, const char *event_z, const char *text_z)
{
    gm_buf_addf(&follower->piece, "event: %s\ndata: ", event_z);
    size_t from = follower->piece.n;
    gm_buf_add_z(&follower->piece, "{\"message\":");
    gm_json_quote(&follower->piece, gm_str_z(text_z));
    gm_buf_add_char(&follower->piece, '}');
    gm_follower_add_data(&follower->piece, from);
}

/* Retention was faster than the client: it is told, and goes on at what there is. */
static bool go_on_behind_gap(struct gm_follower *follower, const struct gm_stream_page *page,
                             const struct gm_err *trimmed)
{
    int64_t missed;
    struct gm_err err = {0};
    tell_failure(follower, "gap", trimmed->text);
    return follower->following.stream != NULL &&
           gm_stream_follow_skip_trimmed(follower->following.stream, page->partition, &missed,
                                         &err) == GM_OK;
}

/* Events can no longer tell what changed: all rows as they are come next. */
static bool begin_again(struct gm_follower *follower, const struct gm_err *why)
{
    struct gm_err err = {0};
    tell_failure(follower, "reset", why->text);
    return gm_view_feed_restart(follower->following.view, &err) == GM_OK;
}

static void tell_alive(struct gm_follower *follower)
{
    if (follower->following.view != NULL) { /* it may have got on with nothing to tell */
        gm_buf_add_z(&follower->piece, "id: ");
        gm_view_feed_cursor(follower->following.view, &follower->piece);
        gm_buf_add_char(&follower->piece, '\n');
    }
    gm_buf_add_z(&follower->piece, ": still here\n\n");
}

/* True: it is at its end. */
static bool turn_events(struct gm_follower *follower, bool stopping, bool *more)
{
    struct gm_err err = {0};
    struct gm_stream_page page = {0};
    gm_mutex_lock(follower->mu);
    bool gone = follower->gone;
    size_t waiting = follower->out.n - follower->out_at;
    gm_mutex_unlock(follower->mu);
    if (gone || stopping) {
        hand_over(follower, true);
        return true;
    }
    if (waiting >= PIECE_SIZE) {
        return false; /* the connection says when there is room */
    }
    gm_rc rc = gm_follower_read(follower, PIECE_SIZE, &page, &err);
    bool ends = rc != GM_OK && rc != GM_E_END;
    if (rc == GM_E_LIMIT) {
        ends = !go_on_behind_gap(follower, &page, &err);
        rc = GM_OK;
    } else if (rc == GM_E_CONFLICT && follower->following.view != NULL) {
        ends = !begin_again(follower, &err);
        rc = GM_OK;
    } else if (ends) {
        tell_failure(follower, "error", err.text);
    }
    if (follower->piece.n == 0 && gm_follow_now() >= follower->due) {
        tell_alive(follower);
    }
    if (follower->piece.n > 0) {
        follower->due = gm_follow_now() + HEARTBEAT;
        hand_over(follower, ends);
    }
    *more = *more || (rc == GM_OK && waiting + PIECE_SIZE / 2 < PIECE_SIZE);
    return ends;
}

/* ---- the thread ---- */

static void drop(struct gm_follower *follower)
{
    if (!follower->sends_events) {
        follower->following.key = (struct gm_str){NULL, 0}; /* went with the call */
        free_follower(follower);
        return;
    }
    union {
        const char *in;
        char *p;
    } key = {.in = follower->following.key.p};
    gm_following_close(&follower->following);
    gm_free(key.p);
    gm_mutex_lock(follower->mu);
    follower->dropped = true;
    bool last = follower->gone;
    gm_mutex_unlock(follower->mu);
    if (last) {
        free_follower(follower);
    }
}

/* Waits for something to do; takes over who has come. False: the end. */
static bool wait_for_work(struct gm_follow_room *room, struct gm_follower **list, bool more,
                          gm_ns due)
{
    gm_mutex_lock(room->mu);
    while (!more && !room->committed && room->arriving == NULL &&
           !(room->stopping && room->count == 0)) {
        gm_ns left = due - gm_follow_now();
        if (left <= 0) {
            break;
        }
        (void)gm_cond_wait_for(room->news, room->mu, left);
        if (room->stopping && *list != NULL) {
            break;
        }
    }
    room->committed = false;
    while (room->arriving != NULL) {
        struct gm_follower *follower = room->arriving;
        room->arriving = follower->next;
        follower->next = *list;
        *list = follower;
    }
    bool ends = room->stopping && room->count == 0;
    gm_mutex_unlock(room->mu);
    return !ends;
}

static void count_off(struct gm_follow_room *room, const struct gm_follower *follower)
{
    gm_mutex_lock(room->mu);
    room->count--;
    for (size_t i = 0; i < room->clients.n; i++) {
        if (room->clients.at[i] == follower) {
            room->clients.at[i] = room->clients.at[--room->clients.n];
        }
    }
    gm_mutex_unlock(room->mu);
    if (follower->name_z != NULL) {
        gm_metric_forget(GM_M_FOLLOWER_LAG, gm_str_z(follower->name_z));
    }
}

static gm_ns next_due(const struct gm_follower *follower)
{
    gm_ns rests = follower->rests_until;
    return rests > gm_follow_now() && rests < follower->due ? rests : follower->due;
}

static void follow_main(void *arg)
{
    struct gm_follow_room *room = arg;
    struct gm_follower *list = NULL;
    bool more = false;
    gm_ns due = gm_follow_now() + HEARTBEAT;
    while (wait_for_work(room, &list, more, due)) {
        gm_mutex_lock(room->mu);
        bool stopping = room->stopping;
        gm_mutex_unlock(room->mu);
        more = false;
        due = gm_follow_now() + HEARTBEAT;
        for (struct gm_follower **at = &list; *at != NULL;) {
            struct gm_follower *follower = *at;
            bool ended = follower->sends_events ? turn_events(follower, stopping, &more)
                                                : turn_poll(follower, stopping, &more);
            if (ended) {
                *at = follower->next;
                count_off(room, follower);
                drop(follower);
            } else {
                show_lag(follower);
                gm_ns next = next_due(follower);
                due = next < due ? next : due;
                at = &follower->next;
            }
        }
    }
}

gm_rc gm_follow_room_open(struct gm_follow_room *room, const char *thread_z, struct gm_err *err)
{
    room->mu = gm_mutex_new();
    room->news = gm_cond_new();
    return gm_thread_start(thread_z, follow_main, room, &room->thread, err);
}

void gm_follow_room_stop(struct gm_follow_room *room)
{
    if (room->mu != NULL) {
        gm_mutex_lock(room->mu);
        room->stopping = true;
        gm_cond_signal(room->news);
        gm_mutex_unlock(room->mu);
    }
    gm_thread_join(room->thread);
    room->thread = NULL;
}

void gm_follow_room_close(struct gm_follow_room *room)
{
    gm_follow_room_stop(room);
    gm_cond_free(room->news);
    gm_mutex_free(room->mu);
    gm_vec_deinit(&room->clients);
    *room = (struct gm_follow_room){0};
}

/* Commits of the store wake the followers of changes. */
void gm_follow_changes_main(void *arg)
{
    struct gm_streams_api *api = arg;
    bool stopping = false;
    while (!stopping) {
        int64_t num = gm_store_newest_change(api->options.store) + 1;
        if (gm_feed_wait(api->feed, num, GM_MINUTE) == GM_OK) {
            gm_follow_room_news(&api->events);
        }
        gm_mutex_lock(api->events.mu);
        stopping = api->events.stopping;
        gm_mutex_unlock(api->events.mu);
    }
}
