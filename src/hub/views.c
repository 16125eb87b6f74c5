/* Views kept up with their streams: their life, and looking at them. */
#include "hub/views_inside.h"

#include "base/log.h"
#include "base/mem.h"

enum { SPEC_ARENA_SIZE = 1 << 20 };

/* ---- life ---- */

static struct gm_views_follower *follower_of(struct gm_views *views, struct gm_stream *stream,
                                             int partition)
{
    for (size_t i = 0; i < views->followers.n; i++) {
        struct gm_views_follower *follower = views->followers.at[i];
        if (follower->stream == stream && follower->partition == partition) {
            return follower;
        }
    }
    struct gm_views_follower *follower = gm_alloc(sizeof(*follower));
    follower->owner = views;
    follower->stream = stream;
    follower->partition = partition;
    *gm_vec_push(&views->followers) = follower;
    return follower;
}

/* A view of other settings is made anew; until then there is nothing to look at. */
static gm_rc open_or_note(struct gm_views_entry *entry, struct gm_err *err)
{
    gm_rc rc = gm_views_open_file(entry, entry->path_z, NULL, &entry->view, err);
    entry->outdated = rc == GM_E_CONFLICT;
    return entry->outdated ? GM_OK : rc;
}

static gm_rc make_outdated_anew(struct gm_views *views, struct gm_err *err)
{
    for (size_t i = 0; i < views->entries.n; i++) {
        struct gm_views_entry *entry = views->entries.at[i];
        if (entry->outdated) {
            gm_log_info("view.rebuilding", GM_L_STR("view", entry->spec.name),
                        GM_L_Z("why", "its settings have changed"));
            GM_TRY(gm_views_start_rebuild(entry, err));
        }
    }
    return GM_OK;
}

static gm_rc add_entry(struct gm_views *views, const struct gm_conf_map_entry *conf,
                       struct gm_err *err)
{
    const struct gm_view_conf *settings = conf->value;
    struct gm_views_entry *entry = gm_alloc(sizeof(*entry));
    *gm_vec_push(&views->entries) = entry;
    entry->views = views;
    entry->conf = conf;
    entry->mu = gm_mutex_new();
    entry->unused = gm_cond_new();
    entry->path_z = gm_format_z("%s/views/%s.db", views->options.folder_z, conf->name_z);
    entry->new_path_z = gm_format_z("%s/views/%s.new.db", views->options.folder_z, conf->name_z);
    gm_view_conf_spec(conf, views->arena, &entry->spec);
    entry->stream = gm_stream_find(views->options.streams, entry->spec.stream);
    if (entry->stream == NULL) {
        return gm_fail(err, GM_E_CONFIG, "views.%s.stream: there is no stream `%s`", conf->name_z,
                       settings->stream);
    }
    if (settings->group.twin != NULL) {
        GM_TRY(gm_view_groups_new(views->options.store, &settings->group, &entry->groups, err));
    }
    for (int p = 0; p < gm_stream_partitions(entry->stream); p++) {
        *gm_vec_push(&follower_of(views, entry->stream, p)->entries) = entry;
    }
    return open_or_note(entry, err);
}

static gm_rc start(struct gm_views *views, struct gm_err *err)
{
    for (size_t i = 0; i < views->options.views->n; i++) {
        GM_TRY(add_entry(views, &views->options.views->at[i], err));
    }
    for (size_t i = 0; i < views->followers.n; i++) {
        struct gm_views_follower *follower = views->followers.at[i];
        const struct gm_stream_place from = {follower->partition, 0};
        GM_TRY(gm_stream_reader_open(follower->stream, &from, &follower->reader, err));
    }
    GM_TRY(make_outdated_anew(views, err)); /* who made one wakes the readers */
    for (size_t i = 0; i < views->followers.n; i++) {
        struct gm_views_follower *follower = views->followers.at[i];
        GM_TRY(gm_thread_start("gemel-views", gm_views_follow, follower, &follower->thread, err));
    }
    return gm_thread_start("gemel-view-save", gm_views_keep_saved, views, &views->saver, err);
}

