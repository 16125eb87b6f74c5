/* Reading relationships: one, and pages of those that go out from a twin or lead to it.
 *
 *     struct gm_relationship_reader *reader;
 *     GM_TRY(gm_relationship_reader_open(db, &reader, err));
 *     rc = gm_relationship_read(reader, &twin, GM_STR("r1"), &relationship, err);
 *     struct gm_relationships_page page = {.twin = twin.num, .count_max = 100, .fn = add};
 *     GM_TRY(gm_relationships_out(reader, &page, err));
 *     gm_relationship_reader_close(reader);
 *
 * Pages go by keys, so that what is written meanwhile neither repeats nor hides what stays:
 * outgoing relationships come in order of their ids, incoming ones in order of name, source and id.
 *
 * Thread rule: the connection's thread. */
#ifndef GM_TWIN_RELATIONSHIPS_H
#define GM_TWIN_RELATIONSHIPS_H

#include "twin/graph.h"
#include "twin/twin_json.h"

struct gm_relationship_reader;
gm_rc gm_relationship_reader_open(struct gm_db *db, struct gm_relationship_reader **out_reader,
                                  struct gm_err *err) GM_MUST_CHECK;
void gm_relationship_reader_close(struct gm_relationship_reader *reader); /* NULL is fine */
/* As gm_twin_reader_reset. */
void gm_relationship_reader_reset(struct gm_relationship_reader *reader);

/* Texts borrow until the next call, source_id from `source`. GM_E_END: there is none of that id. */
gm_rc gm_relationship_read(struct gm_relationship_reader *reader, const struct gm_twin *source,
                           struct gm_str id, struct gm_relationship *out_relationship,
                           struct gm_err *err) GM_MUST_CHECK;

/* Texts borrow for the call; of incoming ones only source, source_id, id and name are set. Anything
 * but GM_OK ends the page with that. */
typedef gm_rc (*gm_relationship_fn)(void *ctx, const struct gm_relationship *relationship,
                                    struct gm_err *err);
struct gm_relationships_page {
    int64_t twin;     /* number */
    struct gm_str id; /* of the twin: source_id of what goes out */
    size_t count_max; /* at least 1 */
    /* behind this one; p NULL: from the start. Of outgoing ones the id alone counts. */
    struct gm_str after_id, after_name;
    int64_t after_source;
    struct gm_str name; /* outgoing: only of this name; n 0: any */
    gm_relationship_fn fn;
    void *ctx;
};
gm_rc gm_relationships_out(struct gm_relationship_reader *reader,
                           const struct gm_relationships_page *page, struct gm_err *err)
    GM_MUST_CHECK;
gm_rc gm_relationships_in(struct gm_relationship_reader *reader,
                          const struct gm_relationships_page *page, struct gm_err *err)
    GM_MUST_CHECK;

#endif
