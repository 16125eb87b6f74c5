/* Records become events, on the pipeline's worker. */
#include "base/hash.h"
#include "base/mem.h"
#include "connect/stream/sink.h"
#include "stream/directory.h"

enum {
    /* A part is this large before compression, about: what is sent at a time. */
    PART_SIZE = 8 << 20,
    PART_COUNT_MAX = 1 << 16,
    BODY_ROOM = 64, /* beyond what is allowed: the event is refused then, not cut off */
};

gm_rc stream_sink_compile(struct stream_sink *sink, struct gm_err *err)
{
    const struct gm_stream_sink_conf *conf = sink->conf;
    if (conf->key != NULL &&
        gm_pattern_parse(sink->texts, gm_str_z(conf->key), &sink->key, err) != GM_OK) {
        return gm_fail_within(err, "`key`");
    }
    if (conf->type != NULL &&
        gm_pattern_parse(sink->texts, gm_str_z(conf->type), &sink->type, err) != GM_OK) {
        return gm_fail_within(err, "`type`");
    }
    if (conf->time != NULL && gm_path_parse(gm_str_z(conf->time), &sink->time, err) != GM_OK) {
        return gm_fail_within(err, "`time`");
    }
    return GM_OK;
}

/* ---- one record ---- */

/* A record on its way to its event. */
struct making {
    struct stream_sink *sink;
    struct gm_batch *batch;
    struct gm_record *record;
    struct gm_event known; /* what the source's event said, of a source of events */
    bool bare;             /* its body was no object */
    struct gm_event event;
};

static bool refuse(struct making *making, const struct gm_path *path, const char *wanted_z)
{
    gm_record_fail(making->batch, making->record, GM_E_INVALID, "`" GM_STR_FMT "`: %s is wanted",
                   GM_STR_ARG(path->text), wanted_z);
    return false;
}

static bool too_much(struct making *making)
{
    gm_record_fail(making->batch, making->record, GM_E_LIMIT, "its batch has no memory left");
    return false;
}

/* `$event…` is what the source said, everything else what steps and map made. */
static struct gm_cell cell_at(struct making *making, struct gm_path *path)
{
    struct gm_record seen = *making->record;
    if (making->sink->env.events && gm_str_is(path->segments[0], "$event")) {
        seen.body = seen.original;
    }
    return gm_path_get(path, making->batch, &seen, NULL);
}

static bool scalar_at(struct making *making, struct gm_path *path, struct gm_str *out_text)
{
    struct gm_cell cell = cell_at(making, path);
    if (cell.type == GM_CELL_NULL || cell.type == GM_CELL_JSON) {
        return refuse(making, path, "a text or a number");
    }
    *out_text = gm_cell_text(making->batch->arena, &cell);
    return out_text->p != NULL || too_much(making);
}

static bool expand(struct making *making, struct gm_pattern *pattern, struct gm_str *out_text)
{
    if (gm_pattern_is_path(pattern)) {
        return scalar_at(making, &pattern->paths[0], out_text);
    }
    struct gm_buf *text = &making->sink->text;
    gm_buf_reset(text);
    for (size_t i = 0; i <= pattern->count; i++) {
        struct gm_str part = {NULL, 0};
        gm_buf_add(text, pattern->literals[i]);
        if (i < pattern->count && !scalar_at(making, &pattern->paths[i], &part)) {
            return false;
        }
        gm_buf_add(text, part);
    }
    *out_text = gm_arena_dup(making->batch->arena, gm_buf_str(text));
    return (!gm_buf_failed(text) && out_text->p != NULL) || too_much(making);
}

/* 0: when the event comes in. */
static bool find_time(struct making *making, gm_ns *out_time)
{
    static const gm_ns units[] = {GM_SECOND, GM_MS, GM_US, GM_NS};
    struct gm_path *path = &making->sink->time;
    gm_ns unit = units[making->sink->conf->time_unit];
    struct gm_cell cell =
        path->count > 0 ? cell_at(making, path) : (struct gm_cell){.type = GM_CELL_NULL};
    switch (cell.type) {
    case GM_CELL_NULL:
        *out_time = making->known.time;
        return true;
    case GM_CELL_INT:
        *out_time =
            cell.as.i * (cell.as.i <= INT64_MAX / unit && cell.as.i >= INT64_MIN / unit ? unit : 0);
        return *out_time != 0 || cell.as.i == 0 ||
               refuse(making, path, "a time between 1677 and 2262");
    case GM_CELL_DOUBLE: {
        double time = cell.as.d * (double)unit;
        bool fits = time > -9.2e18 && time < 9.2e18;
        *out_time = fits ? (gm_ns)time : 0;
        return fits || refuse(making, path, "a time between 1677 and 2262");
    }
    case GM_CELL_TEXT:
        return gm_time_parse(cell.as.s, out_time) ||
               refuse(making, path, "a time (RFC 3339, or a number)");
    default:
        return refuse(making, path, "a time (RFC 3339, or a number)");
    }
}