gm_rc gm_views_open(const struct gm_views_options *options, struct gm_views **out_views,
                    struct gm_err *err)
{
    struct gm_views *views = gm_alloc(sizeof(*views));
    views->options = *options;
    views->arena = gm_arena_new(SPEC_ARENA_SIZE * (options->views->n + 1));
    views->stop = gm_stop_new();
    views->news_mu = gm_mutex_new();
    views->news = gm_cond_new();
    gm_rc rc = start(views, err);
    if (rc != GM_OK) {
        gm_views_close(views);
        return rc;
    }
    *out_views = views;
    return GM_OK;
}

static void stop_threads(struct gm_views *views)
{
    gm_stop_request(views->stop);
    for (size_t i = 0; i < views->followers.n; i++) {
        struct gm_views_follower *follower = views->followers.at[i];
        if (follower->thread != NULL) {
            gm_stream_wake(follower->reader);
        }
        gm_thread_join(follower->thread);
    }
    for (size_t i = 0; i < views->entries.n; i++) {
        gm_thread_join(views->entries.at[i]->rebuilder);
    }
    gm_thread_join(views->saver); /* saves once more */
}

void gm_views_close(struct gm_views *views)
{
    if (views == NULL) {
        return;
    }
    stop_threads(views);
    for (size_t i = 0; i < views->followers.n; i++) {
        gm_stream_reader_close(views->followers.at[i]->reader);
        gm_vec_deinit(&views->followers.at[i]->entries);
        gm_vec_deinit(&views->followers.at[i]->views);
        gm_free(views->followers.at[i]);
    }
    for (size_t i = 0; i < views->entries.n; i++) {
        struct gm_views_entry *entry = views->entries.at[i];
        gm_view_close(entry->view);
        gm_view_groups_free(entry->groups);
        gm_mutex_free(entry->mu);
        gm_cond_free(entry->unused);
        gm_free(entry->path_z);
        gm_free(entry->new_path_z);
        gm_free(entry);
    }
    gm_vec_deinit(&views->followers);
    gm_vec_deinit(&views->entries);
    gm_stop_free(views->stop);
    gm_cond_free(views->news);
    gm_mutex_free(views->news_mu);
    gm_arena_free(views->arena);
    gm_free(views);
}

/* ---- looking ---- */

size_t gm_views_count(const struct gm_views *views)
{
    return views->entries.n;
}

static void count_guests(struct gm_views *views, size_t index, struct gm_views_status *status)
{
    struct gm_stream *stream = views->entries.at[index]->stream;
    int64_t end = 0;
    for (int p = 0; p < gm_stream_partitions(stream); p++) {
        end += gm_stream_next(stream, p);
    }
    gm_mutex_lock(views->news_mu);
    for (const struct gm_views_guest *at = views->guests; at != NULL; at = at->next_) {
        if (at->index == index) {
            int64_t lag = end - at->seen;
            status->followers++;
            status->follower_lag = lag > status->follower_lag ? lag : status->follower_lag;
        }
    }
    gm_mutex_unlock(views->news_mu);
}

void gm_views_status(struct gm_views *views, size_t index, struct gm_views_status *out_status)
{
    struct gm_views_entry *entry = views->entries.at[index];
    gm_mutex_lock(entry->mu);
    struct gm_views_status status = {.name = entry->spec.name,
                                     .stream = entry->spec.stream,
                                     .rebuilding = entry->rebuilding,
                                     .rebuild_lag = entry->rebuild_lag,
                                     .rc = entry->rc,
                                     .why = entry->why};
    if (entry->view != NULL) {
        gm_view_info(entry->view, &status.info);
        status.lag = gm_views_lag(entry, entry->view);
    }
    gm_mutex_unlock(entry->mu);
    count_guests(views, index, &status);
    *out_status = status;
}

size_t gm_views_find(const struct gm_views *views, struct gm_str name)
{
    size_t index = 0;
    while (index < views->entries.n && !gm_str_eq(views->entries.at[index]->spec.name, name)) {
        index++;
    }
    return index;
}

static struct gm_views_entry *find_entry(struct gm_views *views, struct gm_str name)
{
    size_t index = gm_views_find(views, name);
    return index < views->entries.n ? views->entries.at[index] : NULL;
}

