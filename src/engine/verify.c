/* Verification: source and sink by hashed key ranges. */
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/vec.h"
#include "engine/operations.h"
#include "engine/run_internal.h"

enum {
    REPORT_SIZE = 256 << 20,
    PAGE_SIZE = 4 << 20,
    /* Keys held at a time while ranges that differ are read again. */
    KEYS_MAX = 200000,
};

struct range {
    int64_t count;
    struct gm_hash128 digest;
};

struct side {
    struct range ranges[GM_VERIFY_RANGES];
    int64_t count;
};

struct verification {
    const struct gm_operation *operation;
    struct gm_run_options options;
    struct gm_run_report run_report;
    struct run_work work;
    struct gm_verify_report *report;
    struct gm_stop *stop;
    struct gm_buf text;
    struct side *source;
    struct side *sink;
    /* Second reading: the keys of the ranges that differ, from the source. */
    bool wanted[GM_VERIFY_RANGES];
    struct gm_map *keys; /* key → index of `hashes` */
    GM_VEC(struct gm_hash128) hashes;
    GM_VEC(struct gm_verify_difference) differences;
};

static size_t range_of(struct gm_str key)
{
    return (size_t)(gm_hash64(key, 0) >> 52); /* GM_VERIFY_RANGES = 2^12 */
}

static struct gm_hash128 entry_hash(struct gm_str key, struct gm_str text)
{
    return gm_hash128(text, gm_hash64(key, 1));
}

static void add_entry(struct side *side, struct gm_str key, struct gm_hash128 hash)
{
    struct range *range = &side->ranges[range_of(key)];
    range->count++;
    range->digest = gm_hash128_sum(range->digest, hash);
    side->count++;
}

/* ---- the source ---- */

typedef gm_rc (*entry_fn)(struct verification *verification, struct gm_str key,
                          struct gm_hash128 hash, struct gm_err *err);

static gm_rc visit_record(struct verification *verification, struct gm_batch *batch,
                          struct gm_record *record, entry_fn fn, struct gm_err *err)
{
    gm_buf_reset(&verification->text);
    if (record->verdict == GM_VERDICT_FILTERED) {
        return GM_OK;
    }
    if (record->rc != GM_OK) {
        verification->report->unreadable++;
        gm_buf_add(&verification->text, GM_STR("unreadable"));
    } else {
        GM_TRY(verification->work.pipeline->sink->expect(verification->work.sink, batch, record,
                                                         &verification->text, err));
    }
    return fn(verification, record->key, entry_hash(record->key, gm_buf_str(&verification->text)),
              err);
}

static gm_rc visit_batch(struct verification *verification, struct gm_batch *batch, entry_fn fn,
                         struct gm_err *err)
{
    struct run_work *work = &verification->work;
    for (size_t i = 0; i < batch->count; i++) {
        struct gm_record *record = &batch->records[i];
        if (record->rc == GM_OK) {
            GM_TRY(gm_steps_apply(work->steps, batch, record, err));
        }
    }
    GM_TRY(work->pipeline->sink->prepare(work->sink, batch, err));
    for (size_t i = 0; i < batch->count; i++) {
        GM_TRY(visit_record(verification, batch, &batch->records[i], fn, err));
    }
    return GM_OK;
}

static gm_rc visit_source(struct verification *verification, entry_fn fn, struct gm_err *err)
{
    struct run_work *work = &verification->work;
    const struct gm_connector *connector = work->pipeline->source;
    void *source;
    GM_TRY(gm_run_open_source(work, verification->stop, &source, err));
    struct gm_batch *batch = gm_batch_new();
    struct gm_deadline deadline = {.stop = verification->stop};
    gm_rc rc = connector->connect(source, GM_STR(""), &work->pass, err);
    if (rc == GM_OK && !work->pass.full) {
        rc = gm_fail(
            err, GM_E_CONFIG,
            "pipeline %s: its source shows increments only, so there is no whole to compare with",
            work->pipeline->name_z);
    }
    while (rc == GM_OK) {
        gm_batch_reset(batch);
        rc = connector->read(source, batch, &deadline, err);
        if (rc == GM_OK || rc == GM_E_END) {
            gm_rc visited = visit_batch(verification, batch, fn, err);
            rc = visited != GM_OK ? visited : rc;
        }
    }
    gm_batch_free(batch);
    connector->close(source);
    return rc == GM_E_END ? GM_OK : rc;
}

