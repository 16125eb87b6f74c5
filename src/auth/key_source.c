#include "auth/key_source.h"

#include <stdatomic.h>

#include "base/mem.h"
#include "net/http.h"
#include "os/file.h"
#include "os/thread.h"

#define PAUSE_DEFAULT (30 * GM_SECOND)
#define AGE_DEFAULT GM_HOUR
#define TIMEOUT_DEFAULT (10 * GM_SECOND)

struct gm_key_source {
    struct gm_key_source_options options; /* without zeros */
    char *place_z;
    struct gm_thread *thread; /* NULL: a file */
    struct gm_stop *stop;
    struct gm_mutex *mu;
    struct gm_cond *wanted_changed, *fetched;
    struct gm_keys *keys;     /* guarded by mu */
    _Atomic uint64_t round;   /* changed under mu; of keys */
    uint64_t fetches;         /* guarded by mu; that came to an end */
    bool wanted;              /* guarded by mu */
    bool fetching;            /* guarded by mu */
    bool closed;              /* guarded by mu */
    bool failed;              /* guarded by mu; the last fetch */
    gm_ns tried_at;           /* guarded by mu; monotonic, the end of the last fetch */
    gm_ns good_at;            /* guarded by mu; likewise, of the last one that went well */
    struct gm_file_info seen; /* guarded by mu; of a file */
    bool has_problem;         /* guarded by mu */
    struct gm_err problem;    /* guarded by mu */
};

static gm_ns mono(const struct gm_key_source *source)
{
    return source->options.clock->mono(source->options.clock);
}

static bool is_url(const char *place_z)
{
    return strncmp(place_z, "https://", 8) == 0 || strncmp(place_z, "http://", 7) == 0;
}

/* ---- what came ---- */

/* Takes `keys`, which may be NULL: then `err` says why. */
static void take_outcome(struct gm_key_source *source, struct gm_keys *keys,
                         const struct gm_err *err)
{
    struct gm_keys *unused = keys;
    gm_mutex_lock(source->mu);
    source->fetches++;
    source->fetching = false;
    source->tried_at = mono(source);
    source->failed = keys == NULL;
    if (keys == NULL) {
        source->problem = *err;
        source->has_problem = true;
    } else {
        source->good_at = source->tried_at;
    }
    if (keys != NULL && !gm_keys_same(keys, source->keys)) {
        unused = source->keys;
        source->keys = keys;
        source->round++;
    }
    gm_cond_broadcast(source->fetched);
    gm_mutex_unlock(source->mu);
    gm_keys_release(unused);
}

/* ---- a URL ---- */

static gm_rc fetch(struct gm_key_source *source, struct gm_keys **out_keys, struct gm_err *err)
{
    struct gm_http_answer answer;
    GM_TRY(gm_http_send(&(struct gm_http_request){.method_z = "GET",
                                                  .url_z = source->place_z,
                                                  .ca_file_z = source->options.ca_file_z,
                                                  .timeout = source->options.timeout,
                                                  .stop = source->stop},
                        &answer, err));
    gm_rc rc = answer.status == 200
                   ? gm_keys_parse(gm_buf_str(&answer.body), out_keys, err)
                   : gm_fail(err, GM_E_RETRY, "the answer's status is %ld", answer.status);
    gm_http_answer_free(&answer);
    return rc == GM_OK ? rc : gm_fail_within(err, "%s", source->place_z);
}

static void fetch_main(void *arg)
{
    struct gm_key_source *source = arg;
    gm_mutex_lock(source->mu);
    while (!source->closed) {
        if (!source->wanted) {
            gm_cond_wait(source->wanted_changed, source->mu);
            continue;
        }
        source->wanted = false;
        source->fetching = true;
        gm_mutex_unlock(source->mu);
        struct gm_keys *keys = NULL;
        struct gm_err err = {0};
        (void)!fetch(source, &keys, &err);
        take_outcome(source, keys, &err);
        gm_mutex_lock(source->mu);
    }
    gm_mutex_unlock(source->mu);
}

/* Under mu. */
static void ask_for_fetch(struct gm_key_source *source)
{
    if (!source->wanted && !source->fetching) {
        source->wanted = true;
        gm_cond_signal(source->wanted_changed);
    }
}

/* Under mu. Whether a fetch for an unknown key may be begun, or is under way. */
static bool may_fetch(struct gm_key_source *source)
{
    return source->wanted || source->fetching || source->fetches == 0 ||
           mono(source) - source->tried_at >= source->options.pause;
}

/* ---- a file ---- */

static gm_rc read_file(const char *path_z, struct gm_keys **out_keys, struct gm_err *err)
{
    struct gm_buf text;
    gm_buf_init(&text, GM_KEYS_TEXT_SIZE_MAX);
    gm_rc rc = gm_file_read_all(path_z, &text, err);
    if (rc == GM_OK && gm_keys_parse(gm_buf_str(&text), out_keys, err) != GM_OK) {
        err->rc = GM_E_CONFIG;
        rc = gm_fail_within(err, "%s", path_z);
    }
    gm_buf_deinit(&text);
    return rc;
}

/* True: it is another one than before. */
static bool look_at_file(struct gm_key_source *source)
{
    struct gm_file_info info;
    struct gm_err ignored;
    if (gm_file_info(source->place_z, &info, &ignored) != GM_OK || info.type != GM_FILE_REGULAR) {
        return false; /* it is being replaced, perhaps */
    }
    gm_mutex_lock(source->mu);
    bool changed = info.modified != source->seen.modified || info.inode != source->seen.inode ||
                   info.size_bytes != source->seen.size_bytes;
    source->seen = info;
    gm_mutex_unlock(source->mu);
    return changed;
}

