/* A source connector under test, configured by YAML as a user would, in a temporary folder.
 *
 *     struct source *source = source_new("csv", "{ path: a.csv, key: id }");
 *     tmp_write(source->tmp, "a.csv", GM_STR("id\n1\n"));
 *     source_connect_ok(source, "");
 *     check_rc(source_read_all(source), GM_E_END, source->err);
 *     check_rows(source, "1 {\"id\":\"1\"}\n");
 *     source_free(source);
 *
 * Thread rule: one thread. */
#ifndef GM_TESTS_SUPPORT_SOURCE_H
#define GM_TESTS_SUPPORT_SOURCE_H

#include "base/vec.h"
#include "connect/connector.h"
#include "support/check.h"
#include "support/tmp.h"

struct source_row {
    char *key_z;
    char *origin_z;
    char *json_z;  /* canonical */
    char *error_z; /* NULL: none */
    gm_rc rc;
    uint64_t position;
    int64_t version;
    struct gm_hash128 hash;
};

struct source {
    struct tmp *tmp;
    struct gm_conf_doc *doc;
    const struct gm_connector *connector;
    void *conf;
    void *self;
    struct gm_connect_env env;
    struct gm_clock clock; /* wall time stands still */
    gm_ns now;
    struct gm_stop *stop;
    struct gm_deadline deadline; /* of reads; none */
    struct gm_batch *batch;
    struct gm_pass pass;
    struct gm_err err;
    GM_VEC(struct source_row) rows; /* of all reads since the last connect */
    size_t batches;
    uint64_t bytes_read;
    char *cursor_z;             /* of the last batch */
    char *first_batch_cursor_z; /* of the first one */
};

/* Configured and opened; `settings_z` is YAML. Relative paths are in source->tmp. */
struct source *source_new(const char *connector_z, const char *settings_z);
/* With the content of the file a.CONNECTOR. */
struct source *source_of(const char *connector_z, const char *settings_z, const char *content_z);
/* In a folder that is there already and stays. */
struct source *source_new_in(struct tmp *tmp, const char *connector_z, const char *settings_z);
void source_free(struct source *source);
/* With its folder: of source_new and source_of. */
void source_end(struct source *source);

/* What linting says, with "FILE:" cut off; the text lives until the next call. */
const char *source_lint(const char *connector_z, const char *settings_z);

gm_rc source_connect(struct source *source, const char *cursor_z);
void source_connect_ok(struct source *source, const char *cursor_z);
/* One batch into rows. */
gm_rc source_read(struct source *source);
/* Until something else than GM_OK comes. */
gm_rc source_read_all(struct source *source);
/* A whole pass that succeeds, with its acknowledgement. */
void source_pass(struct source *source, const char *cursor_z);

/* "KEY JSON" or "KEY !error" a line. */
#define check_rows(source, expected_z) check_rows_at((source), (expected_z), CHECK_PLACE("rows"))
void check_rows_at(struct source *source, const char *expected_z, const struct check_place *place);

/* A whole pass reads these rows; or connecting or reading fails so. Both end the source. */
void source_expect_rows(struct source *source, const char *rows_z);
void source_expect_broken(struct source *source, gm_rc rc, const char *says_z);

#endif
