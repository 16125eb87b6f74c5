/* Values and lines into events. See decode.h. */
#include "hub/decode.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "hub/inside.h"
#include "hub/template.h"
#include "stream/entity.h"
#include "json/json.h"

enum {
    SCRATCH_SIZE_MAX = 64 << 20, /* for values of GM_EVENT_BODY_SIZE_MAX, however they are made */
};

struct gm_decoder {
    struct gm_arena *arena; /* of literals */
    struct gm_pattern key, type, origin, id;
    struct gm_path time, sequence; /* count 0: none */
    /* looked at when nothing else is known */
    struct gm_path key_default, time_default, type_default;
    gm_ns unit;
    struct gm_event_types *types; /* NULL: any */
    bool merges;                  /* bodies become states */
};

/* ---- what is configured ---- */

static gm_rc parse_path(const char *name_z, const char *text_z, struct gm_path *out,
                        struct gm_err *err)
{
    if (text_z == NULL || gm_path_parse(gm_str_z(text_z), out, err) == GM_OK) {
        return GM_OK;
    }
    return gm_fail_within(err, "`%s`", name_z);
}

static gm_rc compile(struct gm_decoder *decoder, const struct gm_stream_conf *conf,
                     struct gm_err *err)
{
    static const gm_ns units[] = {[GM_TIME_SECONDS] = GM_SECOND,
                                  [GM_TIME_MILLIS] = GM_MS,
                                  [GM_TIME_MICROS] = GM_US,
                                  [GM_TIME_NANOS] = GM_NS};
    decoder->unit = units[conf->time_unit];
    decoder->merges = conf->state == GM_STREAM_STATE_MERGE;
    GM_TRY(gm_hub_template_parse(decoder->arena, "key", conf->key, &decoder->key, err));
    GM_TRY(gm_hub_template_parse(decoder->arena, "type", conf->type, &decoder->type, err));
    GM_TRY(gm_hub_template_parse(decoder->arena, "origin", conf->origin, &decoder->origin, err));
    GM_TRY(gm_hub_template_parse(decoder->arena, "id", conf->id, &decoder->id, err));
    GM_TRY(parse_path("time", conf->time, &decoder->time, err));
    GM_TRY(parse_path("sequence", conf->sequence, &decoder->sequence, err));
    GM_TRY(parse_path("key", conf->key == NULL ? "key" : NULL, &decoder->key_default, err));
    GM_TRY(parse_path("time", conf->time == NULL ? "time" : NULL, &decoder->time_default, err));
    GM_TRY(parse_path("type", conf->type == NULL ? "type" : NULL, &decoder->type_default, err));
    return gm_event_types_new(&conf->types, &decoder->types, err);
}

gm_rc gm_decoder_new(const struct gm_stream_conf *conf, struct gm_decoder **out_decoder,
                     struct gm_err *err)
{
    enum { LITERALS_SIZE_MAX = 64 << 10 };
    struct gm_decoder *decoder = gm_alloc(sizeof(*decoder));
    decoder->arena = gm_arena_new(LITERALS_SIZE_MAX);
    gm_rc rc = compile(decoder, conf, err);
    if (rc != GM_OK) {
        gm_decoder_free(decoder);
        return rc;
    }
    *out_decoder = decoder;
    return GM_OK;
}

void gm_decoder_free(struct gm_decoder *decoder)
{
    if (decoder != NULL) {
        gm_event_types_free(decoder->types);
        gm_arena_free(decoder->arena);
        gm_free(decoder);
    }
}

/* ---- what was decoded ---- */

struct gm_decoded *gm_decoded_new(size_t texts_size_max)
{
    struct gm_decoded *decoded = gm_alloc(sizeof(*decoded));
    decoded->arena = gm_arena_new(texts_size_max);
    gm_buf_init(&decoded->scratch_, SCRATCH_SIZE_MAX);
    return decoded;
}

void gm_decoded_free(struct gm_decoded *decoded)
{
    if (decoded != NULL) {
        gm_arena_free(decoded->arena);
        gm_vec_deinit(&decoded->events);
        gm_vec_deinit(&decoded->numbers);
        gm_vec_deinit(&decoded->wrong);
        gm_buf_deinit(&decoded->scratch_);
        gm_free(decoded);
    }
}

