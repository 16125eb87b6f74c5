/* `jq`: programs of the jq language (https://jqlang.github.io/jq/manual/v1.6/), run by libjq on
 * values, never on text.
 *
 * What a program can see is its record: environment, further inputs and standard error are taken
 * away by definitions put in front of the program. (Definitions do not reach into imported modules:
 * there, $ENV is the process's.) libjq knows one kind of number, doubles: an integer beyond 2^53 is
 * refused rather than changed, and numbers that come back whole are integers.
 *
 * Bounded here: one output (asking for a second tells that there are several), depth of values, and
 * the batch's memory for the result. Not bounded, because libjq cannot be interrupted: time and
 * memory of a program that loops without an output or builds a huge value; when memory runs out,
 * libjq ends the process. */
#include "step/convert.h"

#include <jq.h>

/* Doubles hold every integer up to here. */
#define EXACT_MAX INT64_C(9007199254740992)

enum { MESSAGE_SIZE = 300 };

struct gm_jq {
    jq_state *state;
    char message[MESSAGE_SIZE]; /* the first error of compiling; empty: none */
};

/* On one line, so that lines in errors are those of the program. Redefined is what libjq 1.6 gets
 * wrong: strftime and its kin end the process on numbers beyond all dates, sub and gsub loop for
 * ever on empty matches, error(null) reads as "no output". */
static const char prelude_z[] =
    "{} as $ENV|def env:$ENV;def stderr:.;def debug:.;"
    "def _gm_error:error;def error:if .==null then \"null\" else . end|_gm_error;def "
    "error(f):f|error;"
    "def _gm_strftime(f):strftime(f);"
    "def strftime(f):(if type==\"number\" then gmtime else . end)|_gm_strftime(f);"
    "def _gm_strflocaltime(f):strflocaltime(f);"
    "def strflocaltime(f):(if type==\"number\" then localtime else . end)|_gm_strflocaltime(f);"
    "def todateiso8601:strftime(\"%Y-%m-%dT%H:%M:%SZ\");def todate:todateiso8601;def date:todate;"
    "def sub($re;str;$flags):. as $in|reduce match($re;$flags) as $m({r:[\"\"],p:0};"
    "$in[.p:$m.offset] as $gap"
    "|[reduce($m.captures[]|select(.name!=null))as $c({};.[$c.name]=$c.string)|str] as $new"
    "|.r=[.r[] as $r|$new[]|$r+$gap+.]|.p=$m.offset+$m.length)"
    "|.r[]+$in[.p:];"
    "def sub($re;str):sub($re;str;\"\");"
    "def gsub($re;str;$flags):sub($re;str;$flags+\"g\");def gsub($re;str):gsub($re;str;\"\");";

/* ---- compiling ---- */

/* Keeps the first line of the first error, without what only makes sense on a command line:
 * "jq: error: foo/0 is not defined at <top-level>, line 1:\n…" */
static void keep_error(void *ctx, jv message)
{
    struct gm_jq *jq = ctx;
    if (jq->message[0] == '\0' && jv_get_kind(message) == JV_KIND_STRING) {
        static const char prefix_z[] = "jq: error: ";
        static const char *const noise[] = {" (Unix shell quoting issues?)", "<top-level>, "};
        struct gm_str rest = gm_str_z(jv_string_value(message));
        struct gm_str line;
        struct gm_buf out;
        (void)gm_str_cut(rest, '\n', &line, &rest);
        if (gm_str_starts(line, GM_STR(prefix_z))) {
            line = (struct gm_str){line.p + sizeof(prefix_z) - 1, line.n - (sizeof(prefix_z) - 1)};
        }
        gm_buf_init(&out, MESSAGE_SIZE - 1);
        for (size_t i = 0; i < line.n;) {
            struct gm_str here = {line.p + i, line.n - i};
            size_t skip = 0;
            for (size_t j = 0; j < GM_ARRAY_COUNT(noise); j++) {
                skip = gm_str_starts(here, gm_str_z(noise[j])) ? strlen(noise[j]) : skip;
            }
            bool colon_at_end = here.n == 1 && here.p[0] == ':';
            if (skip == 0 && !colon_at_end) {
                gm_buf_add_char(&out, here.p[0]);
            }
            i += skip > 0 ? skip : 1;
        }
        memcpy(jq->message, out.p != NULL ? out.p : "", out.n);
        jq->message[out.n] = '\0';
        gm_buf_deinit(&out);
    }
    jv_free(message);
}

