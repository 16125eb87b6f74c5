#include "api/routes.h"

#include "api/call.h"

static const struct gm_route routes[] = {
    {"GET", "/health", "200 while the process lives.", NULL, NULL, "{\"status\":\"up\"}", gm_admin_health},
    {"GET", "/metrics", "The [metrics](metrics.md) in Prometheus' text format.", NULL, NULL, NULL, gm_admin_metrics},
    {0},
};

const struct gm_route *gm_admin_routes(void)
{
    return routes;
}

static bool path_fits(struct gm_str pattern, struct gm_str path, struct gm_str *out_part)
{
    struct gm_str wanted, got;
    *out_part = (struct gm_str){NULL, 0};
    while (pattern.n > 0 && path.n > 0) {
        (void)gm_str_cut(pattern, '/', &wanted, &pattern);
        (void)gm_str_cut(path, '/', &got, &path);
        if (wanted.n > 0 && wanted.p[0] == '{' && got.n > 0) {
            *out_part = got;
        } else if (!gm_str_eq(wanted, got)) {
            return false;
        }
    }
    return pattern.n == 0 && path.n == 0;
}

enum gm_route_match gm_route_find(const char *method_z, const char *path_z, const struct gm_route **out_route,
                                  struct gm_str *out_part)
{
    enum gm_route_match match = GM_ROUTE_NO_PATH;
    struct gm_str part;
    for (const struct gm_route *route = routes; route->method_z != NULL; route++) {
        if (!path_fits(gm_str_z(route->path_z), gm_str_z(path_z), &part)) {
            continue;
        }
        *out_route = route;
        *out_part = part;
        if (strcmp(route->method_z, method_z) == 0) {
            return GM_ROUTE_FOUND;
        }
        match = GM_ROUTE_NO_METHOD;
    }
    return match;
}
