/* The source `stream`. Its cursor is the stream's name and the offset of the next event of each
 * partition: "telemetry 1204,77". A pass goes on behind the cursor, whatever steps and map are now:
 * what an event did, it did when it was read. */
#include "connect/stream/stream.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "connect/stream/sink.h"
#include "stream/directory.h"
#include "stream/follow.h"

struct stream_conf {
    const char *name;
    bool latest;
    gm_ns linger;
    int32_t lost;
};
enum { LOST_FAIL, LOST_SKIP };
static const char *const lost_names[] = {"fail", "skip", NULL};

/* How long a wait may be before the stop flag is looked at again: it does not wake a reader. */
#define LOOK_TIME (100 * GM_MS)
/* A pass that waits for more ends now and then, so that runs are reported. */
#define PASS_TIME GM_HOUR

struct stream_source {
    const struct stream_conf *conf;
    struct gm_connect_env env;
    struct gm_stream *own; /* opened here, for reading: nobody gave one */
    struct gm_stream_follow *follow;
    /* Keys are entities: their events are changes, each counts, and their order is that in which
     * they were taken, whatever clocks say. */
    bool entities;
    gm_ns began; /* of the pass; monotonic */
    /* The batch under construction: events with their texts in its arena, and where a key is. */
    GM_VEC(struct gm_event) events;
    struct gm_map *places;
};

/* ---- life ---- */

static gm_rc stream_open(const void *conf, const struct gm_connect_env *env, void **out_self,
                         struct gm_err *err)
{
    (void)err;
    struct stream_source *source = gm_alloc(sizeof(*source));
    source->conf = conf;
    source->env = *env;
    source->places = gm_map_new();
    *out_self = source;
    return GM_OK;
}

static void stream_close(void *self)
{
    struct stream_source *source = self;
    if (source != NULL) {
        gm_stream_follow_close(source->follow);
        gm_stream_close(source->own);
        gm_vec_deinit(&source->events);
        gm_map_free(source->places);
        gm_free(source);
    }
}

static gm_rc find_stream(struct stream_source *source, struct gm_stream **out_stream,
                         struct gm_err *err)
{
    const char *name_z = source->conf->name;
    *out_stream = gm_stream_find(source->env.streams, gm_str_z(name_z));
    if (*out_stream == NULL && source->env.streams == NULL) {
        GM_AUTO_FREE char *path_z = gm_format_z("%s/streams/%s.db", source->env.data_z, name_z);
        GM_TRY(gm_stream_open(&(struct gm_stream_options){.path_z = path_z,
                                                          .read_only = true,
                                                          .clock = source->env.clock},
                              &source->own, err));
        *out_stream = source->own;
    }
    return *out_stream != NULL
               ? GM_OK
               : gm_fail(err, GM_E_CONFIG,
                         "source `stream`: there is no stream `%s`; declare it under `streams`",
                         name_z);
}

static const char *source_stream_z(const void *conf)
{
    return ((const struct stream_conf *)conf)->name;
}

struct gm_str gm_stream_source_name(const void *conf)
{
    return gm_str_z(source_stream_z(conf));
}

void gm_stream_source_cursor(struct gm_str text, struct gm_str stream, int partitions,
                             struct gm_stream_cursor *out_cursor)
{
    struct gm_str name, places;
    struct gm_err ignored;
    (void)gm_str_cut(text, ' ', &name, &places);
    if (!gm_str_eq(name, stream) ||
        gm_stream_cursor_parse(places, partitions, out_cursor, &ignored) != GM_OK) {
        gm_stream_cursor_at(partitions, -1, out_cursor);
    }
}

static gm_rc stream_connect(void *self, struct gm_str from_cursor, struct gm_pass *out_pass,
                            struct gm_err *err)
{
    struct stream_source *source = self;
    struct gm_stream *stream;
    struct gm_stream_cursor cursor;
    GM_TRY(find_stream(source, &stream, err));
    gm_stream_source_cursor(from_cursor, gm_str_z(source->conf->name), gm_stream_partitions(stream),
                            &cursor);
    gm_rc rc = gm_stream_follow_open(stream, &cursor, &source->follow, err);
    if (rc != GM_OK) {
        return rc;
    }
    source->entities = gm_stream_has_versions(stream);
    source->began = source->env.clock->mono(source->env.clock);
    *out_pass = (struct gm_pass){
        .rows_estimate = source->env.waits ? 0 : (uint64_t)gm_stream_follow_lag(source->follow)};
    return GM_OK;
}