/* Under the entry's lock. */
static gm_rc is_away(const struct gm_views_entry *entry, struct gm_err *err)
{
    return entry->rebuilding || entry->rc == GM_OK
               ? gm_fail(err, GM_E_RETRY,
                         "view `" GM_STR_FMT "` is being made anew; ask again in a while",
                         GM_STR_ARG(entry->spec.name))
               : gm_fail(err, GM_E_RETRY, "view `" GM_STR_FMT "` cannot be opened: %s",
                         GM_STR_ARG(entry->spec.name), entry->why.text);
}

gm_rc gm_views_query(struct gm_views *views, struct gm_str name, const struct gm_view_query *query,
                     struct gm_err *err)
{
    struct gm_views_entry *entry = find_entry(views, name);
    if (entry == NULL) {
        return gm_fail(err, GM_E_END, "there is no view `" GM_STR_FMT "`", GM_STR_ARG(name));
    }
    gm_mutex_lock(entry->mu);
    gm_rc rc = entry->view != NULL ? gm_view_query(entry->view, query, err) : is_away(entry, err);
    gm_mutex_unlock(entry->mu);
    return rc;
}

gm_rc gm_views_rebuild(struct gm_views *views, struct gm_str name, struct gm_err *err)
{
    struct gm_views_entry *entry = find_entry(views, name);
    if (entry == NULL) {
        return gm_fail(err, GM_E_END, "there is no view `" GM_STR_FMT "`", GM_STR_ARG(name));
    }
    return gm_views_start_rebuild(entry, err);
}

/* ---- following ---- */

struct gm_stream *gm_views_stream(const struct gm_views *views, size_t index)
{
    return views->entries.at[index]->stream;
}

const struct gm_view_spec *gm_views_spec(const struct gm_views *views, size_t index)
{
    return &views->entries.at[index]->spec;
}

gm_rc gm_views_use(struct gm_views *views, size_t index, const struct gm_views_use *use,
                   struct gm_err *err)
{
    struct gm_views_entry *entry = views->entries.at[index];
    gm_mutex_lock(entry->mu);
    gm_rc rc = entry->view != NULL ? use->fn(use->ctx, entry->view, entry->epoch, err)
                                   : is_away(entry, err);
    gm_mutex_unlock(entry->mu);
    return rc;
}

void gm_views_stir(struct gm_views *views)
{
    gm_mutex_lock(views->news_mu);
    views->news_count++;
    gm_cond_broadcast(views->news);
    if (views->fn != NULL) {
        views->fn(views->fn_ctx);
    }
    gm_mutex_unlock(views->news_mu);
}

gm_rc gm_views_wait(struct gm_views *views, uint64_t *seen, gm_ns span)
{
    const struct gm_clock *clock = gm_clock_system();
    gm_ns until = clock->mono(clock) + span;
    gm_mutex_lock(views->news_mu);
    gm_ns left = span;
    while (views->news_count == *seen && left > 0) {
        (void)gm_cond_wait_for(views->news, views->news_mu, left);
        left = until - clock->mono(clock);
    }
    gm_rc rc = views->news_count != *seen ? GM_OK : GM_E_END;
    *seen = views->news_count;
    gm_mutex_unlock(views->news_mu);
    return rc;
}

void gm_views_on_news(struct gm_views *views, void (*fn)(void *ctx), void *ctx)
{
    gm_mutex_lock(views->news_mu);
    views->fn = fn;
    views->fn_ctx = ctx;
    gm_mutex_unlock(views->news_mu);
}

void gm_views_enter(struct gm_views *views, struct gm_views_guest *guest)
{
    gm_mutex_lock(views->news_mu);
    guest->next_ = views->guests;
    views->guests = guest;
    gm_mutex_unlock(views->news_mu);
}

void gm_views_leave(struct gm_views *views, struct gm_views_guest *guest)
{
    gm_mutex_lock(views->news_mu);
    struct gm_views_guest **at = &views->guests;
    while (*at != NULL && *at != guest) {
        at = &(*at)->next_;
    }
    if (*at != NULL) {
        *at = guest->next_;
    }
    gm_mutex_unlock(views->news_mu);
}

void gm_views_note(struct gm_views *views, struct gm_views_guest *guest, int64_t seen)
{
    gm_mutex_lock(views->news_mu);
    guest->seen = seen;
    gm_mutex_unlock(views->news_mu);
}
