/* Event routes as commands show them. */
#ifndef GM_CLI_ROUTES_TABLE_H
#define GM_CLI_ROUTES_TABLE_H

#include "base/buf.h"
#include "db/db.h"

/* An array, each as gm_event_route_write_json has it. */
gm_rc gm_routes_write_json(struct gm_db *db, struct gm_buf *out, struct gm_err *err) GM_MUST_CHECK;
/* For people; *out_count: how many there are (none: nothing is printed). */
gm_rc gm_routes_print(struct gm_db *db, size_t *out_count, struct gm_err *err) GM_MUST_CHECK;

#endif
