#include "view/cells.h"

#include <math.h>

#include "base/mem.h"
#include "base/num.h"
#include "json/json.h"

/* Latest values: kind, time, and what the kind needs. */
enum { LATEST_KIND, LATEST_TIME, LATEST_VALUE, LATEST_WORDS };

static inline double as_double(uint64_t word)
{
    double v;
    memcpy(&v, &word, sizeof(v));
    return v;
}

static inline uint64_t as_word(double v)
{
    uint64_t word;
    memcpy(&word, &v, sizeof(word));
    return word;
}

/* ---- layout ---- */

static uint8_t take(uint8_t *next, bool wanted, uint8_t words)
{
    uint8_t at = *next;
    *next = (uint8_t)(at + (wanted ? words : 0));
    return wanted ? at : GM_SLOT_NONE;
}

static uint8_t lay_out(struct gm_value_layout *value, unsigned aggregates)
{
    uint8_t next = 1; /* the count */
    value->sum = take(&next, (aggregates & GM_AGG_SUM) != 0, 1);
    value->mean = take(&next, (aggregates & (GM_AGG_MEAN | GM_AGG_STDDEV)) != 0, 2);
    value->min = take(&next, (aggregates & GM_AGG_MIN) != 0, 1);
    value->max = take(&next, (aggregates & GM_AGG_MAX) != 0, 1);
    value->first = take(&next, (aggregates & GM_AGG_FIRST) != 0, 2);
    value->last = take(&next, (aggregates & GM_AGG_LAST) != 0, 2);
    value->sketch = take(&next, (aggregates & GM_AGG_QUANTILES) != 0, 1);
    return next;
}

void gm_layout_init(struct gm_layout *layout, const struct gm_view_spec *spec)
{
    *layout = (struct gm_layout){.spec = spec};
    size_t words = 0;
    for (size_t i = 0; i < spec->value_count; i++) {
        layout->values[i].base = (uint16_t)words;
        words +=
            spec->size > 0 ? lay_out(&layout->values[i], spec->values[i].aggregates) : LATEST_WORDS;
        layout->owns = layout->owns || spec->size == 0 || layout->values[i].sketch != GM_SLOT_NONE;
    }
    layout->words = words + 1;
}

/* ---- latest values ---- */

static char *text_at(const uint64_t *words)
{
    return (char *)(uintptr_t)words[LATEST_VALUE];
}

static void clear_latest(uint64_t *words)
{
    if (words[LATEST_KIND] == GM_READING_TEXT) {
        gm_free(text_at(words));
    }
    memset(words, 0, LATEST_WORDS * sizeof(words[0]));
}

/* Cut between characters. */
static struct gm_str shorten(struct gm_str text)
{
    if (text.n > GM_VIEW_TEXT_SIZE_MAX) {
        text.n = GM_VIEW_TEXT_SIZE_MAX;
        while (text.n > 0 && ((unsigned char)text.p[text.n] & 0xc0) == 0x80) {
            text.n--;
        }
    }
    return text;
}

static void set_latest(uint64_t *words, const struct gm_reading *reading)
{
    clear_latest(words);
    words[LATEST_KIND] = reading->kind;
    words[LATEST_TIME] = (uint64_t)reading->time;
    switch (reading->kind) {
    case GM_READING_NUMBER:
        words[LATEST_VALUE] = as_word(reading->number);
        break;
    case GM_READING_INT:
    case GM_READING_BOOL:
        words[LATEST_VALUE] = (uint64_t)reading->integer;
        break;
    case GM_READING_TEXT:
        words[LATEST_VALUE] = (uint64_t)(uintptr_t)gm_str_dup_z(shorten(reading->text));
        break;
    case GM_READING_NONE:
    case GM_READING_NULL:
        break;
    }
}

static struct gm_reading latest_of(const uint64_t *words)
{
    struct gm_reading reading = {.kind = (enum gm_reading_kind)words[LATEST_KIND],
                                 .time = (gm_ns)words[LATEST_TIME],
                                 .number = as_double(words[LATEST_VALUE]),
                                 .integer = (int64_t)words[LATEST_VALUE]};
    if (reading.kind == GM_READING_TEXT) {
        reading.text = gm_str_z(text_at(words));
    }
    return reading;
}

/* The newest by its source's time; of equal times the one that came later. */
static void add_latest(uint64_t *words, const struct gm_reading *reading)
{
    if (reading->kind != GM_READING_NONE &&
        (words[LATEST_KIND] == GM_READING_NONE || reading->time >= (gm_ns)words[LATEST_TIME])) {
        set_latest(words, reading);
    }
}

/* ---- aggregates ---- */

