#include "dtdl/element.h"

#include <stdio.h>

struct gm_dtdl_values gm_dtdl_values(const struct gm_dtdl_element *element,
                                     enum gm_dtdl_property property)
{
    for (size_t i = 0; i < element->member_count; i++) {
        if (element->members[i].rule->property == property) {
            return (struct gm_dtdl_values){element->members[i].values, element->members[i].count};
        }
    }
    return (struct gm_dtdl_values){NULL, 0};
}

const struct gm_dtdl_value *gm_dtdl_value(const struct gm_dtdl_element *element,
                                          enum gm_dtdl_property property)
{
    struct gm_dtdl_values values = gm_dtdl_values(element, property);
    return values.n > 0 ? &values.at[0] : NULL;
}

/* Names and ids in messages are cut so that what is wrong with them still fits. */
enum { SHOWN_MAX = 128 };

static int shown(struct gm_str s)
{
    return s.n < SHOWN_MAX ? (int)s.n : SHOWN_MAX;
}

/* Puts the place of one element in front of the message. True: it is a name for all above it, too.
 */
static bool fail_at(struct gm_err *err, const struct gm_dtdl_element *element)
{
    const char *role_z = gm_dtdl_property_name_z(element->role);
    const char *label_z = gm_dtdl_class_label_z(element->class);
    bool interface = element->class == GM_DTDL_CLASS_INTERFACE || element->parent == NULL;
    if (interface && element->id.p != NULL) {
        (void)gm_fail_within(err, "%.*s", shown(element->id), element->id.p);
        return true;
    }
    if (element->parent == NULL) {
        (void)gm_fail_within(err, "interface number %zu", element->index + 1);
    } else if (element->role == GM_DTDL_PROPERTY_SCHEMA ||
               element->role == GM_DTDL_PROPERTY_MAP_VALUE ||
               element->role == GM_DTDL_PROPERTY_MAP_KEY ||
               element->role == GM_DTDL_PROPERTY_ELEMENT_SCHEMA ||
               element->role == GM_DTDL_PROPERTY_REQUEST ||
               element->role == GM_DTDL_PROPERTY_RESPONSE) {
        (void)gm_fail_within(err, "%s", role_z);
    } else if (element->name.p != NULL) {
        (void)gm_fail_within(err, "%s \"%.*s\"", label_z, shown(element->name), element->name.p);
    } else if (element->id.p != NULL) {
        (void)gm_fail_within(err, "%s %.*s", label_z, shown(element->id), element->id.p);
    } else {
        (void)gm_fail_within(err, "%s[%zu]", role_z, element->index);
    }
    return false;
}

/* The places from the interface down to the element. Of a long way the middle is left out: what is
 * wrong must still fit. */
static void fail_along(struct gm_err *err, const struct gm_dtdl_element *element)
{
    enum { INNER_MAX = 4, OUTER_MAX = 3 };
    size_t length = 0;
    for (const struct gm_dtdl_element *at = element; at != NULL; at = at->parent) {
        length++;
    }
    bool whole = false;
    for (size_t i = 0; i < length && !whole; i++, element = element->parent) {
        if (i == INNER_MAX && length > INNER_MAX + OUTER_MAX) {
            (void)gm_fail_within(err, "…");
        }
        if (i < INNER_MAX || i + OUTER_MAX >= length) {
            whole = fail_at(err, element);
        }
    }
}

gm_rc(gm_dtdl_fail)(struct gm_err *err, const struct gm_dtdl_element *element, const char *fmt, ...)
{
    char text[GM_ERR_TEXT_SIZE];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    (void)gm_fail(err, GM_E_INVALID, "%s", text);
    if (err != NULL) {
        fail_along(err, element);
    }
    return GM_E_INVALID;
}

static gm_rc fail_full(struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "models: the set takes more memory than is allowed; split it");
}

void *gm_dtdl_alloc(struct gm_arena *arena, size_t count, size_t size, struct gm_err *err)
{
    size_t total;
    void *p = NULL;
    if (!__builtin_mul_overflow(count, size, &total)) {
        p = gm_arena_zalloc(arena, total);
    }
    if (p == NULL) {
        (void)fail_full(err);
    }
    return p;
}

gm_rc gm_dtdl_dup(struct gm_arena *arena, struct gm_str s, struct gm_str *out_copy,
                  struct gm_err *err)
{
    struct gm_str copy = gm_arena_dup(arena, s);
    if (copy.p == NULL) {
        return fail_full(err);
    }
    *out_copy = copy;
    return GM_OK;
}

struct gm_dtdl_element *gm_dtdl_identified(const struct gm_dtdl_element *interface,
                                           struct gm_str id)
{
    size_t low = 0;
    size_t high = interface->identified_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = gm_str_cmp(interface->identified[middle]->id, id);
        if (order == 0) {
            return interface->identified[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}
