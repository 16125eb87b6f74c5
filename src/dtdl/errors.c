#include "dtdl/errors.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/vec.h"
#include "dtdl/element.h"

/* Names and ids in texts are cut so that what is wrong with them still fits. */
enum { SHOWN_MAX = 160, TEXT_SIZE_MAX = 2048 };
static const size_t errors_size_max = (size_t)16 << 20; /* of all texts; more are only counted */

struct gm_model_errors {
    struct gm_arena *arena;
    GM_VEC(struct gm_model_error) list;
    size_t total;
    size_t document;
    struct gm_str document_id;
    struct gm_buf text;
};

static const struct {
    const char *name_z, *text_z;
} kinds[GM_DTDL_E_COUNT] = {
#define ENTRY(constant, name, text) [GM_DTDL_E_##constant] = {name, text},
    GM_DTDL_ERROR_KINDS(ENTRY)
#undef ENTRY
};

struct gm_model_errors *gm_model_errors_new(void)
{
    struct gm_model_errors *errors = gm_alloc(sizeof(*errors));
    errors->arena = gm_arena_new(errors_size_max);
    gm_buf_init(&errors->text, TEXT_SIZE_MAX);
    return errors;
}

void gm_model_errors_free(struct gm_model_errors *errors)
{
    if (errors == NULL) {
        return;
    }
    gm_buf_deinit(&errors->text);
    gm_vec_deinit(&errors->list);
    gm_arena_free(errors->arena);
    gm_free(errors);
}

size_t gm_model_errors_count(const struct gm_model_errors *errors)
{
    return errors->list.n;
}

size_t gm_model_errors_total(const struct gm_model_errors *errors)
{
    return errors->total;
}

const struct gm_model_error *gm_model_errors_at(const struct gm_model_errors *errors, size_t index)
{
    GM_ASSERT(index < errors->list.n);
    return &errors->list.at[index];
}

void gm_dtdl_errors_document(struct gm_model_errors *errors, size_t index, struct gm_str id)
{
    errors->document = index;
    errors->document_id = id;
}

/* ---- texts ---- */

