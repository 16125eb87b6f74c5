/* The sink `stream`: its settings, its life, and what it does on the writer's thread. */
#include "connect/stream/sink.h"

#include "base/mem.h"
#include "sync/state.h"

const char gm_stream_sink_help[] =
    "Events of a stream of this data directory. From tables, files and folders: one for each "
    "record that is new, changed or gone (`created`, `updated`, `deleted`); a record whose event "
    "would say what the last one of its key said writes none. From a stream: each event, in order "
    "per key; without `map` and `jq` its body byte for byte.\n\n"
    "The body is what `steps` and `map` made of the record; a `map` without `$dtId` and `$model` "
    "makes plain objects. What is gone is told as `{\"key\":…}`, the source's key. Each event is "
    "there once, whenever the process is killed.";

static const char *const time_units[] = {"s", "ms", "us", "ns", NULL};

const struct gm_field gm_stream_sink_fields[] = {
    GM_FIELD_STR(struct gm_stream_sink_conf, name, .flags = GM_F_REQUIRED, .example = "changes",
                 .help = "The stream, of the section `streams`."),
    GM_FIELD_STR(struct gm_stream_sink_conf, key, .example = "\"machine-{machineId}\"",
                 .help = "What an event is about: a path into what `steps` and `map` made, or a "
                         "template with paths in braces; `$event.key` and so on is what an event "
                         "of the source said. Without it the record's key."),
    GM_FIELD_STR(struct gm_stream_sink_conf, type, .example = "\"machine.{kind}\"",
                 .help = "Path, or template, of the type. Without it `created` or `updated`; of "
                         "an event the type that it had."),
    GM_FIELD_STR(struct gm_stream_sink_conf, time, .example = "changedAt",
                 .help = "Path to when it happened: RFC 3339, or a number of `time_unit`. Without "
                         "it, or where there is null, when it comes in; of an event the time that "
                         "it had."),
    GM_FIELD_ENUM(struct gm_stream_sink_conf, time_unit, .names = time_units, .def = "s",
                  .help = "What a number at `time` counts, since 1970."),
    GM_FIELD_STR(struct gm_stream_sink_conf, created, .def = "created",
                 .help = "Type of the first event of a record."),
    GM_FIELD_STR(struct gm_stream_sink_conf, updated, .def = "updated",
                 .help = "Type of the events of its changes."),
    GM_FIELD_STR(struct gm_stream_sink_conf, deleted, .def = "deleted",
                 .help = "Type of the event that says that it is gone, whatever `type` says."),
    GM_FIELD_END,
};

/* ---- life ---- */

const char *gm_stream_sink_stream_z(const void *conf)
{
    return ((const struct gm_stream_sink_conf *)conf)->name;
}

const char *gm_stream_sink_type_z(const void *settings, size_t index)
{
    const struct gm_stream_sink_conf *conf = settings;
    const char *all[] = {conf->deleted, conf->created, conf->updated};
    size_t known = conf->type != NULL ? 1 : GM_ARRAY_COUNT(all);
    return index < known ? all[index] : NULL;
}

enum {
    PATTERNS_SIZE_MAX = 64 << 10,
    TEXT_SIZE_MAX = 2 * GM_EVENT_BODY_SIZE_MAX,
    REMOVALS_SIZE_MAX = 64 << 20,
};

gm_rc gm_stream_sink_open(const void *conf, const struct gm_sink_env *env, void **out_self,
                          struct gm_err *err)
{
    struct stream_sink *sink = gm_alloc(sizeof(*sink));
    sink->conf = conf;
    sink->env = *env;
    sink->texts = gm_arena_new(PATTERNS_SIZE_MAX);
    sink->failed = gm_map_new();
    sink->parcel = gm_parcel_new();
    sink->removal_parcel = gm_parcel_new();
    sink->removal_arena = gm_arena_new(REMOVALS_SIZE_MAX);
    sink->broken = true;
    gm_buf_init(&sink->text, TEXT_SIZE_MAX);
    if (stream_sink_compile(sink, err) != GM_OK) {
        gm_stream_sink_close(sink);
        return gm_fail_within(err, "sink `stream`");
    }
    *out_self = sink;
    return GM_OK;
}

void gm_stream_sink_close(void *self)
{
    struct stream_sink *sink = self;
    if (sink != NULL) {
        gm_parcel_free(sink->parcel);
        gm_parcel_free(sink->removal_parcel);
        gm_arena_free(sink->removal_arena);
        gm_arena_free(sink->texts);
        gm_map_free(sink->failed);
        gm_buf_deinit(&sink->text);
        gm_free(sink->link_z);
        gm_free(sink);
    }
}

void gm_stream_sink_lint(struct gm_conf_doc *doc, const struct gm_node *node, const void *conf)
{
    struct stream_sink sink = {.conf = conf, .texts = gm_arena_new(PATTERNS_SIZE_MAX)};
    struct gm_err err = {0};
    if (stream_sink_compile(&sink, &err) != GM_OK) {
        gm_conf_error(doc, &node->place, "sink.stream: %s", err.text);
    }
    gm_arena_free(sink.texts);
}

