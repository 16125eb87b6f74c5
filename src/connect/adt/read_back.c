/* What is there, for verification: read for many targets at a time, told for one. */
#include <stdlib.h>

#include "base/coding.h"
#include "base/mem.h"
#include "connect/adt/sink.h"

enum { PATH_SIZE_MAX = 16 << 10 };

/* One thing that was asked for. */
struct found {
    struct adt_sink *sink;
    const struct gm_object *row;
    struct gm_str twin_id, link_id;
    bool is_link;
    yyjson_mut_val *value; /* NULL: not there */
    struct found *behind;  /* of the same key */
    struct gm_call call;
};

static void take_found(struct gm_call *call, const struct gm_http_answer *answer)
{
    struct found *found = call->ctx;
    struct adt_sink *sink = found->sink;
    if (answer->status == 200) {
        found->value = adt_read_thing(sink, sink->doc, found->is_link, gm_buf_str(&answer->body));
    } else if (answer->status != 404 || adt_error_code(sink, answer).n == 0) {
        GM_AUTO_FREE char *text_z =
            gm_format_z("%s: GET answered %ld", sink->url_z, answer->status);
        gm_exchange_fail(sink->exchange, GM_E_CONFIG, text_z);
    }
}

static gm_rc ask_for(struct adt_sink *sink, const struct gm_object *row, struct found **last,
                     struct gm_err *err)
{
    struct found *found = gm_arena_zalloc(sink->arena, sizeof(*found));
    struct gm_buf path;
    if (found == NULL) {
        return adt_too_much(err);
    }
    *found = (struct found){.sink = sink, .row = row, .behind = *last};
    found->is_link = gm_str_cut(row->id, '/', &found->twin_id, &found->link_id);
    *last = found;
    if (row->waiting_for.p != NULL) {
        struct gm_err ignored;
        return gm_json_parse(sink->doc, row->next, &found->value, &ignored);
    }
    gm_buf_init(&path, PATH_SIZE_MAX);
    gm_buf_add(&path, GM_STR("/digitaltwins/"));
    gm_percent_add(&path, found->twin_id);
    if (found->is_link) {
        gm_buf_add(&path, GM_STR("/relationships/"));
        gm_percent_add(&path, found->link_id);
    }
    gm_buf_addf(&path, "?api-version=%s", sink->conf->api_version);
    const char *path_z = adt_keep_z(sink, &path);
    gm_buf_deinit(&path);
    if (path_z == NULL) {
        return adt_too_much(err);
    }
    found->call = (struct gm_call){.method_z = "GET",
                                   .path_z = path_z,
                                   .ask = {.class = ADT_READ, .cost = 1},
                                   .answered = take_found,
                                   .ctx = found};
    gm_exchange_add(sink->exchange, &found->call);
    return GM_OK;
}

static gm_rc ask_for_key(struct adt_sink *sink, struct gm_str key, struct gm_err *err)
{
    struct gm_object *row;
    struct found *last = NULL;
    GM_TRY(gm_objects_of_key(sink->work.db, sink->arena,
                             &(struct gm_state_key){sink->work.pipeline, key}, &row, err));
    for (; row != NULL; row = row->behind) {
        if (row->target == sink->target) {
            GM_TRY(ask_for(sink, row, &last, err));
        }
    }
    gm_map_set_ptr(sink->fetched, key, last);
    return GM_OK;
}

gm_rc adt_fetch(void *self, const struct gm_sink_work *work, const struct gm_sink_target *targets,
                size_t count, struct gm_err *err)
{
    struct adt_sink *sink = self;
    adt_session_begin(sink, work);
    gm_map_reset(sink->fetched);
    if (sink->doc == NULL) {
        return adt_too_much(err);
    }
    gm_rc rc = GM_OK;
    for (size_t i = 0; rc == GM_OK && i < count; i++) {
        rc = ask_for_key(sink, targets[i].key, err);
    }
    struct gm_err own;
    gm_rc run = gm_exchange_run(sink->exchange, work->stop, rc == GM_OK ? err : &own);
    return rc == GM_OK ? run : rc;
}

/* ---- telling ---- */

static int by_id(const void *a, const void *b)
{
    return gm_str_cmp((*(struct found *const *)a)->link_id, (*(struct found *const *)b)->link_id);
}

static void write_link(const struct found *link, struct gm_str id, struct gm_buf *out)
{
    struct adt_sink *sink = link->sink;
    struct gm_str name = gm_json_member_str(link->value, "$name");
    struct gm_str target = gm_json_member_str(link->value, "$target");
    (void)gm_json_remove(link->value, GM_STR("$name"));
    (void)gm_json_remove(link->value, GM_STR("$target"));
    gm_buf_reset(&sink->text);
    gm_json_canonical(sink->doc, link->value, &sink->text);
    gm_twin_text_link(out, id, (const struct gm_str[]){name, target, gm_buf_str(&sink->text)});
}

static void write_twin(struct found *const *found, size_t count, struct gm_buf *out)
{
    struct found *const twin = found[0];
    struct adt_sink *sink = twin->sink;
    gm_twin_text_head(out, twin->twin_id, gm_json_member_str(twin->value, "$model"));
    for (size_t i = 1; i < count; i++) {
        gm_buf_add(out, i > 1 ? GM_STR(",") : GM_STR(""));
        write_link(found[i], found[i]->link_id, out);
    }
    gm_buf_add_char(out, ']');
    (void)gm_json_remove(twin->value, GM_STR("$model"));
    gm_twin_text_members(&sink->preparer.env, sink->doc, twin->value, out);
}

gm_rc adt_actual(void *self, const struct gm_sink_work *work, const struct gm_sink_target *target,
                 struct gm_buf *out, struct gm_err *err)
{
    (void)work;
    struct adt_sink *sink = self;
    struct found *first = gm_map_get_ptr(sink->fetched, target->key), *twin = NULL;
    size_t count = 1;
    for (struct found *one = first; one != NULL; one = one->behind) {
        twin = !one->is_link ? one : twin;
        count += one->is_link && one->value != NULL;
    }
    struct found **list = gm_arena_alloc(sink->arena, count * sizeof(struct found *));
    if (list == NULL) {
        return adt_too_much(err);
    }
    list[0] = twin;
    count = 1;
    for (struct found *one = first; one != NULL; one = one->behind) {
        if (one->is_link && one->value != NULL) {
            list[count++] = one;
        }
    }
    if (twin != NULL && twin->value != NULL) {
        qsort(list + 1, count - 1, sizeof(*list), by_id);
        write_twin(list, count, out);
        return GM_OK;
    }
    if (twin == NULL && count > 1) {
        write_link(list[1], list[1]->row->id, out);
        return GM_OK;
    }
    return GM_E_END;
}