/* ---- the sink ---- */

struct sink_visit {
    struct verification *verification;
    entry_fn fn;
    /* of a sink outside the store */
    struct gm_arena *arena;
    struct gm_sink_target *targets; /* GM_FETCH_MAX */
    size_t count;
};

/* What the sink has for one target, and whose it is. */
static gm_rc visit_target(struct sink_visit *visit, const struct gm_sink_target *target,
                          struct gm_err *err)
{
    struct verification *verification = visit->verification;
    struct run_work *work = &verification->work;
    struct gm_sink_work sink_work = {
        .db = work->db, .pipeline = work->row.num, .stop = verification->stop};
    gm_buf_reset(&verification->text);
    gm_rc rc =
        work->pipeline->sink->actual(work->sink, &sink_work, target, &verification->text, err);
    if (rc == GM_E_END) {
        return GM_OK; /* not there: the source's side shows it as missing */
    }
    GM_TRY(rc);
    return visit->fn(verification, target->key,
                     entry_hash(target->key, gm_buf_str(&verification->text)), err);
}

/* Targets outside the store are read many at a time. */
static gm_rc visit_page(struct sink_visit *visit, struct gm_err *err)
{
    struct verification *verification = visit->verification;
    struct run_work *work = &verification->work;
    struct gm_sink_work sink_work = {
        .db = work->db, .pipeline = work->row.num, .stop = verification->stop};
    GM_TRY(work->pipeline->sink->outside->fetch(work->sink, &sink_work, visit->targets,
                                                visit->count, err));
    for (size_t i = 0; i < visit->count; i++) {
        GM_TRY(visit_target(visit, &visit->targets[i], err));
    }
    visit->count = 0;
    gm_arena_reset(visit->arena);
    return GM_OK;
}

static gm_rc visit_state(void *ctx, const struct gm_state_row *row, struct gm_err *err)
{
    struct sink_visit *visit = ctx;
    struct gm_sink_target target = {.num = row->target, .id = row->target_id, .key = row->key};
    if (row->target == 0 && row->target_id.p == NULL) {
        return GM_OK; /* parked before it was ever delivered */
    }
    if (visit->verification->work.pipeline->sink->outside == NULL) {
        return visit_target(visit, &target, err);
    }
    target.key = gm_arena_dup(visit->arena, row->key);
    target.id = gm_arena_dup(visit->arena, row->target_id);
    if (target.key.p == NULL || target.id.p == NULL) {
        return gm_fail(err, GM_E_LIMIT, "keys are too long to be compared");
    }
    visit->targets[visit->count++] = target;
    return visit->count == GM_FETCH_MAX ? visit_page(visit, err) : GM_OK;
}

static gm_rc visit_sink(struct verification *verification, entry_fn fn, struct gm_err *err)
{
    struct sink_visit visit = {.verification = verification,
                               .fn = fn,
                               .arena = gm_arena_new(PAGE_SIZE),
                               .targets = gm_alloc_array(GM_FETCH_MAX, sizeof(*visit.targets))};
    gm_rc rc =
        gm_states_list(verification->work.db, verification->work.row.num, visit_state, &visit, err);
    if (rc == GM_OK && visit.count > 0) {
        rc = visit_page(&visit, err);
    }
    gm_arena_free(visit.arena);
    gm_free(visit.targets);
    return rc;
}

/* ---- first reading: digests ---- */

static gm_rc digest_source(struct verification *verification, struct gm_str key,
                           struct gm_hash128 hash, struct gm_err *err)
{
    (void)err;
    add_entry(verification->source, key, hash);
    return GM_OK;
}