/* A letter has no event, but the member that tells of it. */
static bool know_event(struct making *making)
{
    const struct gm_record *record = making->record;
    if (!making->sink->env.events) {
        making->known = (struct gm_event){.key = record->key, .origin = making->sink->env.pipeline};
        return true;
    }
    if (record->event != NULL) {
        making->known = *record->event;
        return true;
    }
    const yyjson_mut_val *own = gm_json_member(record->original, GM_STR("$event"));
    struct gm_event *known = &making->known;
    known->key = record->key;
    known->type = gm_json_member_str(own, "type");
    known->origin = gm_json_member_str(own, "origin");
    known->id = gm_json_member_str(own, "id");
    known->sequence = yyjson_mut_get_uint(gm_json_member(own, GM_STR("sequence")));
    making->bare = yyjson_mut_get_bool(gm_json_member(own, GM_STR("bare")));
    if (!gm_time_parse(gm_json_member_str(own, "time"), &known->time)) {
        gm_record_fail(making->batch, making->record, GM_E_INVALID,
                       "what is kept of it has no `$event.time`");
        return false;
    }
    return true;
}

static bool write_body(struct making *making, yyjson_mut_val *body)
{
    struct gm_buf *text = &making->sink->text;
    gm_buf_reset(text);
    gm_json_write(body, text);
    if (gm_buf_failed(text) || text->n > GM_EVENT_BODY_SIZE_MAX) {
        gm_record_fail(making->batch, making->record, GM_E_INVALID,
                       "its body has more than %d bytes, or is nested too deep",
                       GM_EVENT_BODY_SIZE_MAX);
        return false;
    }
    making->event.body = gm_arena_dup(making->batch->arena, gm_buf_str(text));
    return making->event.body.p != NULL || too_much(making);
}

/* What the source's event had goes on as it came, when no step made another body. */
static bool find_body(struct making *making)
{
    const struct gm_record *record = making->record;
    bool untouched = record->body == record->original;
    if (!making->sink->env.events) {
        return write_body(making, record->body);
    }
    if (untouched && record->event != NULL) {
        making->event.body = making->known.body;
        return true;
    }
    if (untouched && making->bare) {
        return write_body(making, gm_json_member(record->body, GM_STR("value")));
    }
    yyjson_mut_val *body = record->body;
    if (gm_json_member(body, GM_STR("$event")) != NULL) {
        /* The original stays whole: a letter may be made of it. */
        body = untouched ? gm_json_copy(making->batch->doc, body) : body;
        if (body == NULL) {
            return too_much(making);
        }
        (void)gm_json_remove(body, GM_STR("$event"));
    }
    return write_body(making, body);
}

static bool check_event(struct making *making, const struct gm_event *event)
{
    const struct gm_sink_env *env = &making->sink->env;
    struct gm_err why = {0};
    gm_rc rc = gm_event_check(event, &why);
    if (rc == GM_OK && !(gm_utf8_valid(event->key, NULL) && gm_utf8_valid(event->type, NULL))) {
        rc = gm_fail(&why, GM_E_INVALID, "its key or its type is no UTF-8");
    }
    if (rc == GM_OK &&
        !gm_stream_allows(env->streams, gm_str_z(making->sink->conf->name), event, &why)) {
        rc = GM_E_INVALID;
    }
    if (rc != GM_OK) {
        gm_record_fail(making->batch, making->record, GM_E_INVALID,
                       "stream `%s` does not take it: %s", making->sink->conf->name, why.text);
    }
    return rc == GM_OK;
}

