/* The admin API's routes: a table that requests are matched against, and that the reference page is
 * made of.
 *
 *     const struct gm_route *route;
 *     for (route = gm_admin_routes(); route->method_z != NULL; route++) { … }
 */
#ifndef GM_API_ROUTES_H
#define GM_API_ROUTES_H

#include "base/status.h"
#include "base/str.h"

/* Operations that wait for their pipeline, or work on it, at the same time: fewer than there are
 * connections, so that looking goes on. */
enum { GM_OPERATIONS_MAX = 16 };

struct gm_route_field {
    const char *name_z; /* NULL ends the list */
    const char *help_z;
};

struct gm_call;
struct gm_route {
    const char *method_z; /* "GET": free; "POST": wants the token. NULL ends the table */
    /* "/runs/{num}/approve": at most one part in braces, which stands for any one segment */
    const char *path_z;
    const char *help_z;                 /* what it does and answers */
    const struct gm_route_field *query; /* NULL: none, and what is sent is passed over */
    /* members of the JSON object that may be sent; NULL: none */
    const struct gm_route_field *body;
    const char *answer_z; /* an example; NULL: none */
    gm_rc (*handle)(struct gm_call *call, struct gm_err *err);
};
const struct gm_route *gm_admin_routes(void);
/* `body` of a route whose body is no JSON object, but what the handler makes of it. */
extern const struct gm_route_field gm_route_raw_body[];

/* What became of matching. */
enum gm_route_match { GM_ROUTE_FOUND, GM_ROUTE_NO_PATH, GM_ROUTE_NO_METHOD };
/* *out_part is the segment that stands for the part in braces, as it was sent; of NO_METHOD
 * *out_route is one with the path. */
enum gm_route_match gm_route_find(const char *method_z, const char *path_z,
                                  const struct gm_route **out_route, struct gm_str *out_part);

#endif
