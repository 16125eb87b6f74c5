/* PostgreSQL's texts and codes, without its client library: what an SQLSTATE means to the caller,
 * and values in text form. Internal to this folder. */
#ifndef GM_DB_PG_TEXT_H
#define GM_DB_PG_TEXT_H

#include <stdint.h>

#include "db/db.h"

/* Type numbers that are fixed in every server (catalog/pg_type.dat). */
enum gm_pg_type {
    GM_PG_BOOL = 16,
    GM_PG_BYTEA = 17,
    GM_PG_NAME = 19,
    GM_PG_INT8 = 20,
    GM_PG_INT2 = 21,
    GM_PG_INT4 = 23,
    GM_PG_TEXT = 25,
    GM_PG_OID = 26,
    GM_PG_JSON = 114,
    GM_PG_XML = 142,
    GM_PG_FLOAT4 = 700,
    GM_PG_FLOAT8 = 701,
    GM_PG_UNKNOWN = 705,
    GM_PG_BPCHAR = 1042,
    GM_PG_VARCHAR = 1043,
    GM_PG_JSONB = 3802,
};

/* `state` is five characters (https://www.postgresql.org/docs/15/errcodes-appendix.html). */
gm_rc gm_pg_classify(const char *state);
/* Finds the SQLSTATE that verbose messages carry ("FATAL:  28P01: …"); NULL: none. Points into the
 * message. */
const char *gm_pg_find_state(const char *message_z);
/* One line for people: without the severity and state in front, and without what follows the first
 * line. */
struct gm_str gm_pg_first_line(const char *message_z);

enum gm_column_type gm_pg_column_type(unsigned type);
/* True for types whose binary form is their text: parameters go without a copy and may have any
 * length. */
bool gm_pg_is_text(unsigned type);

/* Values in text form; what is not a number is 0, as in SQLite. */
int64_t gm_pg_i64(struct gm_str text);
double gm_pg_double(struct gm_str text);
/* Decodes bytea's `\x…` in place and returns the number of bytes. */
size_t gm_pg_unhex(char *p, size_t n);

#endif