/* ---- questions ---- */

struct gm_keys *gm_key_source_take(struct gm_key_source *source, uint64_t *out_round)
{
    gm_mutex_lock(source->mu);
    struct gm_keys *keys = gm_keys_retain(source->keys);
    *out_round = source->round;
    gm_mutex_unlock(source->mu);
    return keys;
}

uint64_t gm_key_source_round(struct gm_key_source *source)
{
    return atomic_load(&source->round);
}

void gm_key_source_look(struct gm_key_source *source)
{
    if (source->thread != NULL) {
        gm_mutex_lock(source->mu);
        if (mono(source) - source->good_at >= source->options.age && may_fetch(source)) {
            ask_for_fetch(source);
        }
        gm_mutex_unlock(source->mu);
    } else if (look_at_file(source)) {
        struct gm_keys *keys = NULL;
        struct gm_err err = {0};
        (void)!read_file(source->place_z, &keys, &err);
        take_outcome(source, keys, &err);
    }
}

/* Under mu. */
static int64_t seconds_of_pause(const struct gm_key_source *source)
{
    gm_ns left = source->tried_at + source->options.pause - mono(source);
    return left > GM_SECOND ? (left + GM_SECOND - 1) / GM_SECOND : 1;
}

/* Under mu. True: a fetch ended meanwhile. */
static bool wait_for_fetch(struct gm_key_source *source)
{
    uint64_t before = source->fetches;
    struct gm_deadline until = gm_deadline_in(source->options.timeout + GM_SECOND, source->stop);
    while (source->fetches == before && !source->closed && !gm_deadline_passed(&until)) {
        (void)gm_cond_wait_for(source->fetched, source->mu, gm_deadline_left(&until));
    }
    return source->fetches != before;
}

enum gm_keys_wanted gm_key_source_want(struct gm_key_source *source, uint64_t round, bool may_wait,
                                       int64_t *out_retry_after_s)
{
    enum gm_keys_wanted answer = GM_KEYS_CURRENT;
    if (source->thread == NULL) {
        return answer; /* a file is looked at all the time */
    }
    gm_mutex_lock(source->mu);
    if (source->round != round) {
        answer = GM_KEYS_FETCHED; /* meanwhile */
    } else if (may_fetch(source)) {
        ask_for_fetch(source);
        answer = may_wait && wait_for_fetch(source) && !source->failed ? GM_KEYS_FETCHED
                                                                       : GM_KEYS_UNREACHABLE;
    } else if (source->failed) {
        answer = GM_KEYS_UNREACHABLE;
    }
    if (answer == GM_KEYS_UNREACHABLE) {
        *out_retry_after_s = seconds_of_pause(source);
    }
    gm_mutex_unlock(source->mu);
    return answer;
}

bool gm_key_source_problem(struct gm_key_source *source, char out_text[GM_ERR_TEXT_SIZE])
{
    gm_mutex_lock(source->mu);
    bool any = source->has_problem;
    if (any) {
        memcpy(out_text, source->problem.text, GM_ERR_TEXT_SIZE);
    }
    source->has_problem = false;
    gm_mutex_unlock(source->mu);
    return any;
}

/* ---- life ---- */

static gm_rc start(struct gm_key_source *source, struct gm_err *err)
{
    if (is_url(source->place_z)) {
        source->wanted = true;
        return gm_thread_start("gemel-keys", fetch_main, source, &source->thread, err);
    }
    (void)look_at_file(source);
    GM_TRY(read_file(source->place_z, &source->keys, err));
    source->round = 1;
    return GM_OK;
}

gm_rc gm_key_source_open(const struct gm_key_source_options *options,
                         struct gm_key_source **out_source, struct gm_err *err)
{
    struct gm_key_source *source = gm_alloc(sizeof(*source));
    source->options = *options;
    source->options.pause = options->pause != 0 ? options->pause : PAUSE_DEFAULT;
    source->options.age = options->age != 0 ? options->age : AGE_DEFAULT;
    source->options.timeout = options->timeout != 0 ? options->timeout : TIMEOUT_DEFAULT;
    source->place_z = gm_strdup_z(options->place_z);
    source->stop = gm_stop_new();
    source->mu = gm_mutex_new();
    source->wanted_changed = gm_cond_new();
    source->fetched = gm_cond_new();
    gm_rc rc = start(source, err);
    if (rc != GM_OK) {
        gm_key_source_close(source);
        return rc;
    }
    *out_source = source;
    return GM_OK;
}

void gm_key_source_close(struct gm_key_source *source)
{
    if (source == NULL) {
        return;
    }
    gm_stop_request(source->stop);
    gm_mutex_lock(source->mu);
    source->closed = true;
    gm_cond_broadcast(source->wanted_changed);
    gm_cond_broadcast(source->fetched);
    gm_mutex_unlock(source->mu);
    gm_thread_join(source->thread);
    gm_keys_release(source->keys);
    gm_cond_free(source->fetched);
    gm_cond_free(source->wanted_changed);
    gm_mutex_free(source->mu);
    gm_stop_free(source->stop);
    gm_free(source->place_z);
    gm_free(source);
}