/* All but the type of a change, which is known when it is compared with what was told. */
static bool make_event(struct making *making)
{
    struct stream_sink *sink = making->sink;
    struct gm_event *event = &making->event;
    if (!know_event(making)) {
        return false;
    }
    *event = making->known;
    event->offset = 0;
    event->appended = 0;
    return (sink->key.count == 0 || expand(making, &sink->key, &event->key)) &&
           (sink->type.count == 0 || expand(making, &sink->type, &event->type)) &&
           find_time(making, &event->time) && find_body(making);
}

/* ---- what was told of an object ---- */

enum { HASH_SIZE = GM_HASH128_HEX_SIZE - 1, KEY_AT = STREAM_EPOCH_SIZE + 1 + HASH_SIZE + 1 };

bool stream_told_read(struct gm_str target_id, struct stream_told *out_told)
{
    if (target_id.n < KEY_AT || target_id.p[STREAM_EPOCH_SIZE] != '/' ||
        target_id.p[KEY_AT - 1] != '/') {
        return false;
    }
    out_told->epoch = (struct gm_str){target_id.p, STREAM_EPOCH_SIZE};
    out_told->hash = (struct gm_str){target_id.p + STREAM_EPOCH_SIZE + 1, HASH_SIZE};
    out_told->key = (struct gm_str){target_id.p + KEY_AT, target_id.n - KEY_AT};
    return true;
}

/* The same for events that say the same. */
static struct gm_hash128 hash_of(const struct gm_event *event)
{
    uint64_t seed = gm_hash64(event->type, (uint64_t)event->time);
    return gm_hash128(event->body, gm_hash64(event->key, seed));
}

/* The state of a record whose event this is. */
static struct stream_item *make_item(struct making *making)
{
    struct gm_arena *arena = making->batch->arena;
    struct stream_item *item = gm_arena_zalloc(arena, sizeof(*item));
    char hash[GM_HASH128_HEX_SIZE];
    if (item != NULL && !making->sink->env.events) {
        gm_hash128_hex(hash_of(&making->event), hash);
        const char *epoch_z = making->sink->epoch;
        item->target_id = gm_arena_format(arena, "%s/%s/" GM_STR_FMT,
                                          epoch_z[0] != '\0' ? epoch_z : "0000000000000000", hash,
                                          GM_STR_ARG(making->event.key));
        item = item->target_id.p != NULL ? item : NULL;
    }
    if (item == NULL) {
        (void)too_much(making);
    }
    return item;
}

static bool add_event(struct making *making, struct stream_load *load, const struct gm_event *event)
{
    if (!check_event(making, event)) {
        return false;
    }
    load->events[load->count++] = *event;
    return true;
}

static struct gm_event gone_event(const struct stream_sink *sink, struct gm_str key,
                                  struct gm_str body)
{
    return (struct gm_event){.key = key,
                             .type = gm_str_z(sink->conf->deleted),
                             .origin = sink->env.pipeline,
                             .body = body};
}

struct gm_event stream_gone_event(const struct stream_sink *sink, struct gm_arena *arena,
                                  const struct gm_sink_target *target)
{
    struct stream_told told = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    struct gm_buf text;
    gm_buf_init(&text, (size_t)8 * GM_KEY_SIZE_MAX);
    gm_buf_add(&text, GM_STR("{\"key\":"));
    gm_json_quote(&text, target->key);
    gm_buf_add_char(&text, '}');
    (void)stream_told_read(target->id, &told);
    struct gm_event event =
        gone_event(sink, gm_arena_dup(arena, told.key), gm_arena_dup(arena, gm_buf_str(&text)));
    gm_buf_deinit(&text);
    return event;
}

/* What changed since the object's last event. Where its events have another key now, what was
 * under the former one is gone. */
static void tell_change(struct making *making, struct stream_load *load)
{
    struct stream_sink *sink = making->sink;
    struct gm_record *record = making->record;
    struct stream_item *item = make_item(making);
    struct stream_told told, now;
    if (item == NULL || !stream_told_read(item->target_id, &now)) {
        return;
    }
    bool known = record->known && stream_told_read(record->target_id, &told) &&
                 gm_str_eq(told.epoch, gm_str_z(sink->epoch));
    bool same = known && gm_str_eq(told.hash, now.hash) && gm_str_eq(told.key, now.key);
    bool moved = known && !gm_str_eq(told.key, now.key);
    item->verdict = same ? GM_VERDICT_SAME : known ? GM_VERDICT_UPDATED : GM_VERDICT_CREATED;
    if (sink->type.count == 0) {
        making->event.type = gm_str_z(known && !moved ? sink->conf->updated : sink->conf->created);
    }
    size_t before = load->count;
    bool good = true;
    if (moved) {
        const struct gm_sink_target former = {.id = record->target_id, .key = record->key};
        load->events[load->count++] = stream_gone_event(sink, making->batch->arena, &former);
    }
    if (!same) {
        good = add_event(making, load, &making->event);
    }
    load->count = good ? load->count : before;
    record->prepared = good ? item : NULL;
}