static gm_rc digest_sink(struct verification *verification, struct gm_str key,
                         struct gm_hash128 hash, struct gm_err *err)
{
    (void)err;
    add_entry(verification->sink, key, hash);
    return GM_OK;
}

static bool range_differs(const struct verification *verification, size_t index)
{
    const struct range *source = &verification->source->ranges[index];
    const struct range *sink = &verification->sink->ranges[index];
    return source->count != sink->count || !gm_hash128_eq(source->digest, sink->digest);
}

static struct gm_hash128 side_digest(const struct side *side)
{
    struct gm_hash128 sum = {0, 0};
    for (size_t i = 0; i < GM_VERIFY_RANGES; i++) {
        sum = gm_hash128_sum(sum, side->ranges[i].digest);
    }
    return sum;
}

/* ---- second reading: keys ---- */

static void add_difference(struct verification *verification, enum gm_verify_kind kind,
                           struct gm_str key)
{
    verification->report->differences_total++;
    if (verification->differences.n >= GM_VERIFY_DIFFERENCES_MAX) {
        return;
    }
    struct gm_str copy = gm_arena_dup(verification->report->arena, key);
    GM_ASSERT(copy.p != NULL);
    *gm_vec_push(&verification->differences) = (struct gm_verify_difference){kind, copy};
}

static gm_rc note_source_key(struct verification *verification, struct gm_str key,
                             struct gm_hash128 hash, struct gm_err *err)
{
    if (!verification->wanted[range_of(key)]) {
        return GM_OK;
    }
    uint64_t index;
    /* twice in the source: equal to nothing the sink may have */
    if (gm_map_get(verification->keys, key, &index)) {
        verification->hashes.at[index] = gm_hash128_sum(verification->hashes.at[index], hash);
        return GM_OK;
    }
    if (verification->hashes.n >= (size_t)2 * KEYS_MAX) {
        return gm_fail(err, GM_E_LIMIT,
                       "more than %d keys in ranges that differ; run the pipeline first",
                       2 * KEYS_MAX);
    }
    gm_map_set(verification->keys, key, verification->hashes.n);
    *gm_vec_push(&verification->hashes) = hash;
    return GM_OK;
}

static gm_rc match_sink_key(struct verification *verification, struct gm_str key,
                            struct gm_hash128 hash, struct gm_err *err)
{
    (void)err;
    uint64_t index;
    if (!verification->wanted[range_of(key)]) {
        return GM_OK;
    }
    if (!gm_map_get(verification->keys, key, &index)) {
        add_difference(verification, GM_VERIFY_EXTRA, key);
        return GM_OK;
    }
    if (!gm_hash128_eq(verification->hashes.at[index], hash)) {
        add_difference(verification, GM_VERIFY_DIFFERENT, key);
    }
    gm_map_remove(verification->keys, key);
    return GM_OK;
}

/* As many of the ranges that differ as memory is set aside for; false: none is left. */
static bool choose_ranges(struct verification *verification, size_t *from)
{
    int64_t keys = 0;
    bool any = false;
    memset(verification->wanted, 0, sizeof(verification->wanted));
    for (; *from < GM_VERIFY_RANGES; (*from)++) {
        int64_t count = verification->source->ranges[*from].count;
        if (!range_differs(verification, *from)) {
            continue;
        }
        if (any && keys + count > KEYS_MAX) {
            return true;
        }
        verification->wanted[*from] = true;
        keys += count;
        any = true;
    }
    return any;
}