static jv no_input(jq_state *state, void *ctx)
{
    (void)state;
    (void)ctx;
    return jv_invalid_with_msg(
        jv_string("there is no further input: a program sees one record at a time"));
}

/* Bytes of white space and comments at the start. */
static size_t blank_size(const char *z)
{
    size_t n = 0;
    for (;;) {
        n += strspn(z + n, " \t\r\n");
        if (z[n] != '#') {
            return n;
        }
        n += strcspn(z + n, "\n");
    }
}

/* Bytes of one directive (module, import, include) up to its ';'. 0: there is none. */
static size_t directive_size(const char *z)
{
    static const char *const words[] = {"module", "import", "include"};
    size_t n = 0;
    for (size_t i = 0; i < GM_ARRAY_COUNT(words) && n == 0; i++) {
        size_t size = strlen(words[i]);
        n = strncmp(z, words[i], size) == 0 && strchr(" \t\r\n\"{", z[size]) != NULL ? size : 0;
    }
    bool quoted = false;
    while (n > 0 && z[n] != '\0') {
        if (z[n] == ';' && !quoted) {
            return n + 1;
        }
        if (quoted && z[n] == '\\' && z[n + 1] != '\0') {
            n++;
        } else if (z[n] == '"') {
            quoted = !quoted;
        }
        n++;
    }
    return n;
}

/* The prelude goes behind the directives, which must come first. */
static char *with_prelude(const char *program_z)
{
    size_t n = blank_size(program_z);
    for (size_t size; (size = directive_size(program_z + n)) > 0;) {
        n += size;
        n += blank_size(program_z + n);
    }
    bool blank = program_z[n] == '\0';
    return gm_format_z("%.*s%s %s%s", (int)n, program_z, prelude_z, blank ? "." : "",
                       program_z + n);
}

gm_rc gm_jq_new(const char *program_z, const char *folder_z, struct gm_jq **out_jq,
                struct gm_err *err)
{
    struct gm_jq *jq = gm_alloc(sizeof(*jq));
    jq->state = jq_init();
    if (jq->state == NULL) {
        gm_free(jq);
        return gm_fail(err, GM_E_LIMIT, "jq: no memory");
    }
    jq_set_error_cb(jq->state, keep_error, jq);
    jq_set_input_cb(jq->state, no_input, NULL);
    /* libjq asserts that all three are there as soon as a program imports something. */
    const char *origin_z = folder_z != NULL ? folder_z : ".";
    jq_set_attr(jq->state, jv_string("JQ_LIBRARY_PATH"), JV_ARRAY(jv_string(origin_z)));
    jq_set_attr(jq->state, jv_string("PROGRAM_ORIGIN"), jv_string(origin_z));
    jq_set_attr(jq->state, jv_string("JQ_ORIGIN"), jv_string(origin_z));
    GM_AUTO_FREE char *whole_z = with_prelude(program_z);
    if (!jq_compile(jq->state, whole_z)) {
        gm_rc rc = gm_fail(err, GM_E_CONFIG, "jq: %s",
                           jq->message[0] != '\0' ? jq->message : "the program does not compile");
        gm_jq_free(jq);
        return rc;
    }
    *out_jq = jq;
    return GM_OK;
}

void gm_jq_free(struct gm_jq *jq)
{
    if (jq != NULL) {
        jq_teardown(&jq->state);
        gm_free(jq);
    }
}

/* ---- values into libjq ---- */

