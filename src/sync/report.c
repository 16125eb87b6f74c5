/* Reports of runs and letters as text: the same words everywhere. */
#include "sync/dead_letter.h"
#include "sync/run.h"
#include "json/json.h"

struct count_name {
    const char *name_z;
    size_t offset;
};
/* In the order people read them. */
static const struct count_name count_names[] = {
    {"read", offsetof(struct gm_run_counts, read)},
    {"created", offsetof(struct gm_run_counts, created)},
    {"updated", offsetof(struct gm_run_counts, updated)},
    {"deleted", offsetof(struct gm_run_counts, deleted)},
    {"unchanged", offsetof(struct gm_run_counts, unchanged)},
    {"same", offsetof(struct gm_run_counts, same)},
    {"stale", offsetof(struct gm_run_counts, stale)},
    {"filtered", offsetof(struct gm_run_counts, filtered)},
    {"parked", offsetof(struct gm_run_counts, parked)},
    {"missing", offsetof(struct gm_run_counts, missing)},
};

static int64_t count_at(const struct gm_run_counts *counts, const struct count_name *name)
{
    int64_t v;
    memcpy(&v, (const char *)counts + name->offset, sizeof(v));
    return v;
}

void gm_run_counts_write(const struct gm_run_counts *counts, struct gm_buf *out)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(count_names); i++) {
        int64_t v = count_at(counts, &count_names[i]);
        if (i == 0 || v != 0) {
            gm_buf_addf(out, "%s%s %lld", i > 0 ? ", " : "", count_names[i].name_z, (long long)v);
        }
    }
}

/* ---- members ---- */

static void add_name(struct gm_buf *out, const char *name_z)
{
    bool first = out->n > 0 && out->p[out->n - 1] == '{';
    gm_buf_addf(out, "%s\"%s\":", first ? "" : ",", name_z);
}

static void add_text(struct gm_buf *out, const char *name_z, struct gm_str text)
{
    add_name(out, name_z);
    if (text.p != NULL) {
        gm_json_quote(out, text);
    } else {
        gm_buf_add_z(out, "null");
    }
}

static void add_number(struct gm_buf *out, const char *name_z, int64_t v)
{
    add_name(out, name_z);
    gm_buf_addf(out, "%lld", (long long)v);
}

static void add_bool(struct gm_buf *out, const char *name_z, bool v)
{
    add_name(out, name_z);
    gm_buf_add_z(out, v ? "true" : "false");
}

/* 0: null. */
static void add_time(struct gm_buf *out, const char *name_z, gm_ns t)
{
    char text[GM_TIME_TEXT_SIZE];
    struct gm_str none = {NULL, 0};
    add_text(out, name_z, t != 0 ? (struct gm_str){text, gm_time_format(t, text)} : none);
}

/* ---- runs ---- */

/* In milliseconds; the rate is of records read. Both are null while the run is under way. */
static void add_duration(struct gm_buf *out, const struct gm_run *run)
{
    gm_ns took = run->finished - run->started;
    if (run->finished == 0 || took < 0) {
        gm_buf_add_z(out, ",\"seconds\":null,\"rate\":null");
        return;
    }
    add_name(out, "seconds");
    gm_buf_addf(out, "%lld.%03d", (long long)(took / GM_SECOND), (int)(took % GM_SECOND / GM_MS));
    double seconds = (double)took / (double)GM_SECOND;
    add_number(out, "rate", took > 0 ? (int64_t)((double)run->counts.read / seconds) : 0);
}

void gm_run_write_json(const struct gm_run *run, struct gm_buf *out)
{
    gm_buf_add_char(out, '{');
    add_number(out, "num", run->num);
    add_text(out, "id", gm_str_z(run->id));
    add_text(out, "pipeline", run->pipeline_name);
    add_text(out, "cause", run->cause);
    add_text(out, "status", gm_str_z(gm_run_status_name(run->status)));
    add_time(out, "started", run->started);
    add_time(out, "finished", run->finished);
    add_duration(out, run);
    add_bool(out, "complete", run->complete);
    add_number(out, "attempts", run->attempts);
    gm_buf_add_z(out, ",\"counts\":{");
    for (size_t i = 0; i < GM_ARRAY_COUNT(count_names); i++) {
        add_number(out, count_names[i].name_z, count_at(&run->counts, &count_names[i]));
    }
    add_number(out, "read_bytes", run->counts.read_bytes);
    gm_buf_add_z(out, "},\"sweep\":{");
    add_text(out, "state", gm_str_z(gm_sweep_name(run->sweep)));
    add_text(out, "reason", run->sweep_reason.n > 0 ? run->sweep_reason : (struct gm_str){NULL, 0});
    add_number(out, "count", run->sweep_count);
    gm_buf_add_char(out, '}');
    add_name(out, "error");
    if (run->error_code.p == NULL && run->error.p == NULL) {
        gm_buf_add_z(out, "null}");
        return;
    }
    gm_buf_add_char(out, '{');
    add_text(out, "code", run->error_code);
    add_text(out, "message", run->error);
    gm_buf_add_z(out, "}}");
}

/* ---- letters ---- */

static const char *kind_name(enum gm_record_kind kind)
{
    static const char *const names[] = {
        [GM_RECORD_UPSERT] = "upsert",
        [GM_RECORD_PATCH] = "patch",
        [GM_RECORD_DELETE] = "delete",
        [GM_RECORD_EVENT] = "event",
    };
    return names[kind];
}

void gm_dead_letter_write_json(const struct gm_dead_letter *letter, struct gm_buf *out)
{
    char hash[GM_HASH128_HEX_SIZE];
    gm_hash128_hex(letter->hash, hash);
    gm_buf_add_char(out, '{');
    add_number(out, "num", letter->num);
    add_text(out, "pipeline", letter->pipeline_name);
    add_text(out, "key", letter->key);
    add_text(out, "status", letter->held ? GM_STR("held") : GM_STR("parked"));
    add_text(out, "code", letter->code);
    add_text(out, "error", letter->error);
    add_number(out, "run", letter->run);
    add_time(out, "parked", letter->parked);
    add_number(out, "attempts", letter->attempts);
    add_time(out, "last_attempt", letter->last_attempt);
    add_text(out, "kind", gm_str_z(kind_name(letter->kind)));
    add_number(out, "version", letter->version);
    add_text(out, "hash", gm_str_z(hash));
    add_text(out, "origin", letter->origin);
    add_number(out, "position", letter->position);
    add_name(out, "record");
    gm_buf_add(out, letter->record.n > 0 ? letter->record : GM_STR("null"));
    gm_buf_add_char(out, '}');
}
