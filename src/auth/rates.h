/* How fast each may ask: a token bucket for each name. Internal to auth/.
 *
 *     struct gm_rates *rates = gm_rates_new(100, 20);
 *     int64_t wait_s = gm_rates_take(rates, "erp", now);   // 0: go on
 *
 * The longest known name makes room when there are too many. Thread rule: one owner at a time. */
#ifndef GM_AUTH_RATES_H
#define GM_AUTH_RATES_H

#include "base/time.h"

enum { GM_RATES_MAX = 4096 };

struct gm_rates;
/* `burst` is at least 1. */
struct gm_rates *gm_rates_new(double per_second, double burst);
void gm_rates_free(struct gm_rates *rates); /* NULL is fine */
/* `now`: monotonic. 0, or the seconds until there is room for one, rounded up. */
int64_t gm_rates_take(struct gm_rates *rates, const char *name_z, gm_ns now);

#endif