static void add_number(const struct gm_value_layout *value, uint64_t *words,
                       const struct gm_reading *reading)
{
    double x = reading->number;
    uint64_t count = ++words[0];
    if (value->sum != GM_SLOT_NONE) {
        words[value->sum] = as_word(as_double(words[value->sum]) + x);
    }
    if (value->mean != GM_SLOT_NONE) {
        double mean = as_double(words[value->mean]), delta = x - mean;
        mean += delta / (double)count;
        words[value->mean] = as_word(mean);
        words[value->mean + 1] = as_word(as_double(words[value->mean + 1]) + delta * (x - mean));
    }
    if (value->min != GM_SLOT_NONE && (count == 1 || x < as_double(words[value->min]))) {
        words[value->min] = as_word(x);
    }
    if (value->max != GM_SLOT_NONE && (count == 1 || x > as_double(words[value->max]))) {
        words[value->max] = as_word(x);
    }
    if (value->first != GM_SLOT_NONE &&
        (count == 1 || reading->time < (gm_ns)words[value->first])) {
        words[value->first] = (uint64_t)reading->time;
        words[value->first + 1] = as_word(x);
    }
    if (value->last != GM_SLOT_NONE && (count == 1 || reading->time >= (gm_ns)words[value->last])) {
        words[value->last] = (uint64_t)reading->time;
        words[value->last + 1] = as_word(x);
    }
    if (value->sketch != GM_SLOT_NONE) {
        struct gm_sketch *sketch = (struct gm_sketch *)(uintptr_t)words[value->sketch];
        gm_sketch_add(&sketch, x);
        words[value->sketch] = (uint64_t)(uintptr_t)sketch;
    }
}

void gm_cell_add(const struct gm_layout *layout, uint64_t *cell, size_t index,
                 const struct gm_reading *reading)
{
    const struct gm_value_layout *value = &layout->values[index];
    if (layout->spec->size == 0) {
        add_latest(cell + value->base, reading);
    } else if (reading->kind == GM_READING_NUMBER || reading->kind == GM_READING_INT) {
        add_number(value, cell + value->base, reading);
    }
}

/* ---- merging ---- */

static void merge_mean(const struct gm_value_layout *value, uint64_t *into, const uint64_t *from)
{
    if (into[0] == 0) { /* not by the formula: b * n / n may be another number */
        memcpy(&into[value->mean], &from[value->mean], 2 * sizeof(into[0]));
        return;
    }
    double na = (double)into[0], nb = (double)from[0], n = na + nb;
    double a = as_double(into[value->mean]), b = as_double(from[value->mean]), delta = b - a;
    double m2 = as_double(into[value->mean + 1]) + as_double(from[value->mean + 1]) +
                delta * delta * na * nb / n;
    into[value->mean] = as_word(a + delta * nb / n);
    into[value->mean + 1] = as_word(m2);
}

static void merge_numbers(const struct gm_value_layout *value, uint64_t *into, const uint64_t *from)
{
    if (from[0] == 0) {
        return;
    }
    bool first = into[0] == 0;
    if (value->sum != GM_SLOT_NONE) {
        into[value->sum] = as_word(as_double(into[value->sum]) + as_double(from[value->sum]));
    }
    if (value->mean != GM_SLOT_NONE) {
        merge_mean(value, into, from);
    }
    if (value->min != GM_SLOT_NONE &&
        (first || as_double(from[value->min]) < as_double(into[value->min]))) {
        into[value->min] = from[value->min];
    }
    if (value->max != GM_SLOT_NONE &&
        (first || as_double(from[value->max]) > as_double(into[value->max]))) {
        into[value->max] = from[value->max];
    }
    if (value->first != GM_SLOT_NONE &&
        (first || (gm_ns)from[value->first] < (gm_ns)into[value->first])) {
        memcpy(&into[value->first], &from[value->first], 2 * sizeof(into[0]));
    }
    if (value->last != GM_SLOT_NONE &&
        (first || (gm_ns)from[value->last] >= (gm_ns)into[value->last])) {
        memcpy(&into[value->last], &from[value->last], 2 * sizeof(into[0]));
    }
    if (value->sketch != GM_SLOT_NONE) {
        struct gm_sketch *sketch = (struct gm_sketch *)(uintptr_t)into[value->sketch];
        gm_sketch_merge(&sketch, (const struct gm_sketch *)(uintptr_t)from[value->sketch]);
        into[value->sketch] = (uint64_t)(uintptr_t)sketch;
    }
    into[0] += from[0];
}

void gm_cell_merge(const struct gm_layout *layout, uint64_t *into, const uint64_t *from)
{
    for (size_t i = 0; i < layout->spec->value_count; i++) {
        const struct gm_value_layout *value = &layout->values[i];
        if (layout->spec->size > 0) {
            merge_numbers(value, into + value->base, from + value->base);
        } else {
            struct gm_reading reading = latest_of(from + value->base);
            add_latest(into + value->base, &reading);
        }
    }
    into[layout->words - 1] += from[layout->words - 1];
}