/* ---- a batch ---- */

static gm_rc keep_text(struct gm_batch *batch, struct gm_str *text, struct gm_err *err)
{
    *text = gm_arena_dup(batch->arena, *text);
    return text->p != NULL ? GM_OK
                           : gm_fail(err, GM_E_LIMIT, "a batch of events has more than %d MB",
                                     GM_BATCH_SIZE_LIMIT >> 20);
}

static gm_rc keep_event(struct gm_batch *batch, const struct gm_event *event, struct gm_event *to,
                        struct gm_err *err)
{
    *to = *event;
    GM_TRY(keep_text(batch, &to->key, err));
    GM_TRY(keep_text(batch, &to->type, err));
    GM_TRY(keep_text(batch, &to->origin, err));
    GM_TRY(keep_text(batch, &to->id, err));
    return keep_text(batch, &to->body, err);
}

/* *out_ends: it has a key that the batch has already, and belongs to the next one. */
static gm_rc add_event(struct stream_source *source, struct gm_batch *batch,
                       const struct gm_event *event, bool *out_ends, struct gm_err *err)
{
    uint64_t place;
    *out_ends = false;
    batch->bytes_read += event->body.n;
    if (source->env.each) {
        return keep_event(batch, event, gm_vec_push(&source->events), err);
    }
    if (!gm_map_get(source->places, event->key, &place)) {
        struct gm_event *to = gm_vec_push(&source->events);
        GM_TRY(keep_event(batch, event, to, err));
        (void)gm_map_set(source->places, event->key, source->events.n - 1);
        return GM_OK;
    }
    if (!source->conf->latest || source->entities) {
        *out_ends = true;
        return GM_OK;
    }
    struct gm_event *there = &source->events.at[place];
    return event->time >= there->time ? keep_event(batch, event, there, err) : GM_OK;
}

static bool set_text(struct gm_batch *batch, yyjson_mut_val *object, const char *name_z,
                     struct gm_str text)
{
    return text.n == 0 ||
           gm_json_set(batch->doc, object, gm_str_z(name_z), gm_json_strref(batch->doc, text));
}

/* What the event is beside its body: the member `$event`. `bare`: its body was no object. */
static bool set_event(struct gm_batch *batch, yyjson_mut_val *body, const struct gm_event *event,
                      bool bare)
{
    char time[GM_TIME_TEXT_SIZE];
    yyjson_mut_doc *doc = batch->doc;
    yyjson_mut_val *own = yyjson_mut_obj(doc);
    size_t n = gm_time_format_short(event->time, time);
    return own != NULL && set_text(batch, own, "key", event->key) &&
           gm_json_set(doc, own, GM_STR("offset"), yyjson_mut_sint(doc, event->offset)) &&
           set_text(batch, own, "id", event->id) && set_text(batch, own, "origin", event->origin) &&
           (event->sequence == 0 ||
            gm_json_set(doc, own, GM_STR("sequence"), yyjson_mut_uint(doc, event->sequence))) &&
           (!bare || gm_json_set(doc, own, GM_STR("bare"), yyjson_mut_bool(doc, true))) &&
           set_text(batch, own, "type", event->type) &&
           gm_json_set(doc, own, GM_STR("time"), gm_json_strcpy(doc, (struct gm_str){time, n})) &&
           gm_json_set(doc, body, GM_STR("$event"), own);
}

/* Of each event that is a record for itself the hash tells which one it is. */
static struct gm_hash128 hash_of(const struct stream_source *source, const struct gm_event *event)
{
    if (source->env.each) {
        return gm_hash128(event->key,
                          (uint64_t)event->offset ^ gm_hash64(gm_str_z(source->conf->name), 0));
    }
    return gm_hash128(event->body,
                      source->env.hash_seed ^ gm_hash64(event->type, (uint64_t)event->time));
}

static void make_body(struct gm_batch *batch, struct gm_record *record,
                      const struct gm_event *event)
{
    struct gm_err own = {0};
    yyjson_mut_val *body;
    if (gm_json_parse(batch->doc, event->body, &body, &own) != GM_OK) {
        gm_record_fail(batch, record, GM_E_INVALID, "%s", own.text);
        return;
    }
    bool bare = !yyjson_mut_is_obj(body);
    if (bare) {
        yyjson_mut_val *object = yyjson_mut_obj(batch->doc);
        if (object == NULL || !gm_json_set(batch->doc, object, GM_STR("value"), body)) {
            gm_record_fail(batch, record, GM_E_LIMIT, "the batch holds too much");
            return;
        }
        body = object;
    }
    record->body = body;
    if (!set_event(batch, body, event, bare)) {
        gm_record_fail(batch, record, GM_E_LIMIT, "the batch holds too much");
    }
}