static gm_rc drill_down(struct verification *verification, struct gm_err *err)
{
    int64_t unreadable = verification->report->unreadable;
    size_t from = 0;
    while (verification->differences.n < GM_VERIFY_DIFFERENCES_MAX &&
           choose_ranges(verification, &from)) {
        gm_map_reset(verification->keys);
        verification->hashes.n = 0;
        GM_TRY(visit_source(verification, note_source_key, err));
        GM_TRY(visit_sink(verification, match_sink_key, err));
        for (size_t i = 0; i < gm_map_count(verification->keys); i++) {
            add_difference(verification, GM_VERIFY_MISSING, gm_map_key_at(verification->keys, i));
        }
    }
    verification->report->unreadable = unreadable;
    return GM_OK;
}

static int by_key(const void *a, const void *b)
{
    return gm_str_cmp(((const struct gm_verify_difference *)a)->key,
                      ((const struct gm_verify_difference *)b)->key);
}

/* ---- the artifact ---- */

static const char *const kind_names[] = {"missing", "different", "extra"};

static void add_hash(struct gm_buf *out, const char *name_z, struct gm_hash128 hash)
{
    char hex[GM_HASH128_HEX_SIZE];
    gm_hash128_hex(hash, hex);
    gm_buf_addf(out, "\"%s\":\"%s\"", name_z, hex);
}

static void write_side(struct gm_buf *out, const char *name_z, const struct side *side)
{
    gm_buf_addf(out, ",\"%s\":{\"count\":%lld,", name_z, (long long)side->count);
    add_hash(out, "digest", side_digest(side));
    gm_buf_add(out, GM_STR(",\"ranges\":["));
    for (size_t i = 0; i < GM_VERIFY_RANGES; i++) {
        char hex[GM_HASH128_HEX_SIZE];
        gm_hash128_hex(side->ranges[i].digest, hex);
        gm_buf_addf(out, "%s[%lld,\"%s\"]", i > 0 ? "," : "", (long long)side->ranges[i].count,
                    hex);
    }
    gm_buf_add(out, GM_STR("]}"));
}

static void write_outcome(struct gm_buf *out, const struct gm_verify_report *report)
{
    gm_buf_addf(out, ",\"equal\":%s,\"differences_total\":%lld,\"differences\":[",
                report->ranges_differing == 0 ? "true" : "false",
                (long long)report->differences_total);
    for (size_t i = 0; i < report->difference_count; i++) {
        gm_buf_addf(out, "%s{\"kind\":\"%s\",\"key\":", i > 0 ? "," : "",
                    kind_names[report->differences[i].kind]);
        gm_json_quote(out, report->differences[i].key);
        gm_buf_add_char(out, '}');
    }
    gm_buf_add_char(out, ']');
}

/* Everything but the closing `,"seal":"…"}`. */
static void write_artifact(struct verification *verification, struct gm_buf *out)
{
    const struct run_work *work = &verification->work;
    const struct gm_clock *clock = gm_store_clock(verification->operation->store);
    char time[GM_TIME_TEXT_SIZE];
    gm_time_format(clock->wall(clock), time);
    gm_buf_add(out, GM_STR("{\"kind\":\"gemel verification\",\"version\":1,\"pipeline\":"));
    gm_json_quote(out, work->row.name);
    gm_buf_addf(out,
                ",\"time\":\"%s\",\"last_full_run\":%lld,\"source_fingerprint\":\"%s\",\"step_"
                "fingerprint\":\"%s\"",
                time, (long long)work->row.last_full_run, work->pipeline->source_fingerprint_z,
                work->pipeline->step_fingerprint_z);
    write_outcome(out, verification->report);
    write_side(out, "source", verification->source);
    write_side(out, "sink", verification->sink);
}

static void seal(struct gm_buf *out)
{
    struct gm_hash128 hash = gm_hash128(gm_buf_str(out), 0);
    gm_buf_add_char(out, ',');
    add_hash(out, "seal", hash);
    gm_buf_add(out, GM_STR("}\n"));
}

/* ---- life ---- */

