#include "view/sketch.h"

#include <math.h>

#include "base/mem.h"

/* gamma = (1 + error) / (1 - error); a bucket i holds the sizes in (gamma^(i-1), gamma^i]. */
#define RELATIVE_ERROR 0.01
#define SMALLEST 1e-9

enum { ZERO_BUCKET = INT32_MIN, FIRST_CAPACITY = 8 };

/* Sorted by value: negative ones from the largest size down, zero, positive ones up. */
struct bucket {
    int32_t sign; /* -1, 0, 1 */
    int32_t index;
    uint64_t count;
};
struct gm_sketch {
    uint32_t n, capacity;
    uint64_t total;
    struct bucket buckets[];
};

static double gamma_log(void)
{
    return log1p(2 * RELATIVE_ERROR / (1 - RELATIVE_ERROR));
}

static struct bucket bucket_of(double value)
{
    double size = fabs(value);
    if (!(size >= SMALLEST)) {
        return (struct bucket){0, ZERO_BUCKET, 0};
    }
    return (struct bucket){value < 0 ? -1 : 1, (int32_t)ceil(log(size) / gamma_log()), 0};
}

static int compare(const struct bucket *a, const struct bucket *b)
{
    if (a->sign != b->sign) {
        return a->sign < b->sign ? -1 : 1;
    }
    if (a->index == b->index) {
        return 0;
    }
    return (a->index < b->index) == (a->sign >= 0) ? -1 : 1;
}

/* Where the bucket is, or belongs. */
static uint32_t find(const struct gm_sketch *sketch, const struct bucket *bucket)
{
    uint32_t low = 0, high = sketch->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(&sketch->buckets[middle], bucket) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static size_t size_of(uint32_t capacity)
{
    return sizeof(struct gm_sketch) + capacity * sizeof(struct bucket);
}

static void make_room(struct gm_sketch **sketch)
{
    struct gm_sketch *old = *sketch;
    if (old != NULL && old->n < old->capacity) {
        return;
    }
    uint32_t capacity = old != NULL ? 2 * old->capacity : FIRST_CAPACITY;
    struct gm_sketch *larger = gm_alloc(size_of(capacity));
    if (old != NULL) {
        memcpy(larger, old, size_of(old->n));
    }
    larger->capacity = capacity;
    gm_free(old);
    *sketch = larger;
}

/* Joins the two buckets of the smallest sizes: of the sign that has more of them. */
static void join_smallest(struct gm_sketch *sketch)
{
    uint32_t negatives = 0;
    while (negatives < sketch->n && sketch->buckets[negatives].sign < 0) {
        negatives++;
    }
    uint32_t first_positive = negatives;
    while (first_positive < sketch->n && sketch->buckets[first_positive].sign == 0) {
        first_positive++;
    }
    bool negative = negatives > sketch->n - first_positive;
    uint32_t kept = negative ? negatives - 2 : first_positive + 1;
    uint32_t gone = negative ? negatives - 1 : first_positive;
    sketch->buckets[kept].count += sketch->buckets[gone].count;
    memmove(&sketch->buckets[gone], &sketch->buckets[gone + 1],
            (sketch->n - gone - 1) * sizeof(sketch->buckets[0]));
    sketch->n--;
}

static void add_count(struct gm_sketch **sketch, struct bucket bucket, uint64_t count)
{
    make_room(sketch);
    struct gm_sketch *s = *sketch;
    uint32_t at = find(s, &bucket);
    s->total += count;
    if (at < s->n && compare(&s->buckets[at], &bucket) == 0) {
        s->buckets[at].count += count;
        return;
    }
    memmove(&s->buckets[at + 1], &s->buckets[at], (s->n - at) * sizeof(s->buckets[0]));
    bucket.count = count;
    s->buckets[at] = bucket;
    s->n++;
    if (s->n > GM_SKETCH_BUCKETS_MAX) {
        join_smallest(s);
    }
}

void gm_sketch_add(struct gm_sketch **sketch, double value)
{
    add_count(sketch, bucket_of(value), 1);
}

void gm_sketch_merge(struct gm_sketch **sketch, const struct gm_sketch *other)
{
    for (uint32_t i = 0; other != NULL && i < other->n; i++) {
        add_count(sketch, other->buckets[i], other->buckets[i].count);
    }
}

void gm_sketch_free(struct gm_sketch *sketch)
{
    gm_free(sketch);
}

/* The middle of a bucket in the sense of relative error: 2 gamma^i / (gamma + 1). */
static double value_of(const struct bucket *bucket)
{
    if (bucket->sign == 0) {
        return 0;
    }
    double gamma = exp(gamma_log());
    return bucket->sign * 2 * exp(bucket->index * gamma_log()) / (gamma + 1);
}

double gm_sketch_quantile(const struct gm_sketch *sketch, double quantile)
{
    double rank = quantile * (double)(sketch->total - 1);
    uint64_t seen = 0;
    for (uint32_t i = 0; i < sketch->n; i++) {
        seen += sketch->buckets[i].count;
        if ((double)seen > rank) {
            return value_of(&sketch->buckets[i]);
        }
    }
    return value_of(&sketch->buckets[sketch->n - 1]);
}

/* number of buckets; then sign, index and count of each */
void gm_sketch_encode(const struct gm_sketch *sketch, struct gm_buf *out)
{
    uint32_t n = sketch != NULL ? sketch->n : 0;
    gm_buf_put_varint(out, n);
    for (uint32_t i = 0; i < n; i++) {
        gm_buf_put_zigzag(out, sketch->buckets[i].sign);
        gm_buf_put_zigzag(out, sketch->buckets[i].index);
        gm_buf_put_varint(out, sketch->buckets[i].count);
    }
}

bool gm_sketch_decode(struct gm_reader *reader, struct gm_sketch **out_sketch)
{
    uint64_t n = gm_read_varint(reader);
    struct gm_sketch *sketch = NULL;
    for (uint64_t i = 0; i < n && n <= GM_SKETCH_BUCKETS_MAX && !reader->bad; i++) {
        struct bucket bucket = {.sign = (int32_t)gm_read_zigzag(reader),
                                .index = (int32_t)gm_read_zigzag(reader)};
        uint64_t count = gm_read_varint(reader);
        if (!reader->bad && bucket.sign >= -1 && bucket.sign <= 1) {
            add_count(&sketch, bucket, count);
        }
    }
    if (reader->bad || n > GM_SKETCH_BUCKETS_MAX) {
        gm_sketch_free(sketch);
        return false;
    }
    *out_sketch = sketch;
    return true;
}