static gm_rc text_to_jv(struct gm_str text, jv *out, struct gm_err *err)
{
    if (text.n > GM_RECORD_SIZE_MAX) {
        return gm_fail(err, GM_E_INVALID, "%zu bytes are too long", text.n);
    }
    GM_TRY(gm_convert_check_text(text, err));
    *out = jv_string_sized(text.n > 0 ? text.p : "", (int)text.n);
    return GM_OK;
}

static gm_rc cell_to_jv(const struct gm_cell *cell, struct gm_arena *arena, int depth, jv *out,
                        struct gm_err *err);

static gm_rc array_to_jv(yyjson_mut_val *json, struct gm_arena *arena, int depth, jv *out,
                         struct gm_err *err)
{
    jv array = jv_array_sized((int)gm_json_count(json));
    size_t index;
    size_t max;
    yyjson_mut_val *value;
    yyjson_mut_arr_foreach(json, index, max, value)
    {
        struct gm_cell cell = gm_cell_of_json(value);
        jv item = jv_null();
        gm_rc rc = cell_to_jv(&cell, arena, depth, &item, err);
        if (rc != GM_OK) {
            jv_free(array);
            return rc;
        }
        array = jv_array_append(array, item);
    }
    *out = array;
    return GM_OK;
}

static gm_rc object_to_jv(yyjson_mut_val *json, struct gm_arena *arena, int depth, jv *out,
                          struct gm_err *err)
{
    jv object = jv_object();
    size_t index;
    size_t max;
    yyjson_mut_val *key;
    yyjson_mut_val *value;
    yyjson_mut_obj_foreach(json, index, max, key, value)
    {
        struct gm_cell cell = gm_cell_of_json(value);
        struct gm_str name = gm_json_str(key);
        jv item = jv_null();
        jv name_jv = jv_null();
        gm_rc rc = cell_to_jv(&cell, arena, depth, &item, err);
        if (rc != GM_OK) {
            jv_free(object);
            return rc == GM_E_INVALID ? gm_fail_within(err, "`" GM_STR_FMT "`", GM_STR_ARG(name))
                                      : rc;
        }
        rc = text_to_jv(name, &name_jv, err);
        if (rc != GM_OK) {
            jv_free(item);
            jv_free(object);
            return rc;
        }
        object = jv_object_set(object, name_jv, item);
    }
    *out = object;
    return GM_OK;
}

static gm_rc cell_to_jv(const struct gm_cell *cell, struct gm_arena *arena, int depth, jv *out,
                        struct gm_err *err)
{
    struct gm_str text;
    switch (cell->type) {
    case GM_CELL_NULL:
        *out = jv_null();
        return GM_OK;
    case GM_CELL_BOOL:
        *out = jv_bool(cell->as.b ? 1 : 0);
        return GM_OK;
    case GM_CELL_INT:
        if (cell->as.i > EXACT_MAX || cell->as.i < -EXACT_MAX) {
            return gm_convert_fail(
                "a number that jq holds exactly (up to 2^53; deliver it as text)", cell, err);
        }
        *out = jv_number((double)cell->as.i);
        return GM_OK;
    case GM_CELL_DOUBLE:
        if (cell->as.d - cell->as.d != 0) {
            return gm_convert_fail("a finite number", cell, err);
        }
        *out = jv_number(cell->as.d);
        return GM_OK;
    case GM_CELL_TEXT:
        return text_to_jv(cell->as.s, out, err);
    case GM_CELL_BYTES:
        text = gm_cell_text(arena, cell);
        return text.p != NULL ? text_to_jv(text, out, err) : gm_convert_fail_full(err);
    case GM_CELL_JSON:
        break;
    }
    if (depth >= GM_JSON_DEPTH_MAX) {
        return gm_fail(err, GM_E_INVALID, "nested deeper than %d levels", GM_JSON_DEPTH_MAX);
    }
    return yyjson_mut_is_arr(cell->as.json)
               ? array_to_jv(cell->as.json, arena, depth + 1, out, err)
               : object_to_jv(cell->as.json, arena, depth + 1, out, err);
}

