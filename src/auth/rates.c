#include "auth/rates.h"

#include "base/map.h"
#include "base/mem.h"

struct bucket {
    char *name_z;
    double level; /* requests that may come now */
    gm_ns at;     /* when that was so */
};

struct gm_rates {
    double per_second, burst;
    struct gm_map *by_name; /* → index */
    size_t next;            /* the bucket to be used anew */
    struct bucket buckets[GM_RATES_MAX];
};

struct gm_rates *gm_rates_new(double per_second, double burst)
{
    struct gm_rates *rates = gm_alloc(sizeof(*rates));
    rates->per_second = per_second;
    rates->burst = burst;
    rates->by_name = gm_map_new();
    return rates;
}

void gm_rates_free(struct gm_rates *rates)
{
    if (rates == NULL) {
        return;
    }
    for (size_t i = 0; i < GM_RATES_MAX; i++) {
        gm_free(rates->buckets[i].name_z);
    }
    gm_map_free(rates->by_name);
    gm_free(rates);
}

static struct bucket *find(struct gm_rates *rates, const char *name_z, gm_ns now)
{
    uint64_t index;
    if (gm_map_get(rates->by_name, gm_str_z(name_z), &index)) {
        return &rates->buckets[index];
    }
    struct bucket *bucket = &rates->buckets[rates->next];
    if (bucket->name_z != NULL) {
        (void)gm_map_remove(rates->by_name, gm_str_z(bucket->name_z));
        gm_free(bucket->name_z);
    }
    *bucket = (struct bucket){gm_strdup_z(name_z), rates->burst, now};
    (void)gm_map_set(rates->by_name, gm_str_z(name_z), rates->next);
    rates->next = (rates->next + 1) % GM_RATES_MAX;
    return bucket;
}

int64_t gm_rates_take(struct gm_rates *rates, const char *name_z, gm_ns now)
{
    struct bucket *bucket = find(rates, name_z, now);
    double level =
        bucket->level + (double)(now - bucket->at) / (double)GM_SECOND * rates->per_second;
    bucket->level = level < rates->burst ? level : rates->burst;
    bucket->at = now;
    if (bucket->level >= 1) {
        bucket->level -= 1;
        return 0;
    }
    double wait = (1 - bucket->level) / rates->per_second;
    int64_t whole = (int64_t)wait;
    return whole + ((double)whole < wait || whole == 0);
}