static gm_rc verification_open(struct verification *verification,
                               const struct gm_operation *operation, struct gm_stop *stop,
                               struct gm_err *err)
{
    verification->operation = operation;
    verification->stop = stop;
    verification->options = (struct gm_run_options){
        .store = operation->store,
        .pipeline = operation->pipeline,
        .folder_z = gm_config_folder_z(operation->config),
        .handle = gm_run_handle_new(),
        .cause_z = "verify",
        .plan = true, /* a pipeline that never ran is not made for this */
    };
    verification->source = gm_alloc(sizeof(*verification->source));
    verification->sink = gm_alloc(sizeof(*verification->sink));
    verification->keys = gm_map_new();
    gm_buf_init(&verification->text, (size_t)4 * GM_RECORD_SIZE_MAX);
    return gm_run_work_open(&verification->work, &verification->options, &verification->run_report,
                            err);
}

static void verification_close(struct verification *verification)
{
    gm_run_work_close(&verification->work);
    gm_run_report_free(&verification->run_report);
    gm_run_handle_free(verification->options.handle);
    gm_free(verification->source);
    gm_free(verification->sink);
    gm_map_free(verification->keys);
    gm_buf_deinit(&verification->text);
    gm_vec_deinit(&verification->hashes);
    gm_vec_deinit(&verification->differences);
    gm_free(verification);
}

static gm_rc compare_sides(struct verification *verification, struct gm_err *err)
{
    struct gm_verify_report *report = verification->report;
    GM_TRY(gm_db_begin_snapshot(verification->work.db, err));
    GM_TRY(visit_source(verification, digest_source, err));
    GM_TRY(visit_sink(verification, digest_sink, err));
    for (size_t i = 0; i < GM_VERIFY_RANGES; i++) {
        report->ranges_differing += range_differs(verification, i);
    }
    report->source_count = verification->source->count;
    report->sink_count = verification->sink->count;
    report->source_digest = side_digest(verification->source);
    report->sink_digest = side_digest(verification->sink);
    if (report->ranges_differing > 0) {
        GM_TRY(drill_down(verification, err));
    }
    return gm_db_commit(verification->work.db, err);
}

static gm_rc fill_report(struct verification *verification, struct gm_err *err)
{
    struct gm_verify_report *report = verification->report;
    size_t n = verification->differences.n;
    report->difference_count = n;
    if (n > 0) {
        qsort(verification->differences.at, n, sizeof(*verification->differences.at), by_key);
        report->differences = gm_arena_alloc(report->arena, n * sizeof(*report->differences));
        GM_ASSERT(report->differences != NULL);
        memcpy(report->differences, verification->differences.at, n * sizeof(*report->differences));
    }
    struct gm_buf artifact;
    gm_buf_init(&artifact, REPORT_SIZE / 4);
    write_artifact(verification, &artifact);
    seal(&artifact);
    report->artifact = gm_buf_failed(&artifact)
                           ? (struct gm_str){NULL, 0}
                           : gm_arena_dup(report->arena, gm_buf_str(&artifact));
    gm_buf_deinit(&artifact);
    return report->artifact.p != NULL ? GM_OK
                                      : gm_fail(err, GM_E_LIMIT, "the artifact is too large");
}

gm_rc gm_verify(const struct gm_operation *operation, struct gm_stop *stop,
                struct gm_verify_report *out_report, struct gm_err *err)
{
    struct verification *verification = gm_alloc(sizeof(*verification));
    *out_report = (struct gm_verify_report){.arena = gm_arena_new(REPORT_SIZE)};
    verification->report = out_report;
    gm_rc rc = verification_open(verification, operation, stop, err);
    rc = rc == GM_OK ? compare_sides(verification, err) : rc;
    rc = rc == GM_OK ? fill_report(verification, err) : rc;
    verification_close(verification);
    if (rc != GM_OK) {
        gm_verify_report_free(out_report);
    }
    return rc;
}

void gm_verify_report_free(struct gm_verify_report *report)
{
    gm_arena_free(report->arena);
    *report = (struct gm_verify_report){0};
}