static gm_rc record_to_jv(const struct gm_batch *batch, const struct gm_record *record, jv *out,
                          struct gm_err *err)
{
    if (record->body != NULL) {
        struct gm_cell body = gm_cell_of_json(record->body);
        return cell_to_jv(&body, batch->arena, 0, out, err);
    }
    jv object = jv_object();
    /* Backwards, so that of columns of the same name the first one counts, as it does in paths. */
    for (size_t i = record->cells != NULL ? batch->shape->count : 0; i-- > 0;) {
        struct gm_str name = batch->shape->names[i];
        jv value = jv_null();
        gm_rc rc = cell_to_jv(&record->cells[i], batch->arena, 1, &value, err);
        if (rc != GM_OK) {
            jv_free(object);
            return rc == GM_E_INVALID
                       ? gm_fail_within(err, "column `" GM_STR_FMT "`", GM_STR_ARG(name))
                       : rc;
        }
        object = jv_object_set(object, jv_string_sized(name.p, (int)name.n), value);
    }
    *out = object;
    return GM_OK;
}

/* ---- values out of libjq ---- */

static gm_rc from_jv(yyjson_mut_doc *doc, jv value, int depth, yyjson_mut_val **out_value,
                     struct gm_err *err);

static gm_rc number_from_jv(yyjson_mut_doc *doc, double d, yyjson_mut_val **out_value,
                            struct gm_err *err)
{
    if (d - d != 0) {
        return gm_fail(err, GM_E_INVALID,
                       "the program made a number that JSON lacks (nan or infinite)");
    }
    bool whole = d >= (double)-EXACT_MAX && d <= (double)EXACT_MAX && (double)(int64_t)d == d;
    struct gm_convert to = {.doc = doc};
    *out_value = whole ? gm_convert_integer(&to, (int64_t)d) : yyjson_mut_real(doc, d);
    return *out_value != NULL ? GM_OK : gm_convert_fail_full(err);
}

static gm_rc array_from_jv(yyjson_mut_doc *doc, jv value, int depth, yyjson_mut_val **out_value,
                           struct gm_err *err)
{
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    int count = jv_array_length(jv_copy(value));
    for (int i = 0; i < count; i++) {
        yyjson_mut_val *item;
        jv item_jv = jv_array_get(jv_copy(value), i);
        gm_rc rc = from_jv(doc, item_jv, depth, &item, err);
        jv_free(item_jv);
        GM_TRY(rc);
        if (!yyjson_mut_arr_append(array, item)) {
            return gm_convert_fail_full(err);
        }
    }
    *out_value = array;
    return array != NULL ? GM_OK : gm_convert_fail_full(err);
}

static yyjson_mut_val *text_from_jv(yyjson_mut_doc *doc, jv text)
{
    return gm_json_strcpy(
        doc, (struct gm_str){jv_string_value(text), (size_t)jv_string_length_bytes(jv_copy(text))});
}

static gm_rc object_from_jv(yyjson_mut_doc *doc, jv value, int depth, yyjson_mut_val **out_value,
                            struct gm_err *err)
{
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    for (int i = jv_object_iter(value); jv_object_iter_valid(value, i);
         i = jv_object_iter_next(value, i)) {
        jv name_jv = jv_object_iter_key(value, i);
        jv item_jv = jv_object_iter_value(value, i);
        yyjson_mut_val *name = text_from_jv(doc, name_jv);
        yyjson_mut_val *item;
        gm_rc rc = from_jv(doc, item_jv, depth, &item, err);
        jv_free(item_jv);
        jv_free(name_jv);
        GM_TRY(rc);
        if (name == NULL || !yyjson_mut_obj_add(object, name, item)) {
            return gm_convert_fail_full(err);
        }
    }
    if (object == NULL) {
        return gm_convert_fail_full(err);
    }
    gm_json_sort(doc, object);
    *out_value = object;
    return GM_OK;
}