/* `event` lives as long as the batch. */
static void make_record(const struct stream_source *source, struct gm_batch *batch,
                        const struct gm_event *event)
{
    struct gm_record *record = gm_batch_add(batch);
    GM_ASSERT(record != NULL); /* no more events are read than records fit */
    record->kind = GM_RECORD_PATCH;
    record->key = event->key;
    record->position = (uint64_t)event->offset + 1;
    record->version = source->entities ? 0 : event->time;
    record->hash = hash_of(source, event);
    record->event = event;
    make_body(batch, record, event);
}

static gm_rc finish_batch(struct stream_source *source, struct gm_batch *batch, gm_rc rc,
                          struct gm_err *err)
{
    struct gm_buf cursor;
    size_t size = source->events.n * sizeof(struct gm_event);
    struct gm_event *events = gm_arena_alloc(batch->arena, size > 0 ? size : 1);
    if (events == NULL) {
        return gm_fail(err, GM_E_LIMIT, "the batch holds too much");
    }
    for (size_t i = 0; i < source->events.n; i++) {
        events[i] = source->events.at[i];
        make_record(source, batch, &events[i]);
    }
    gm_buf_init(&cursor, GM_STREAM_PARTITIONS_MAX * 24 + 256);
    gm_buf_addf(&cursor, "%s ", source->conf->name);
    gm_stream_cursor_write(gm_stream_follow_cursor(source->follow), &cursor);
    batch->cursor = gm_arena_dup(batch->arena, gm_buf_str(&cursor));
    batch->origin = gm_str_z(source->conf->name);
    bool full = gm_buf_failed(&cursor) || batch->cursor.p == NULL;
    gm_buf_deinit(&cursor);
    return full ? gm_fail(err, GM_E_LIMIT, "the batch holds too much") : rc;
}

/* ---- reading ---- */

static gm_rc read_failed(struct stream_source *source, const struct gm_stream_page *page, gm_rc rc,
                         struct gm_err *err)
{
    int64_t missed;
    if (rc == GM_E_LIMIT && source->conf->lost == LOST_SKIP) {
        return gm_stream_follow_skip_trimmed(source->follow, page->partition, &missed, err);
    }
    /* What is not kept, or is damaged, waits for people: going on would pass events over. */
    struct gm_err why = *err;
    return gm_fail(err, rc == GM_E_LIMIT || rc == GM_E_CORRUPT ? GM_E_CONFIG : rc,
                   "source `stream`: %s", why.text);
}

/* As many events as the batch takes from one chunk. GM_E_END: there are no more now. */
static gm_rc read_page(struct stream_source *source, struct gm_batch *batch, bool *out_full,
                       struct gm_err *err)
{
    struct gm_stream_page page;
    gm_rc rc =
        gm_stream_follow_read(source->follow, GM_BATCH_RECORDS_MAX - source->events.n, &page, err);
    if (rc == GM_E_END) {
        return rc;
    }
    if (rc != GM_OK) {
        return read_failed(source, &page, rc, err);
    }
    *out_full = false;
    for (size_t i = 0; i < page.count && !*out_full; i++) {
        GM_TRY(add_event(source, batch, &page.events[i], out_full, err));
        if (*out_full) {
            gm_stream_follow_unread(source->follow, page.count - i);
        }
    }
    *out_full = *out_full || source->events.n >= GM_BATCH_RECORDS_MAX ||
                gm_arena_used(batch->arena) > GM_BATCH_SIZE_TARGET ||
                batch->bytes_read > (uint64_t)4 * GM_BATCH_SIZE_TARGET;
    return GM_OK;
}

/* There is nothing to read. GM_OK: look again. GM_E_END: the batch is as it is. */
static gm_rc wait_for_more(struct stream_source *source, gm_ns until,
                           const struct gm_deadline *deadline, struct gm_err *err)
{
    const struct gm_clock *clock = source->env.clock;
    gm_ns now = clock->mono(clock);
    bool some = source->events.n > 0;
    if (!source->env.waits || (some && now >= until) ||
        (!some && now >= source->began + PASS_TIME)) {
        return GM_E_END;
    }
    if (gm_deadline_passed(deadline)) {
        return some ? GM_E_END : gm_fail(err, GM_E_CANCELLED, "stopped");
    }
    gm_ns left = some ? until - now : LOOK_TIME;
    (void)!gm_stream_follow_wait(source->follow, left < LOOK_TIME ? left : LOOK_TIME);
    return GM_OK;
}

