#include "twin/relationships.h"

#include "base/mem.h"
#include "twin_sql.h"

struct gm_relationship_reader {
    struct gm_stmt *one;
    struct gm_stmt *out_page;
    struct gm_stmt *in_page;
};

gm_rc gm_relationship_reader_open(struct gm_db *db, struct gm_relationship_reader **out_reader,
                                  struct gm_err *err)
{
    struct gm_relationship_reader *reader = gm_alloc(sizeof(*reader));
    gm_rc rc = gm_db_prepare(db, GM_SQL_RELATIONSHIP_READ, &reader->one, err);
    if (rc == GM_OK) {
        rc = gm_db_prepare(db, GM_SQL_RELATIONSHIPS_OUT_PAGE, &reader->out_page, err);
    }
    if (rc == GM_OK) {
        rc = gm_db_prepare(db, GM_SQL_RELATIONSHIPS_IN_PAGE, &reader->in_page, err);
    }
    if (rc != GM_OK) {
        gm_relationship_reader_close(reader);
        return rc;
    }
    *out_reader = reader;
    return GM_OK;
}

void gm_relationship_reader_close(struct gm_relationship_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    gm_stmt_finalize(reader->one);
    gm_stmt_finalize(reader->out_page);
    gm_stmt_finalize(reader->in_page);
    gm_free(reader);
}

void gm_relationship_reader_reset(struct gm_relationship_reader *reader)
{
    gm_reset(reader->one);
    gm_reset(reader->out_page);
    gm_reset(reader->in_page);
}

static struct gm_relationship read_row(const struct gm_stmt *stmt, int64_t source,
                                       struct gm_str source_id)
{
    return (struct gm_relationship){
        .source = source,
        .source_id = source_id,
        .id = gm_column_text(stmt, 0),
        .name = gm_column_text(stmt, 1),
        .target_id = gm_column_text(stmt, 2),
        .version = gm_column_i64(stmt, 3),
        .updated = gm_column_i64(stmt, 4),
        .body = gm_column_text(stmt, 5),
    };
}

gm_rc gm_relationship_read(struct gm_relationship_reader *reader, const struct gm_twin *source,
                           struct gm_str id, struct gm_relationship *out_relationship,
                           struct gm_err *err)
{
    gm_reset(reader->one);
    gm_bind_i64(reader->one, 1, source->num);
    gm_bind_text(reader->one, 2, id);
    GM_TRY(gm_step(reader->one, err));
    *out_relationship = read_row(reader->one, source->num, source->id);
    return GM_OK;
}

static struct gm_str or_empty(struct gm_str text)
{
    return text.p != NULL ? text : GM_STR("");
}

gm_rc gm_relationships_out(struct gm_relationship_reader *reader,
                           const struct gm_relationships_page *page, struct gm_err *err)
{
    struct gm_stmt *stmt = reader->out_page;
    gm_rc rc;
    gm_bind_i64(stmt, 1, page->twin);
    gm_bind_text(stmt, 2, or_empty(page->after_id));
    gm_bind_text(stmt, 3, or_empty(page->name));
    gm_bind_i64(stmt, 4, (int64_t)page->count_max);
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        struct gm_relationship one = read_row(stmt, page->twin, page->id);
        if ((rc = page->fn(page->ctx, &one, err)) != GM_OK) {
            gm_reset(stmt);
            return rc;
        }
    }
    return rc == GM_E_END ? GM_OK : rc;
}

gm_rc gm_relationships_in(struct gm_relationship_reader *reader,
                          const struct gm_relationships_page *page, struct gm_err *err)
{
    struct gm_stmt *stmt = reader->in_page;
    gm_rc rc;
    gm_bind_i64(stmt, 1, page->twin);
    gm_bind_text(stmt, 2, or_empty(page->after_name));
    gm_bind_i64(stmt, 3, page->after_source);
    gm_bind_text(stmt, 4, or_empty(page->after_id));
    gm_bind_i64(stmt, 5, (int64_t)page->count_max);
    while ((rc = gm_step(stmt, err)) == GM_OK) {
        const struct gm_relationship one = {
            .id = gm_column_text(stmt, 0),
            .name = gm_column_text(stmt, 1),
            .source_id = gm_column_text(stmt, 2),
            .source = gm_column_i64(stmt, 3),
        };
        if ((rc = page->fn(page->ctx, &one, err)) != GM_OK) {
            gm_reset(stmt);
            return rc;
        }
    }
    return rc == GM_E_END ? GM_OK : rc;
}