/* Borrows `value`. */
static gm_rc from_jv(yyjson_mut_doc *doc, jv value, int depth, yyjson_mut_val **out_value,
                     struct gm_err *err)
{
    jv_kind kind = jv_get_kind(value);
    if (depth >= GM_JSON_DEPTH_MAX && (kind == JV_KIND_ARRAY || kind == JV_KIND_OBJECT)) {
        return gm_fail(err, GM_E_INVALID, "the program made a value nested deeper than %d levels",
                       GM_JSON_DEPTH_MAX);
    }
    switch (kind) {
    case JV_KIND_ARRAY:
        return array_from_jv(doc, value, depth + 1, out_value, err);
    case JV_KIND_OBJECT:
        return object_from_jv(doc, value, depth + 1, out_value, err);
    case JV_KIND_NUMBER:
        return number_from_jv(doc, jv_number_value(value), out_value, err);
    case JV_KIND_STRING:
        *out_value = text_from_jv(doc, value);
        break;
    case JV_KIND_TRUE:
    case JV_KIND_FALSE:
        *out_value = yyjson_mut_bool(doc, kind == JV_KIND_TRUE);
        break;
    default:
        *out_value = yyjson_mut_null(doc);
        break;
    }
    return *out_value != NULL ? GM_OK : gm_convert_fail_full(err);
}

/* ---- running ---- */

/* What an invalid value says. Takes `invalid`. */
static gm_rc runtime_error(jv invalid, struct gm_err *err)
{
    jv message = jv_invalid_get_msg(invalid);
    if (jv_get_kind(message) != JV_KIND_STRING) {
        message = jv_dump_string(message, 0);
    }
    gm_rc rc = gm_fail(err, GM_E_INVALID, "jq: %s", jv_string_value(message));
    jv_free(message);
    return rc;
}

/* The next output; *out_value is invalid without a message behind the last. */
static gm_rc next_output(struct gm_jq *jq, jv *out_value, struct gm_err *err)
{
    jv value = jq_next(jq->state);
    if (!jv_is_valid(value)) {
        if (jv_invalid_has_msg(jv_copy(value))) {
            return runtime_error(value, err);
        }
        if (jq_halted(jq->state)) {
            jv_free(value);
            return gm_fail(err, GM_E_INVALID,
                           "jq: the program called halt; use `empty` to leave a record out");
        }
    }
    *out_value = value;
    return GM_OK;
}

static gm_rc one_output(struct gm_jq *jq, jv *out_value, struct gm_err *err)
{
    jv value = jv_null();
    GM_TRY(next_output(jq, &value, err));
    if (!jv_is_valid(value)) {
        *out_value = value;
        return GM_OK;
    }
    jv second = jv_null();
    gm_rc rc = next_output(jq, &second, err);
    if (rc == GM_OK && jv_is_valid(second)) {
        rc = gm_fail(err, GM_E_INVALID,
                     "jq: the program gave more than one output; a record has one body");
    }
    jv_free(second);
    if (rc == GM_OK) {
        *out_value = value;
    } else {
        jv_free(value);
    }
    return rc;
}

gm_rc gm_jq_apply(struct gm_jq *jq, struct gm_batch *batch, const struct gm_record *record,
                  yyjson_mut_val **out_body, struct gm_err *err)
{
    jv input = jv_null();
    gm_rc rc = record_to_jv(batch, record, &input, err);
    if (rc != GM_OK) {
        return rc == GM_E_INVALID ? gm_fail_within(err, "jq") : rc;
    }
    jq_start(jq->state, input, 0);
    jv output = jv_null();
    GM_TRY(one_output(jq, &output, err));
    yyjson_mut_val *body = NULL;
    if (jv_is_valid(output)) {
        jv_kind kind = jv_get_kind(output);
        rc = kind == JV_KIND_OBJECT
                 ? from_jv(batch->doc, output, 0, &body, err)
                 : gm_fail(err, GM_E_INVALID, "the program gave %s; a record's body is an object",
                           jv_kind_name(kind));
        if (rc == GM_E_INVALID) {
            rc = gm_fail_within(err, "jq");
        }
    }
    jv_free(output);
    GM_TRY(rc);
    *out_body = body;
    return GM_OK;
}