void gm_decoded_reset(struct gm_decoded *decoded)
{
    gm_arena_reset(decoded->arena);
    decoded->events.n = 0;
    decoded->numbers.n = 0;
    decoded->wrong.n = 0;
    decoded->wrong_count = 0;
    decoded->known = NULL;
}

void gm_decoded_refuse(struct gm_decoded *decoded, size_t number, const char *fmt, ...)
{
    struct gm_err text;
    va_list args;
    decoded->wrong_count++;
    if (decoded->wrong.n == GM_DECODE_WRONG_MAX) {
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(text.text, sizeof(text.text), fmt, args);
    va_end(args);
    struct gm_wrong *wrong = gm_vec_push(&decoded->wrong);
    wrong->number = number;
    wrong->reason = gm_arena_dup(decoded->arena, gm_str_z(text.text));
}

/* ---- reading values ---- */

/* A string without escapes stands in the input as it is, at the place where the reader has it in
 * its copy. */
struct gm_str gm_value_keep(struct gm_decoded *decoded, const struct gm_value *value,
                            yyjson_val *string)
{
    struct gm_str text = {unsafe_yyjson_get_str(string), unsafe_yyjson_get_len(string)};
    size_t at = (size_t)(text.p - value->doc->str_pool);
    if (at <= value->text.n && text.n <= value->text.n - at &&
        memcmp(value->text.p + at, text.p, text.n) == 0) {
        return (struct gm_str){value->text.p + at, text.n};
    }
    return gm_arena_dup(decoded->arena, text);
}

static yyjson_doc *read_json(struct gm_decoded *decoded, struct gm_str text,
                             yyjson_read_err *out_err)
{
    yyjson_alc pool;
    size_t size = yyjson_read_max_memory_usage(text.n, YYJSON_READ_NOFLAG);
    gm_buf_reset(&decoded->scratch_);
    char *scratch = gm_buf_reserve(&decoded->scratch_, size);
    if (scratch == NULL || !yyjson_alc_pool_init(&pool, scratch, size)) {
        *out_err = (yyjson_read_err){YYJSON_READ_ERROR_MEMORY_ALLOCATION, "it is too large", 0};
        return NULL;
    }
    /* the reader changes nothing without YYJSON_READ_INSITU, but is not declared so */
    union {
        const char *in;
        char *p;
    } bytes = {.in = text.p};
    return yyjson_read_opts(bytes.p, text.n, YYJSON_READ_NOFLAG, &pool, out_err);
}

bool gm_value_read(struct gm_decoded *decoded, struct gm_str text, size_t number,
                   struct gm_value *out_value)
{
    yyjson_read_err err = {0};
    if (text.n > GM_EVENT_BODY_SIZE_MAX) {
        gm_decoded_refuse(decoded, number, "it has %zu bytes; %d are allowed", text.n,
                          GM_EVENT_BODY_SIZE_MAX);
        return false;
    }
    yyjson_doc *doc = text.n > 0 ? read_json(decoded, text, &err) : NULL;
    if (doc == NULL) {
        gm_decoded_refuse(decoded, number, "no JSON: byte %zu: %s", err.pos + 1,
                          text.n > 0 ? err.msg : "there is no value");
        return false;
    }
    if (yyjson_doc_get_val_count(doc) > GM_JSON_DEPTH_MAX && gm_json_too_deep_at(text) > 0) {
        gm_decoded_refuse(decoded, number, "nested more than %d levels deep", GM_JSON_DEPTH_MAX);
        return false;
    }
    *out_value = (struct gm_value){text, doc, yyjson_doc_get_root(doc)};
    return true;
}

/* ---- parts of an event ---- */

/* One event under construction. */
struct making {
    const struct gm_decoder *decoder;
    struct gm_decoded *decoded;
    struct gm_value value;
    size_t number;
    bool wrong; /* it was refused */
};

static void refuse_type(struct making *making, const struct gm_path *path, const char *wanted_z)
{
    making->wrong = true;
    gm_decoded_refuse(making->decoded, making->number, "`" GM_STR_FMT "`: %s is wanted",
                      GM_STR_ARG(path->text), wanted_z);
}

/* Text of a scalar; n 0: there is none, or it was refused. */
static struct gm_str scalar_text(struct making *making, const struct gm_path *path)
{
    char digits[GM_NUM_TEXT_SIZE];
    yyjson_val *at = gm_path_in(path, making->value.root);
    struct gm_str text = gm_scalar_text(at, digits);
    if (text.n > 0 && text.p == NULL) {
        refuse_type(making, path, "a text or a number");
        return (struct gm_str){NULL, 0};
    }
    if (yyjson_is_str(at)) {
        return gm_value_keep(making->decoded, &making->value, at);
    }
    return yyjson_is_num(at) ? gm_arena_dup(making->decoded->arena, text) : text;
}

/* n 0: a path leads to nothing. */
static struct gm_str expand(struct making *making, const struct gm_pattern *template)
{
    char text[GM_EVENT_TEXT_SIZE_MAX + 1]; /* one more than is allowed: it is refused then */
    size_t n = 0;
    if (gm_pattern_is_path(template)) {
        return scalar_text(making, &template->paths[0]);
    }
    for (size_t i = 0; i <= template->count; i++) {
        struct gm_str parts[] = {template->literals[i],
                                 i < template->count ? scalar_text(making, &template->paths[i])
                                                     : (struct gm_str){NULL, 0}};
        if (i < template->count && parts[1].n == 0) {
            return (struct gm_str){NULL, 0};
        }
        for (size_t k = 0; k < GM_ARRAY_COUNT(parts); k++) {
            size_t fits = sizeof(text) - n < parts[k].n ? sizeof(text) - n : parts[k].n;
            if (fits > 0) {
                memcpy(text + n, parts[k].p, fits);
            }
            n += fits;
        }
    }
    return gm_arena_dup(making->decoded->arena, (struct gm_str){text, n});
}

static void check_text(struct making *making, struct gm_str text, const char *name_z)
{
    if (text.n > GM_EVENT_TEXT_SIZE_MAX) {
        making->wrong = true;
        gm_decoded_refuse(making->decoded, making->number, "its %s has more than %d bytes", name_z,
                          GM_EVENT_TEXT_SIZE_MAX);
    }
}

/* What is configured, else what is known, else what stands at a usual place. */
static struct gm_str find_text(struct making *making, const struct gm_pattern *configured,
                               struct gm_str known, const struct gm_path *usual)
{
    struct gm_str text =
        configured->count > 0 ? expand(making, configured) : (struct gm_str){NULL, 0};
    if (text.n == 0) {
        text = known;
    }
    return text.n == 0 && usual->count > 0 ? scalar_text(making, usual) : text;
}

static gm_ns number_time(struct making *making, const struct gm_path *path, yyjson_val *at)
{
    gm_ns unit = making->decoder->unit;
    if (yyjson_is_real(at)) {
        double t = yyjson_get_real(at) * (double)unit;
        if (t > -9.2e18 && t < 9.2e18) {
            return (gm_ns)t;
        }
    } else {
        /* of an unsigned number above the range of signed ones the sign is wrong */
        int64_t t = yyjson_get_sint(at);
        if (t <= INT64_MAX / unit && t >= INT64_MIN / unit && (yyjson_is_sint(at) || t >= 0)) {
            return t * unit;
        }
    }
    refuse_type(making, path, "a time between 1677 and 2262");
    return 0;
}

static gm_ns find_time(struct making *making, const struct gm_path *path)
{
    gm_ns time = 0;
    yyjson_val *at = gm_path_in(path, making->value.root);
    if (at == NULL || yyjson_is_null(at)) {
        return 0;
    }
    if (yyjson_is_num(at)) {
        return number_time(making, path, at);
    }
    struct gm_str text = {yyjson_get_str(at), yyjson_get_len(at)};
    if (text.p == NULL || !gm_time_parse(text, &time)) {
        refuse_type(making, path, "a time (RFC 3339, or a number)");
    }
    return time;
}

static uint64_t find_sequence(struct making *making, const struct gm_path *path)
{
    yyjson_val *at = gm_path_in(path, making->value.root);
    if (at == NULL || yyjson_is_null(at)) {
        return 0;
    }
    if (!yyjson_is_uint(at) || yyjson_get_uint(at) == 0 || yyjson_get_uint(at) > INT64_MAX) {
        refuse_type(making, path, "a whole number from 1");
        return 0;
    }
    return yyjson_get_uint(at);
}

static void fill(struct making *making, const struct gm_event *known, struct gm_event *event)
{
    static const struct gm_path nowhere = {0};
    const struct gm_decoder *decoder = making->decoder;
    event->key = find_text(making, &decoder->key, known->key, &decoder->key_default);
    event->type = find_text(making, &decoder->type, known->type, &decoder->type_default);
    event->origin = find_text(making, &decoder->origin, known->origin, &nowhere);
    event->id = find_text(making, &decoder->id, known->id, &nowhere);
    event->sequence = find_sequence(making, &decoder->sequence);
    event->sequence = event->sequence != 0 ? event->sequence : known->sequence;
    event->time = find_time(making, &decoder->time);
    event->time = event->time != 0 ? event->time : known->time;
    if (event->time == 0) {
        event->time = find_time(making, &decoder->time_default);
    }
    event->body = making->value.text;
}

static void refuse_key(struct making *making)
{
    const struct gm_pattern *key = &making->decoder->key;
    making->wrong = true;
    gm_decoded_refuse(making->decoded, making->number,
                      "there is nothing at `" GM_STR_FMT "`, which makes its key",
                      GM_STR_ARG(key->count > 0 ? key->paths[0].text : GM_STR("key")));
}

void gm_decode_value(const struct gm_decoder *decoder, const struct gm_one *one,
                     struct gm_decoded *decoded)
{
    static const struct gm_event nothing = {0};
    struct making making = {.decoder = decoder, .decoded = decoded, .number = one->number};
    struct gm_event event = {0};
    struct gm_err why;
    if (!gm_value_read(decoded, one->text, one->number, &making.value)) {
        return;
    }
    const struct gm_event *known = one->known != NULL ? one->known : decoded->known;
    fill(&making, known != NULL ? known : &nothing, &event);
    if (!making.wrong && event.key.n == 0) {
        refuse_key(&making);
    }
    if (decoder->merges && one->text.n > GM_ENTITY_STATE_SIZE_MAX) {
        making.wrong = true;
        gm_decoded_refuse(decoded, one->number,
                          "it has %zu bytes; a stream with states takes %d at most", one->text.n,
                          GM_ENTITY_STATE_SIZE_MAX);
    }
    check_text(&making, event.key, "key");
    check_text(&making, event.type, "type");
    check_text(&making, event.origin, "origin");
    check_text(&making, event.id, "id");
    if (!making.wrong && decoder->types != NULL &&
        !gm_event_types_allow(decoder->types, event.type, making.value.root, &why)) {
        making.wrong = true;
        gm_decoded_refuse(decoded, one->number, "%s", why.text);
    }
    if (!making.wrong) {
        *gm_vec_push(&decoded->events) = event;
        *gm_vec_push(&decoded->numbers) = one->number;
    }
}

/* ---- what others decoded ---- */

static bool are_texts(const struct gm_event *event)
{
    const struct gm_str texts[] = {event->key, event->type, event->origin, event->id};
    bool valid = event->key.n > 0;
    for (size_t i = 0; i < GM_ARRAY_COUNT(texts); i++) {
        valid = valid && texts[i].n <= GM_EVENT_TEXT_SIZE_MAX && gm_utf8_valid(texts[i], NULL);
    }
    return valid;
}

gm_rc gm_decoded_check(struct gm_decoded *decoded, const struct gm_event *events, size_t count,
                       struct gm_err *err)
{
    gm_rc rc = GM_OK;
    for (size_t i = 0; i < count && rc == GM_OK; i++) {
        struct gm_value value;
        if (!are_texts(&events[i])) {
            rc = gm_fail(err, GM_E_INVALID,
                         "event %zu: key, type, origin and id are texts of %d "
                         "bytes at most, and the key is not empty",
                         i + 1, GM_EVENT_TEXT_SIZE_MAX);
        } else if (!gm_value_read(decoded, events[i].body, i + 1, &value)) {
            rc = gm_fail(err, GM_E_INVALID, "event %zu: its body: " GM_STR_FMT, i + 1,
                         GM_STR_ARG(decoded->wrong.at[0].reason));
        }
    }
    gm_decoded_reset(decoded);
    return rc;
}

bool gm_decoder_allows(const struct gm_decoder *decoder, const struct gm_event *event,
                       struct gm_err *why)
{
    struct gm_value value;
    if (decoder->types == NULL) {
        return true;
    }
    struct gm_decoded *decoded = gm_decoded_new(GM_EVENT_BODY_SIZE_MAX);
    bool allowed = gm_value_read(decoded, event->body, 1, &value);
    if (allowed) {
        allowed = gm_event_types_allow(decoder->types, event->type, value.root, why);
    } else {
        (void)gm_fail(why, GM_E_INVALID, GM_STR_FMT, GM_STR_ARG(decoded->wrong.at[0].reason));
    }
    gm_decoded_free(decoded);
    return allowed;
}

/* ---- forms ---- */

void gm_decode_one(const struct gm_decoder *decoder, struct gm_str text,
                   const struct gm_event *known, struct gm_decoded *decoded)
{
    gm_decode_value(decoder, &(struct gm_one){gm_str_trim(text), 1, known}, decoded);
}

void gm_decode_lines(const struct gm_decoder *decoder, struct gm_str text, size_t first_number,
                     struct gm_decoded *decoded)
{
    struct gm_one one = {.number = first_number};
    while (text.n > 0) {
        (void)gm_str_cut(text, '\n', &one.text, &text);
        one.text = gm_str_trim(one.text);
        if (one.text.n > 0) {
            gm_decode_value(decoder, &one, decoded);
        }
        one.number++;
    }
}

struct items {
    const struct gm_decoder *decoder;
    struct gm_decoded *decoded;
    size_t last;
    bool cloud;
};

static void decode_item(void *ctx, struct gm_str item, size_t number)
{
    struct items *items = ctx;
    items->last = number;
    if (items->cloud) {
        gm_decode_cloud(items->decoder, item, number, items->decoded);
    } else {
        gm_decode_value(items->decoder, &(struct gm_one){item, number, NULL}, items->decoded);
    }
}

static void decode_array(struct items *items, struct gm_str text)
{
    const char *why_z;
    if (!gm_split_array(text, decode_item, items, &why_z)) {
        gm_decoded_refuse(items->decoded, items->last + 1, "%s", why_z);
    }
}

/* Lines when the first of several is a value by itself. */
static bool are_lines(struct gm_decoded *decoded, struct gm_str text)
{
    struct gm_str first, rest;
    yyjson_read_err err;
    return gm_str_cut(text, '\n', &first, &rest) && first.n <= GM_EVENT_BODY_SIZE_MAX &&
           gm_str_trim(first).n > 0 && read_json(decoded, gm_str_trim(first), &err) != NULL;
}

void gm_decode(const struct gm_decoder *decoder, enum gm_form form, struct gm_str text,
               struct gm_decoded *decoded)
{
    struct items items = {.decoder = decoder, .decoded = decoded};
    if (form != GM_FORM_LINES) {
        text = gm_str_trim(text);
    }
    switch (form) {
    case GM_FORM_LINES:
        gm_decode_lines(decoder, text, 1, decoded);
        return;
    case GM_FORM_CLOUD:
        gm_decode_cloud(decoder, text, 1, decoded);
        return;
    case GM_FORM_CLOUD_BATCH:
        items.cloud = true;
        decode_array(&items, text);
        return;
    case GM_FORM_JSON:
        if (text.n > 0 && text.p[0] == '[') {
            decode_array(&items, text);
        } else if (are_lines(decoded, text)) {
            gm_decode_lines(decoder, text, 1, decoded);
        } else {
            gm_decode_one(decoder, text, NULL, decoded);
        }
        return;
    }
}