/* A pass that would go on for ever makes way. */
static bool is_wanted(const struct stream_source *source)
{
    return source->env.waits && source->env.wanted != NULL && atomic_load(source->env.wanted) > 0;
}

static gm_rc stream_read(void *self, struct gm_batch *batch, const struct gm_deadline *deadline,
                         struct gm_err *err)
{
    struct stream_source *source = self;
    const struct gm_clock *clock = source->env.clock;
    gm_ns until = 0; /* when a batch that has some is given out */
    bool full = false;
    source->events.n = 0;
    gm_map_reset(source->places);
    while (!full && !is_wanted(source)) {
        gm_rc rc = read_page(source, batch, &full, err);
        if (rc == GM_E_END) {
            until = until != 0 || source->events.n == 0 ? until
                                                        : clock->mono(clock) + source->conf->linger;
            rc = wait_for_more(source, until, deadline, err);
        }
        if (rc == GM_E_END) {
            break;
        }
        if (rc != GM_OK) {
            return rc;
        }
    }
    return finish_batch(source, batch, source->events.n > 0 ? GM_OK : GM_E_END, err);
}

/* ---- connector ---- */

static const struct gm_field stream_fields[] = {
    GM_FIELD_STR(struct stream_conf, name, .flags = GM_F_REQUIRED, .example = "telemetry",
                 .help = "The stream, of the section `streams`."),
    GM_FIELD_BOOL(struct stream_conf, latest, .def = "true",
                  .help = "Of several events of a key that are there at once only the newest by "
                          "its time is delivered. `false` delivers each; those that are older than "
                          "what was delivered are stale either way. Of a stream with `versions` "
                          "each is delivered, and a sink that takes events (a stream) gets each, "
                          "whatever is set here."),
    GM_FIELD_SPAN(struct stream_conf, linger, .def = "200ms", .max = "1m",
                  .help = "With `schedule: continuous`: how long events are gathered before they "
                          "are written together."),
    GM_FIELD_ENUM(struct stream_conf, lost, .names = lost_names, .def = "fail",
                  .help = "What to do when retention took events before they were read: `fail` "
                          "the run, or `skip` to the oldest there is."),
    GM_FIELD_END,
};

const struct gm_connector gm_connector_stream = {
    .name_z = "stream",
    .self = &gm_connector_stream,
    .help_z =
        "Events of a stream of this data directory, by key. With `schedule: continuous` the run "
        "waits for more instead of ending.\n\n"
        "A record is the event's body with the member `$event` (`key`, `type`, `time`, `origin`, "
        "`id`, `sequence`, `offset`); a body that is no object is its member `value`. It says what "
        "changed: properties that it does not have stay as they are. An event that is older, by "
        "its time, than the one that was delivered last for its key changes nothing. Of a stream "
        "with `versions` each event is delivered, in the order of versions, whatever its time. "
        "Nothing is ever deleted: absence of events means nothing.",
    .example_z = "stream:\n"
                 "  name: telemetry\n",
    .roles = GM_ROLE_SOURCE | GM_ROLE_SINK,
    .caps = GM_CAP_CURSOR | GM_CAP_EVENTS | GM_CAP_EACH | GM_CAP_ANY_BODY,
    .fields = stream_fields,
    .conf_size = sizeof(struct stream_conf),
    .open = stream_open,
    .connect = stream_connect,
    .read = stream_read,
    .close = stream_close,
    .source_stream_z = source_stream_z,

    .as_sink = {.name_z = "stream",
                .help_z = gm_stream_sink_help,
                .fields = gm_stream_sink_fields,
                .conf_size = sizeof(struct gm_stream_sink_conf),
                .self = &gm_connector_stream},
    .sink_example_z = "stream: { name: changes }\n",
    .sink_lint = gm_stream_sink_lint,
    .sink_stream_z = gm_stream_sink_stream_z,
    .sink_type_z = gm_stream_sink_type_z,
    .sink_open = gm_stream_sink_open,
    .prepare = gm_stream_sink_prepare,
    .apply = gm_stream_sink_apply,
    .remove = gm_stream_sink_remove,
    .expect = gm_stream_sink_expect,
    .actual = gm_stream_sink_actual,
    .sink_close = gm_stream_sink_close,
    .behind = &gm_stream_behind,
};