/* Cut at a character, and on one line. */
static void add_shown(struct gm_buf *out, struct gm_str s)
{
    size_t n = s.n;
    if (n > SHOWN_MAX) {
        for (n = SHOWN_MAX; n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80;) {
            n--;
        }
    }
    for (size_t i = 0; i < n; i++) {
        gm_buf_add_char(out, (unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7F ? ' ' : s.p[i]);
    }
    if (n < s.n) {
        gm_buf_add_z(out, "…");
    }
}

/* Puts the place of one element in front; true: it is a name for all above it, too. */
static bool add_place(struct gm_buf *out, const struct gm_dtdl_element *element)
{
    const char *role_z = gm_dtdl_property_name_z(element->role);
    const char *label_z = gm_dtdl_class_label_z(element->class);
    if (element->class == GM_DTDL_CLASS_INTERFACE || element->parent == NULL) {
        add_shown(out, element->id);
        return true;
    }
    const struct gm_dtdl_rule *rule = gm_dtdl_rule_find(element->parent->class, element->role);
    if (rule == NULL || !rule->plural) {
        gm_buf_add_z(out, role_z);
    } else if (element->name.n > 0) {
        gm_buf_addf(out, "%s \"", label_z);
        add_shown(out, element->name);
        gm_buf_add_char(out, '"');
    } else if (element->id.n > 0) {
        gm_buf_addf(out, "%s ", label_z);
        add_shown(out, element->id);
    } else {
        gm_buf_addf(out, "%s[%zu]", role_z, element->index);
    }
    return false;
}

/* The places from the interface down to the element. Of a long way the middle is left out. */
static void add_way(struct gm_buf *out, const struct gm_dtdl_element *element)
{
    enum { STEPS_MAX = 8 };
    const struct gm_dtdl_element *steps[STEPS_MAX];
    size_t count = 0;
    bool cut = false;
    for (const struct gm_dtdl_element *at = element; at != NULL; at = at->parent) {
        bool interface = at->class == GM_DTDL_CLASS_INTERFACE || at->parent == NULL;
        if (count < STEPS_MAX) {
            steps[count++] = at;
        } else if (interface) {
            steps[STEPS_MAX - 1] = at;
            cut = true;
        }
        if (interface) {
            break;
        }
    }
    for (size_t i = count; i > 0; i--) {
        (void)add_place(out, steps[i - 1]);
        gm_buf_add_z(out, i == count && cut ? ": …: " : ": ");
    }
}

/* Authors write terms where there are any. */
static struct gm_str short_of(struct gm_str s)
{
    return gm_str_starts(s, GM_STR("dtmi:")) ? gm_dtdl_term_of(s) : s;
}

/* What is wrong with an interface itself stands in no member but @type. */
static struct gm_str property_of(const struct gm_dtdl_report *report)
{
    return report->property.p != NULL ? short_of(report->property) : GM_STR("@type");
}

static bool add_field(struct gm_buf *out, struct gm_str name, const struct gm_dtdl_report *report)
{
    const struct {
        const char *name_z;
        struct gm_str value;
    } fields[] = {
        {"property", property_of(report)},
        {"aux_property", report->aux_property},
        {"type", report->type},
        {"value", report->value},
        {"restriction", short_of(report->restriction)},
        {"secondary", short_of(report->secondary)},
        {"primary", report->primary},
        {"hint", report->hint},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(fields); i++) {
        if (gm_str_is(name, fields[i].name_z)) {
            add_shown(out, fields[i].value);
            return true;
        }
    }
    if (gm_str_is(name, "count") || gm_str_is(name, "observed")) {
        gm_buf_addf(out, "%lld",
                    (long long)(gm_str_is(name, "count") ? report->count : report->observed));
        return true;
    }
    return false;
}

static void add_text(struct gm_buf *out, const struct gm_dtdl_report *report)
{
    struct gm_str rest = gm_str_z(kinds[report->kind].text_z);
    struct gm_str head, name, tail;
    while (gm_str_cut(rest, '{', &head, &rest)) {
        gm_buf_add(out, head);
        /* Braces that are no field stay: {"en": …} is one. */
        if (gm_str_cut(rest, '}', &name, &tail) && add_field(out, name, report)) {
            rest = tail;
        } else {
            gm_buf_add_char(out, '{');
        }
    }
    gm_buf_add(out, head);
}

/* ---- reports ---- */

static struct gm_str keep(struct gm_model_errors *errors, struct gm_str s)
{
    return s.p == NULL ? s : gm_arena_dup(errors->arena, s);
}

void gm_dtdl_report(struct gm_model_errors *errors, const struct gm_dtdl_report *report)
{
    errors->total++;
    if (errors->list.n >= GM_MODEL_ERRORS_MAX) {
        return;
    }
    size_t document = report->at != NULL ? report->at->document : errors->document;
    gm_buf_reset(&errors->text);
    if (report->at != NULL && (report->at->id.n > 0 || report->at->parent != NULL)) {
        add_way(&errors->text, report->at);
    } else if (errors->document_id.n > 0) {
        add_shown(&errors->text, errors->document_id);
        gm_buf_add_z(&errors->text, ": ");
    } else {
        gm_buf_addf(&errors->text, "interface number %zu: ", document + 1);
    }
    add_text(&errors->text, report);
    struct gm_model_error *error = gm_vec_push(&errors->list);
    *error = (struct gm_model_error){
        .kind_z = kinds[report->kind].name_z,
        .document = document,
        .primary_id = keep(errors, report->primary),
        .secondary_id = keep(errors, report->secondary),
        .property = keep(errors, report->property),
        .aux_property = keep(errors, report->aux_property),
        .type = keep(errors, report->type),
        .value = keep(errors, report->value),
        .restriction = keep(errors, report->restriction),
        .transformation = keep(errors, report->transformation),
        .text = keep(errors, gm_buf_str(&errors->text)),
    };
}

gm_rc gm_dtdl_errors_sum(const struct gm_model_errors *errors, struct gm_err *err)
{
    GM_ASSERT(errors->list.n > 0);
    struct gm_str text = errors->list.at[0].text;
    if (errors->total == 1) {
        return gm_fail(err, GM_E_INVALID, GM_STR_FMT, GM_STR_ARG(text));
    }
    /* The count must still fit. */
    enum { ROOM = 40 };
    char more[ROOM];
    (void)snprintf(more, sizeof(more), " (and %zu more)", errors->total - 1);
    size_t n = text.n;
    size_t room = GM_ERR_TEXT_SIZE - ROOM;
    bool cut = n > room;
    if (cut) {
        for (n = room; n > 0 && ((unsigned char)text.p[n] & 0xC0) == 0x80;) {
            n--;
        }
    }
    return gm_fail(err, GM_E_INVALID, "%.*s%s%s", (int)n, text.p, cut ? "…" : "", more);
}