void gm_cell_deinit(const struct gm_layout *layout, uint64_t *cell)
{
    for (size_t i = 0; layout->owns && i < layout->spec->value_count; i++) {
        const struct gm_value_layout *value = &layout->values[i];
        if (layout->spec->size == 0) {
            clear_latest(cell + value->base);
        } else if (value->sketch != GM_SLOT_NONE) {
            gm_sketch_free((struct gm_sketch *)(uintptr_t)cell[value->base + value->sketch]);
        }
    }
    memset(cell, 0, layout->words * sizeof(cell[0]));
}

/* ---- bytes ---- */

static size_t plain_words(const struct gm_layout *layout, size_t index)
{
    size_t next =
        index + 1 < layout->spec->value_count ? layout->values[index + 1].base : layout->words - 1;
    return next - layout->values[index].base -
           (layout->values[index].sketch != GM_SLOT_NONE ? 1 : 0);
}

static void encode_latest(const uint64_t *words, struct gm_buf *out)
{
    struct gm_reading reading = latest_of(words);
    gm_buf_put_u8(out, (uint8_t)reading.kind);
    if (reading.kind == GM_READING_NONE) {
        return;
    }
    gm_buf_put_u64(out, words[LATEST_TIME]);
    if (reading.kind == GM_READING_TEXT) {
        gm_buf_put_bytes(out, reading.text);
    } else {
        gm_buf_put_u64(out, words[LATEST_VALUE]);
    }
}

/* corrections; then per value the count and, when there are any, its words and its sketch; of
 * latest values kind, time and value */
void gm_cell_encode(const struct gm_layout *layout, const uint64_t *cell, struct gm_buf *out)
{
    gm_buf_put_varint(out, cell[layout->words - 1]);
    for (size_t i = 0; i < layout->spec->value_count; i++) {
        const struct gm_value_layout *value = &layout->values[i];
        const uint64_t *words = cell + value->base;
        if (layout->spec->size == 0) {
            encode_latest(words, out);
            continue;
        }
        gm_buf_put_varint(out, words[0]);
        size_t n = words[0] > 0 ? plain_words(layout, i) : 0;
        for (size_t w = 1; w < n; w++) {
            gm_buf_put_u64(out, words[w]);
        }
        if (n > 0 && value->sketch != GM_SLOT_NONE) {
            gm_sketch_encode((const struct gm_sketch *)(uintptr_t)words[value->sketch], out);
        }
    }
}

static bool decode_latest(struct gm_reader *reader, uint64_t *words)
{
    uint8_t kind = gm_read_u8(reader);
    if (kind > GM_READING_TEXT || reader->bad) {
        return false;
    }
    if (kind == GM_READING_NONE) {
        return true;
    }
    struct gm_reading reading = {.kind = (enum gm_reading_kind)kind,
                                 .time = (gm_ns)gm_read_u64(reader)};
    if (kind == GM_READING_TEXT) {
        reading.text = gm_read_bytes(reader);
    } else {
        uint64_t word = gm_read_u64(reader);
        reading.integer = (int64_t)word;
        reading.number = as_double(word);
    }
    if (!reader->bad) {
        set_latest(words, &reading);
    }
    return !reader->bad;
}

bool gm_cell_decode(const struct gm_layout *layout, struct gm_str bytes, uint64_t *cell)
{
    struct gm_reader reader;
    gm_reader_init(&reader, bytes);
    cell[layout->words - 1] = gm_read_varint(&reader);
    bool fine = true;
    for (size_t i = 0; i < layout->spec->value_count && fine; i++) {
        const struct gm_value_layout *value = &layout->values[i];
        uint64_t *words = cell + value->base;
        if (layout->spec->size == 0) {
            fine = decode_latest(&reader, words);
            continue;
        }
        words[0] = gm_read_varint(&reader);
        size_t n = words[0] > 0 ? plain_words(layout, i) : 0;
        for (size_t w = 1; w < n; w++) {
            words[w] = gm_read_u64(&reader);
        }
        if (n > 0 && value->sketch != GM_SLOT_NONE) {
            struct gm_sketch *sketch = NULL;
            fine = gm_sketch_decode(&reader, &sketch);
            words[value->sketch] = (uint64_t)(uintptr_t)sketch;
        }
        fine = fine && !reader.bad;
    }
    if (!fine || reader.p != reader.end) {
        gm_cell_deinit(layout, cell);
        return false;
    }
    return true;
}

/* ---- JSON ---- */