void gm_verify_write_json(const struct gm_pipeline *pipeline, const struct gm_verify_report *report,
                          struct gm_buf *out)
{
    gm_buf_add(out, GM_STR("{\"pipeline\":"));
    gm_json_quote(out, gm_str_z(pipeline->name_z));
    gm_buf_addf(out, ",\"source_count\":%lld,\"sink_count\":%lld,\"unreadable\":%lld",
                (long long)report->source_count, (long long)report->sink_count,
                (long long)report->unreadable);
    write_outcome(out, report);
    gm_buf_add(out, GM_STR(",\"artifact\":"));
    gm_json_quote(out, report->artifact);
    gm_buf_add_char(out, '}');
}

/* ---- checking an artifact ---- */

static bool seal_holds(struct gm_str artifact)
{
    static const char mark[] = ",\"seal\":\"";
    struct gm_str text = gm_str_trim(artifact);
    size_t tail = sizeof(mark) - 1 + GM_HASH128_HEX_SIZE - 1 + 2; /* hash, quote, brace */
    if (text.n <= tail || memcmp(text.p + text.n - tail, mark, sizeof(mark) - 1) != 0) {
        return false;
    }
    char hex[GM_HASH128_HEX_SIZE];
    gm_hash128_hex(gm_hash128((struct gm_str){text.p, text.n - tail}, 0), hex);
    return memcmp(text.p + text.n - tail + sizeof(mark) - 1, hex, GM_HASH128_HEX_SIZE - 1) == 0;
}

static gm_rc count_moved_ranges(struct verification *verification, yyjson_mut_val *artifact,
                                int64_t *out_moved, struct gm_err *err)
{
    yyjson_mut_val *ranges = gm_json_pointer(artifact, GM_STR("/sink/ranges"));
    if (!yyjson_mut_is_arr(ranges) || yyjson_mut_arr_size(ranges) != GM_VERIFY_RANGES) {
        return gm_fail(err, GM_E_INVALID, "artifact: no `sink.ranges` of %d entries",
                       GM_VERIFY_RANGES);
    }
    *out_moved = 0;
    size_t index, max;
    yyjson_mut_val *entry;
    yyjson_mut_arr_foreach(ranges, index, max, entry)
    {
        const struct range *range = &verification->sink->ranges[index];
        char hex[GM_HASH128_HEX_SIZE];
        gm_hash128_hex(range->digest, hex);
        bool same = yyjson_mut_get_sint(yyjson_mut_arr_get_first(entry)) == range->count &&
                    gm_str_is(gm_json_str(yyjson_mut_arr_get_last(entry)), hex);
        *out_moved += same ? 0 : 1;
    }
    return GM_OK;
}

gm_rc gm_verify_check_artifact(const struct gm_operation *operation, struct gm_str artifact,
                               struct gm_artifact_check *out_check, struct gm_err *err)
{
    struct gm_arena *arena = gm_arena_new(REPORT_SIZE);
    struct verification *verification = gm_alloc(sizeof(*verification));
    struct gm_verify_report report = {0};
    yyjson_mut_val *root = NULL;
    verification->report = &report;
    *out_check = (struct gm_artifact_check){.sealed = seal_holds(artifact)};
    gm_rc rc = verification_open(verification, operation, NULL, err);
    rc = rc == GM_OK ? gm_json_parse(gm_json_doc_new(arena), artifact, &root, err) : rc;
    rc = rc == GM_OK ? visit_sink(verification, digest_sink, err) : rc;
    rc = rc == GM_OK ? count_moved_ranges(verification, root, &out_check->ranges_moved, err) : rc;
    out_check->same = rc == GM_OK && out_check->ranges_moved == 0;
    verification_close(verification);
    gm_arena_free(arena);
    return rc;
}

void gm_verify_check_write_json(const struct gm_artifact_check *check, struct gm_buf *out)
{
    gm_buf_addf(out, "{\"sealed\":%s,\"same\":%s,\"ranges_moved\":%lld}",
                check->sealed ? "true" : "false", check->same ? "true" : "false",
                (long long)check->ranges_moved);
}