/* ---- on the writer's thread ---- */

/* Numbers the events of a load and notes them, and forgets what has come in meanwhile. */
static gm_rc note(struct stream_sink *sink, const struct gm_sink_work *work,
                  struct stream_load *load, struct gm_err *err)
{
    if (sink->unsaved) {
        const struct gm_outbox outbox = {.pipeline = work->pipeline,
                                         .stream = gm_str_z(sink->conf->name),
                                         .identity = (int64_t)sink->identity,
                                         .epoch = gm_str_z(sink->epoch)};
        /* What an epoch before noted has come in. */
        GM_TRY(gm_outbox_settle(work->db, work->pipeline, INT64_MAX, err));
        GM_TRY(gm_outbox_put(work->db, &outbox, err));
        sink->unsaved = sink->dry; /* a plan's transactions are undone */
    }
    GM_TRY(gm_outbox_settle(work->db, work->pipeline, atomic_load(&sink->delivered), err));
    if (load->count == 0) {
        return GM_OK;
    }
    GM_TRY(gm_outbox_draw(work->db, work->pipeline, (int64_t)load->count, &load->first, err));
    for (size_t i = 0; i < load->part_count; i++) {
        const struct stream_part *part = &load->parts[i];
        GM_TRY(gm_outbox_add(work->db,
                             &(struct gm_outbox_part){.pipeline = work->pipeline,
                                                      .first = load->first + (int64_t)part->at,
                                                      .count = (int64_t)part->count,
                                                      .bytes = part->bytes},
                             err));
    }
    return GM_OK;
}

gm_rc gm_stream_sink_apply(void *self, const struct gm_sink_work *work, struct gm_batch *batch,
                           struct gm_err *err)
{
    struct stream_sink *sink = self;
    GM_TRY(note(sink, work, batch->prepared, err));
    for (size_t i = 0; i < batch->count; i++) {
        struct gm_record *record = &batch->records[i];
        const struct stream_item *item = record->prepared;
        if (item == NULL || record->rc != GM_OK || record->verdict != GM_VERDICT_NONE) {
            continue;
        }
        record->verdict = item->verdict;
        record->target = GM_STATE_TARGET_STREAM;
        record->target_id = item->target_id;
        record->delivered = record->key;
    }
    return GM_OK;
}

gm_rc gm_stream_sink_remove(void *self, const struct gm_sink_work *work,
                            const struct gm_sink_target *targets, size_t count, struct gm_err *err)
{
    struct stream_sink *sink = self;
    struct gm_arena *arena = sink->removal_arena;
    struct stream_load *load = &sink->removals;
    gm_arena_reset(arena);
    *load =
        (struct stream_load){.events = gm_arena_alloc(arena, (count + 1) * sizeof(*load->events))};
    bool full = load->events == NULL;
    for (size_t i = 0; i < count && !full; i++) {
        struct stream_told told;
        /* Of what was never told, or to another stream, this one knows nothing. */
        if (stream_told_read(targets[i].id, &told) &&
            gm_str_eq(told.epoch, gm_str_z(sink->epoch))) {
            struct gm_event event = stream_gone_event(sink, arena, &targets[i]);
            full = event.key.p == NULL || event.body.p == NULL;
            load->events[load->count++] = event;
        }
    }
    if (full) {
        return gm_fail(err, GM_E_LIMIT, "a page of deletions is too much to write");
    }
    GM_TRY(stream_load_pack(load, sink->removal_parcel, arena, err));
    return note(sink, work, load, err);
}

/* ---- verification ---- */

/* What the last event of an object says is compared with what the source says: as the store has it,
 * the stream is not read. The epoch does not count. */
gm_rc gm_stream_sink_expect(void *self, struct gm_batch *batch, const struct gm_record *record,
                            struct gm_buf *out, struct gm_err *err)
{
    (void)self;
    (void)batch;
    const struct stream_item *item = record->prepared;
    struct stream_told told;
    if (item == NULL || !stream_told_read(item->target_id, &told)) {
        return gm_fail(err, GM_E_INVALID, "nothing was prepared of key \"" GM_STR_FMT "\"",
                       GM_STR_ARG(record->key));
    }
    gm_buf_add(out, told.hash);
    gm_buf_add(out, told.key);
    return GM_OK;
}

gm_rc gm_stream_sink_actual(void *self, const struct gm_sink_work *work,
                            const struct gm_sink_target *target, struct gm_buf *out,
                            struct gm_err *err)
{
    (void)self;
    (void)work;
    struct stream_told told;
    if (!stream_told_read(target->id, &told)) {
        return gm_fail(err, GM_E_END, "no event was written of it");
    }
    gm_buf_add(out, told.hash);
    gm_buf_add(out, told.key);
    return GM_OK;
}
