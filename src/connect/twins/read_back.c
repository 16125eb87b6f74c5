/* What is there, in the form of twin_item.h. */
#include "connect/twins/read_back.h"

#include "twin_sql.h"

gm_rc twins_expect(void *self, struct gm_batch *batch, const struct gm_record *record,
                   struct gm_buf *out, struct gm_err *err)
{
    (void)err;
    struct twins_sink *sink = self;
    gm_twin_text_item(&sink->preparer.env, batch, record, out);
    return GM_OK;
}

/* ---- what is there ---- */

void twins_read_back_close(struct twins_sink *sink)
{
    gm_twin_reader_close(sink->twins);
    gm_stmt_finalize(sink->relationships);
    gm_stmt_finalize(sink->link);
    sink->twins = NULL;
    sink->relationships = NULL;
    sink->link = NULL;
    sink->read_db = NULL;
}

static gm_rc open_statements(struct twins_sink *sink, struct gm_db *db, struct gm_err *err)
{
    if (sink->read_db == db) {
        return GM_OK;
    }
    twins_read_back_close(sink);
    GM_TRY(gm_twin_reader_open(db, &sink->twins, err));
    GM_TRY(gm_db_prepare(db, GM_SQL_RELATIONSHIPS_DELIVERED, &sink->relationships, err));
    GM_TRY(gm_db_prepare(db, GM_SQL_LINK_DELIVERED, &sink->link, err));
    sink->read_db = db;
    return GM_OK;
}

static gm_rc actual_link(struct twins_sink *sink, const struct gm_sink_target *target,
                         struct gm_buf *out, struct gm_err *err)
{
    struct gm_str source, id;
    if (!gm_str_cut(target->id, '/', &source, &id)) {
        return GM_E_END;
    }
    gm_bind_text(sink->link, 1, source);
    gm_bind_text(sink->link, 2, id);
    GM_TRY(gm_step(sink->link, err));
    gm_twin_text_link(out, target->id,
                      (const struct gm_str[]){gm_column_text(sink->link, 0),
                                              gm_column_text(sink->link, 1),
                                              gm_column_text(sink->link, 2)});
    gm_reset(sink->link);
    return GM_OK;
}

static gm_rc actual_relationships(struct twins_sink *sink, int64_t pipeline,
                                  const struct gm_twin *twin, struct gm_buf *out,
                                  struct gm_err *err)
{
    struct gm_stmt *stmt = sink->relationships;
    gm_bind_i64(stmt, 1, twin->num);
    gm_bind_text(stmt, 2, twin->id);
    gm_bind_i64(stmt, 3, pipeline);
    gm_rc rc;
    for (size_t i = 0; (rc = gm_step(stmt, err)) == GM_OK; i++) {
        gm_buf_add(out, i > 0 ? GM_STR(",") : GM_STR(""));
        gm_twin_text_link(out, gm_column_text(stmt, 0),
                          (const struct gm_str[]){gm_column_text(stmt, 1), gm_column_text(stmt, 2),
                                                  gm_column_text(stmt, 3)});
    }
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc actual_twin(struct twins_sink *sink, int64_t pipeline, const struct gm_twin *twin,
                         struct gm_buf *out, struct gm_err *err)
{
    const struct gm_model *model =
        gm_models_by_num(sink->preparer.env.models, gm_twin_model_num(twin->num));
    gm_twin_text_head(out, twin->id, model != NULL ? model->id : GM_STR("?"));
    GM_TRY(actual_relationships(sink, pipeline, twin, out, err));
    gm_buf_add_char(out, ']');
    struct gm_arena *arena = gm_arena_new(16 * GM_TWIN_BODY_SIZE_MAX + (1 << 20));
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    yyjson_mut_val *body;
    gm_rc rc = gm_json_parse(doc, twin->body, &body, err);
    if (rc == GM_OK) {
        gm_twin_text_members(&sink->preparer.env, doc, body, out);
    }
    gm_arena_free(arena);
    return rc;
}

gm_rc twins_actual(void *self, const struct gm_sink_work *work, const struct gm_sink_target *target,
                   struct gm_buf *out, struct gm_err *err)
{
    struct twins_sink *sink = self;
    struct gm_twin twin;
    GM_TRY(open_statements(sink, work->db, err));
    if (target->id.p != NULL) {
        return actual_link(sink, target, out, err);
    }
    GM_TRY(gm_twin_by_num(sink->twins, target->num, &twin, err));
    return actual_twin(sink, work->pipeline, &twin, out, err);
}