static void tell_event(struct making *making, struct stream_load *load)
{
    struct stream_item *item = make_item(making);
    if (item != NULL && add_event(making, load, &making->event)) {
        item->verdict = GM_VERDICT_CREATED;
        making->record->prepared = item;
    }
}

/* ---- a batch ---- */

/* Events of one key come in order: behind one that cannot be written the others wait. */
static bool waits(struct stream_sink *sink, struct gm_batch *batch, struct gm_record *record)
{
    uint64_t ignored;
    if (!sink->env.events || gm_map_count(sink->failed) == 0 ||
        !gm_map_get(sink->failed, record->key, &ignored)) {
        return false;
    }
    gm_record_fail(batch, record, GM_E_CONFLICT,
                   "waits behind an earlier event of key \"" GM_STR_FMT "\" that is parked",
                   GM_STR_ARG(record->key));
    return true;
}

static void prepare_record(struct stream_sink *sink, struct gm_batch *batch,
                           struct gm_record *record, struct stream_load *load)
{
    struct making making = {.sink = sink, .batch = batch, .record = record};
    if (record->verdict != GM_VERDICT_NONE) {
        return;
    }
    if (record->rc == GM_OK && !waits(sink, batch, record) && make_event(&making)) {
        if (sink->env.events) {
            tell_event(&making, load);
        } else {
            tell_change(&making, load);
        }
    }
    if (record->rc != GM_OK && sink->env.events) {
        (void)gm_map_set(sink->failed, record->key, 1);
    }
}

static size_t size_of(const struct gm_event *event)
{
    return event->key.n + event->type.n + event->origin.n + event->id.n + event->body.n;
}

gm_rc stream_load_pack(struct stream_load *load, struct gm_parcel *parcel, struct gm_arena *arena,
                       struct gm_err *err)
{
    const struct gm_link nowhere = {.name = GM_STR("")}; /* numbers are drawn later */
    size_t total = 0;
    for (size_t i = 0; i < load->count; i++) {
        total += size_of(&load->events[i]);
    }
    size_t most = 1 + total / PART_SIZE + load->count / PART_COUNT_MAX;
    load->parts = gm_arena_zalloc(arena, most * sizeof(*load->parts));
    for (size_t at = 0; load->parts != NULL && at < load->count;) {
        struct stream_part *part = &load->parts[load->part_count];
        size_t size = 0;
        part->at = at;
        for (; at < load->count && size < PART_SIZE && part->count < PART_COUNT_MAX; at++) {
            size += size_of(&load->events[at]);
            part->count++;
        }
        gm_parcel_begin(parcel);
        gm_parcel_add(parcel, &load->events[part->at], part->count);
        gm_parcel_end(parcel, &nowhere, &part->bytes);
        part->bytes = gm_arena_dup(arena, part->bytes);
        load->parts = part->bytes.p != NULL ? load->parts : NULL;
        load->part_count++;
    }
    return load->parts != NULL ? GM_OK
                               : gm_fail(err, GM_E_LIMIT, "a batch's events are too much to write");
}

gm_rc gm_stream_sink_prepare(void *self, struct gm_batch *batch, struct gm_err *err)
{
    struct stream_sink *sink = self;
    struct stream_load *load = gm_arena_zalloc(batch->arena, sizeof(*load));
    size_t most = 2 * batch->count + 1; /* what moved to another key is told twice */
    if (load != NULL) {
        load->events = gm_arena_alloc(batch->arena, most * sizeof(*load->events));
    }
    if (load == NULL || load->events == NULL) {
        return gm_fail(err, GM_E_LIMIT, "a batch's events are too much to write");
    }
    gm_map_reset(sink->failed);
    for (size_t i = 0; i < batch->count; i++) {
        prepare_record(sink, batch, &batch->records[i], load);
    }
    batch->prepared = load;
    return stream_load_pack(load, sink->parcel, batch->arena, err);
}