static void write_number(struct gm_buf *out, double v)
{
    char text[GM_NUM_TEXT_SIZE];
    if (isfinite(v)) {
        gm_buf_add(out, (struct gm_str){text, gm_format_double(v, text)});
    } else {
        gm_buf_add_z(out, "null");
    }
}

static void write_member(struct gm_buf *out, bool *first, const char *name_z, double v)
{
    gm_buf_addf(out, "%s\"%s\":", *first ? "" : ",", name_z);
    *first = false;
    write_number(out, v);
}

static void write_quantiles(const struct gm_layout *layout, size_t index,
                            const struct gm_sketch *sketch, struct gm_buf *out, bool *first)
{
    unsigned shown = layout->spec->values[index].quantiles;
    for (size_t i = 0; i < layout->spec->quantile_count; i++) {
        if (shown != 0 && (shown >> i & 1) == 0) {
            continue;
        }
        char name[GM_NUM_TEXT_SIZE + 1] = "p";
        /* 7 / 100 * 100 is not 7: what is read as a percentage is shown as it was written. */
        double percent = round(layout->spec->quantiles[i] * 1e11) / 1e9;
        size_t n = gm_format_double(percent, name + 1);
        name[n + 1] = '\0';
        char *point = strstr(name, ".0"); /* p99, p99.9 */
        if (point != NULL && point[2] == '\0') {
            *point = '\0';
        }
        write_member(out, first, name, gm_sketch_quantile(sketch, layout->spec->quantiles[i]));
    }
}

static void write_aggregates(const struct gm_layout *layout, size_t index, const uint64_t *words,
                             struct gm_buf *out)
{
    const struct gm_value_layout *value = &layout->values[index];
    unsigned wanted = layout->spec->values[index].aggregates;
    bool first = true;
    if ((wanted & GM_AGG_COUNT) != 0 || words[0] == 0) {
        gm_buf_addf(out, "\"count\":%llu", (unsigned long long)words[0]);
        first = false;
    }
    if (words[0] == 0) {
        return;
    }
    if ((wanted & GM_AGG_SUM) != 0) {
        write_member(out, &first, "sum", as_double(words[value->sum]));
    }
    if ((wanted & GM_AGG_MEAN) != 0) {
        write_member(out, &first, "mean", as_double(words[value->mean]));
    }
    if ((wanted & GM_AGG_MIN) != 0) {
        write_member(out, &first, "min", as_double(words[value->min]));
    }
    if ((wanted & GM_AGG_MAX) != 0) {
        write_member(out, &first, "max", as_double(words[value->max]));
    }
    if ((wanted & GM_AGG_STDDEV) != 0) {
        write_member(out, &first, "stddev",
                     sqrt(as_double(words[value->mean + 1]) / (double)words[0]));
    }
    if ((wanted & GM_AGG_FIRST) != 0) {
        write_member(out, &first, "first", as_double(words[value->first + 1]));
    }
    if ((wanted & GM_AGG_LAST) != 0) {
        write_member(out, &first, "last", as_double(words[value->last + 1]));
    }
    if (value->sketch != GM_SLOT_NONE) {
        write_quantiles(layout, index, (const struct gm_sketch *)(uintptr_t)words[value->sketch],
                        out, &first);
    }
}

static void write_latest(const uint64_t *words, struct gm_buf *out)
{
    struct gm_reading reading = latest_of(words);
    char time[GM_TIME_TEXT_SIZE];
    gm_buf_add_z(out, "\"value\":");
    switch (reading.kind) {
    case GM_READING_NUMBER:
        write_number(out, reading.number);
        break;
    case GM_READING_INT:
        gm_buf_addf(out, "%lld", (long long)reading.integer);
        break;
    case GM_READING_BOOL:
        gm_buf_add_z(out, reading.integer != 0 ? "true" : "false");
        break;
    case GM_READING_TEXT:
        gm_json_quote(out, reading.text);
        break;
    case GM_READING_NONE:
    case GM_READING_NULL:
        gm_buf_add_z(out, "null");
        break;
    }
    (void)gm_time_format_short(reading.time, time);
    gm_buf_addf(out, ",\"time\":\"%s\"", time);
}

void gm_cell_write_json(const struct gm_layout *layout, const uint64_t *cell, struct gm_buf *out)
{
    for (size_t i = 0; i < layout->spec->value_count; i++) {
        const uint64_t *words = cell + layout->values[i].base;
        if (layout->spec->size == 0 && words[LATEST_KIND] == GM_READING_NONE) {
            continue;
        }
        gm_buf_add_char(out, ',');
        gm_json_quote(out, layout->spec->values[i].name);
        gm_buf_add_z(out, ":{");
        if (layout->spec->size == 0) {
            write_latest(words, out);
        } else {
            write_aggregates(layout, i, words, out);
        }
        gm_buf_add_char(out, '}');
    }
}
