/* @type: the class of an element, and the types beside it. */
#include "dtdl/element.h"

struct reader {
    struct gm_dtdl_parser *parser;
    struct gm_dtdl_element *element;
    enum gm_dtdl_class wanted; /* by the member the element stands in */
    uint64_t concrete;         /* classes it may have */
    uint64_t classes;          /* it has */
    struct gm_str class_names; /* these, in the order they are named */
    const struct gm_dtdl_cotype **cotypes;
    size_t cotype_count;
    bool failed;
};

static const struct gm_str nothing = {NULL, 0};

/* The words "Property, Telemetry or Relationship" for a set of classes. */
static struct gm_str class_words(struct gm_dtdl_parser *parser, uint64_t classes)
{
    struct gm_str words = {"", 0};
    for (uint64_t rest = classes; rest != 0; rest &= rest - 1) {
        const char *name_z = gm_dtdl_class_name_z((enum gm_dtdl_class)__builtin_ctzll(rest));
        const char *between_z = words.n == 0 ? "" : (rest & (rest - 1)) == 0 ? " or " : ", ";
        words = gm_dtdl_format(parser, GM_STR_FMT "%s%s", GM_STR_ARG(words), between_z, name_z);
    }
    return words;
}

static void fail_class(struct reader *reader, struct gm_str value)
{
    struct gm_dtdl_parser *parser = reader->parser;
    const struct gm_dtdl_element *element = reader->element;
    const struct gm_dtdl_element *parent = element->parent;
    struct gm_dtdl_report report = {
        .kind = GM_DTDL_E_BAD_TYPE,
        .at = parent != NULL ? parent : element,
        .primary = parent != NULL ? parent->id : nothing,
        .secondary = element->id,
        .property = parent != NULL ? gm_str_z(gm_dtdl_property_name_z(element->role)) : nothing,
        .value = value,
        .restriction = reader->concrete != 0 ? class_words(parser, reader->concrete)
                                             : GM_STR("the name of a standard element"),
    };
    if (value.p != NULL) {
        report.hint = gm_dtdl_format(parser, ", not @type \"" GM_STR_FMT "\"", GM_STR_ARG(value));
    } else if (gm_json_member(element->json, GM_STR("@type")) == NULL) {
        report.hint = GM_STR(", and there is no @type");
    }
    gm_dtdl_report(parser->errors, &report);
    reader->failed = true;
}

static void fail_type(struct reader *reader, enum gm_dtdl_error_kind kind, struct gm_str value,
                      struct gm_str hint)
{
    gm_dtdl_report(reader->parser->errors, &(struct gm_dtdl_report){.kind = kind,
                                                                    .at = reader->element,
                                                                    .primary = reader->element->id,
                                                                    .value = value,
                                                                    .hint = hint});
    reader->failed = true;
}

/* The newest extension that has a type of this name for this version of the language; -1: none. */
static int extension_with(const struct reader *reader, struct gm_str term)
{
    struct gm_str id;
    for (int known = GM_DTDL_KNOWN_COUNT - 1; known > GM_DTDL_KNOWN_V3; known--) {
        if (gm_dtdl_term_id(reader->parser->arena, known, term, &id)) {
            const struct gm_dtdl_cotype *cotype = gm_dtdl_cotype_find(id);
            if (cotype != NULL &&
                (cotype->dtdl_versions >> reader->element->dtdl_version & 1) != 0) {
                return known;
            }
        }
    }
    return -1;
}

/* The class or the extension that was meant, most often. */
static struct gm_str term_hint(const struct reader *reader, struct gm_str term)
{
    struct gm_dtdl_parser *parser = reader->parser;
    for (uint64_t rest = reader->concrete; rest != 0; rest &= rest - 1) {
        const char *name_z = gm_dtdl_class_name_z((enum gm_dtdl_class)__builtin_ctzll(rest));
        if (gm_str_distance(term, gm_str_z(name_z), 2) <= 2) {
            return gm_dtdl_format(parser, "did you mean \"%s\"?", name_z);
        }
    }
    int known = extension_with(reader, term);
    if (known >= 0) {
        return gm_dtdl_format(parser, "it belongs to %s;%d, add that to @context",
                              gm_dtdl_known[known].base_z, gm_dtdl_known[known].version);
    }
    return GM_STR("correct its name, or add the extension that has it to @context");
}

/* ---- one type ---- */

static void add_cotype(struct reader *reader, const struct gm_dtdl_cotype *cotype)
{
    for (size_t i = 0; i < reader->cotype_count; i++) {
        if (reader->cotypes[i] == cotype) {
            return;
        }
    }
    reader->cotypes[reader->cotype_count++] = cotype;
}

/* A text that is neither a DTMI nor a term in force. */
static void read_unknown(struct reader *reader, struct gm_str text)
{
    const struct gm_dtdl_context *context = reader->element->context;
    if (gm_str_starts(text, GM_STR("dtmi:"))) {
        fail_type(reader, GM_DTDL_E_TYPE_INVALID_DTMI, text, nothing);
    } else if (context->dtdl_version > 2 && (text.n == 0 || memchr(text.p, ':', text.n) != NULL)) {
        fail_type(reader, GM_DTDL_E_TYPE_NOT_DTMI_NOR_TERM, text, nothing);
    } else if (context->dtdl_version > 2 && !context->incomplete) {
        fail_type(reader, GM_DTDL_E_TYPE_UNDEFINED_TERM, text, term_hint(reader, text));
    } else {
        reader->element->undefined_cotype = true; /* v2 lets anything be a type */
    }
}

static void read_cotype(struct reader *reader, struct gm_str text)
{
    struct gm_str id;
    if (!gm_dtdl_context_id(reader->parser, reader->element->context, text, &id)) {
        read_unknown(reader, text);
        return;
    }
    const struct gm_dtdl_cotype *cotype = gm_dtdl_cotype_find(id);
    if (cotype == NULL) {
        if (!reader->element->context->incomplete) {
            fail_type(reader, GM_DTDL_E_TYPE_IRRELEVANT_DTMI_OR_TERM, text, nothing);
        }
        reader->element->undefined_cotype = true;
    } else if (cotype->abstract) {
        gm_dtdl_report(reader->parser->errors,
                       &(struct gm_dtdl_report){.kind = GM_DTDL_E_ABSTRACT_SUPPLEMENTAL_TYPE,
                                                .at = reader->element,
                                                .primary = reader->element->id,
                                                .type = gm_dtdl_term_of(id)});
        reader->failed = true;
    } else if (cotype->kind == GM_DTDL_COTYPE_UNIT ||
               cotype->kind == GM_DTDL_COTYPE_UNIT_ATTRIBUTE) {
        fail_class(reader, text);
    } else {
        add_cotype(reader, cotype);
    }
}

static void add_class(struct reader *reader, enum gm_dtdl_class class)
{
    uint64_t bit = (uint64_t)1 << class;
    if ((reader->classes & bit) == 0) {
        reader->class_names =
            gm_dtdl_format(reader->parser, GM_STR_FMT "%s%s", GM_STR_ARG(reader->class_names),
                           reader->classes != 0 ? " and " : "", gm_dtdl_class_name_z(class));
    }
    reader->classes |= bit;
    reader->element->class = class;
}

static void read_type(struct reader *reader, struct gm_str text)
{
    enum gm_dtdl_class class = gm_dtdl_class_of(text, reader->element->dtdl_version);
    if (class != GM_DTDL_CLASS_NONE && (reader->concrete >> class & 1) != 0) {
        add_class(reader, class);
        return;
    }
    if (gm_dtdl_is_class(text)) {
        fail_class(reader, text);
        return;
    }
    read_cotype(reader, text);
}

/* ---- types together ---- */

static bool has(const struct reader *reader, struct gm_str id)
{
    for (size_t i = 0; i < reader->cotype_count; i++) {
        if (gm_str_is(id, reader->cotypes[i]->id_z)) {
            return true;
        }
    }
    return false;
}

static bool has_one_of(const struct reader *reader, const char *ids_z)
{
    struct gm_str id;
    while (gm_dtdl_word_next(&ids_z, &id)) {
        if (has(reader, id)) {
            return true;
        }
    }
    return false;
}

static void report_cotype(struct reader *reader, enum gm_dtdl_error_kind kind,
                          const struct gm_dtdl_cotype *cotype, struct gm_str restriction)
{
    gm_dtdl_report(reader->parser->errors,
                   &(struct gm_dtdl_report){.kind = kind,
                                            .at = reader->element,
                                            .primary = reader->element->id,
                                            .type = gm_dtdl_term_of(gm_str_z(cotype->id_z)),
                                            .restriction = restriction});
}

static void report_version(struct reader *reader, const struct gm_dtdl_cotype *cotype)
{
    struct gm_str term = gm_dtdl_term_of(gm_str_z(cotype->id_z));
    int known = extension_with(reader, term);
    struct gm_str hint = GM_STR("remove it");
    if (known >= 0) {
        hint = gm_dtdl_format(reader->parser, "take the extension of version %d instead, %s;%d",
                              gm_dtdl_known[known].version, gm_dtdl_known[known].base_z,
                              gm_dtdl_known[known].version);
    }
    gm_dtdl_report(reader->parser->errors,
                   &(struct gm_dtdl_report){.kind = GM_DTDL_E_INVALID_COTYPE_VERSION,
                                            .at = reader->element,
                                            .primary = reader->element->id,
                                            .type = term,
                                            .count = reader->element->dtdl_version,
                                            .hint = hint});
}

/* Two types that bring a member of one name: whose would it be? */
static void check_conflict(struct reader *reader, size_t before,
                           const struct gm_dtdl_cotype *cotype)
{
    for (size_t i = 0; i < cotype->extra_count; i++) {
        for (size_t j = 0; j < before; j++) {
            const struct gm_dtdl_cotype *other = reader->element->cotypes[j];
            for (size_t k = 0; k < other->extra_count; k++) {
                if (strcmp(other->extras[k].id_z, cotype->extras[i].id_z) != 0) {
                    continue;
                }
                gm_dtdl_report(reader->parser->errors,
                               &(struct gm_dtdl_report){
                                   .kind = GM_DTDL_E_CONFLICTING_SUPPLEMENTAL_TYPES,
                                   .at = reader->element,
                                   .primary = reader->element->id,
                                   .type = gm_dtdl_term_of(gm_str_z(other->id_z)),
                                   .restriction = gm_dtdl_term_of(gm_str_z(cotype->id_z)),
                                   .property = gm_dtdl_term_of(gm_str_z(cotype->extras[i].id_z))});
                return;
            }
        }
    }
}

/* The types go with the class, with its version, and with each other. */
static void settle_cotypes(struct reader *reader)
{
    struct gm_dtdl_element *element = reader->element;
    element->cotypes = reader->cotypes;
    for (size_t i = 0; i < reader->cotype_count; i++) {
        const struct gm_dtdl_cotype *cotype = reader->cotypes[i];
        bool fits =
            (cotype->classes >> element->class & 1) != 0 || has_one_of(reader, cotype->instead_z);
        if (!fits) {
            report_cotype(
                reader, GM_DTDL_E_INVALID_COTYPE, cotype,
                class_words(reader->parser,
                            cotype->classes & (((uint64_t)1 << GM_DTDL_CLASS_COUNT) - 1)));
            continue;
        }
        if ((cotype->dtdl_versions >> element->dtdl_version & 1) == 0) {
            report_version(reader, cotype);
            continue;
        }
        check_conflict(reader, i, cotype);
        struct gm_str needed;
        for (const char *rest_z = cotype->with_z; gm_dtdl_word_next(&rest_z, &needed);) {
            if (!has(reader, needed)) {
                report_cotype(reader, GM_DTDL_E_MISSING_COCOTYPE, cotype, gm_dtdl_term_of(needed));
            }
        }
    }
    /* Those that do not fit still bring their members, so that these are not complained of, too. */
    element->cotype_count = reader->cotype_count;
}

/* False: it has no class, or several. */
static bool settle_class(struct reader *reader)
{
    if (reader->failed) {
        return false;
    }
    if (reader->classes == 0) {
        fail_class(reader, nothing);
        return false;
    }
    if ((reader->classes & (reader->classes - 1)) == 0) {
        return true;
    }
    fail_type(reader, GM_DTDL_E_MULTIPLE_MATERIAL_TYPES, reader->class_names, nothing);
    return false;
}

/* Its id may be too long for an interface. */
static void check_id_size(struct reader *reader)
{
    const struct gm_dtdl_element *element = reader->element;
    if (element->class == GM_DTDL_CLASS_INTERFACE && element->id.n > GM_DTDL_INTERFACE_ID_MAX) {
        gm_dtdl_report(reader->parser->errors,
                       &(struct gm_dtdl_report){.kind = GM_DTDL_E_ID_TOO_LONG_FOR_TYPE,
                                                .at = element,
                                                .value = element->id,
                                                .type = GM_STR("Interface"),
                                                .count = GM_DTDL_INTERFACE_ID_MAX});
    }
}

bool gm_dtdl_types_parse(struct gm_dtdl_parser *parser, struct gm_dtdl_element *element,
                         const struct gm_dtdl_rule *rule, yyjson_mut_val *type)
{
    struct reader reader = {.parser = parser, .element = element};
    reader.wanted = rule != NULL ? gm_dtdl_limits_of(rule, element->parent->dtdl_version)->class
                                 : GM_DTDL_CLASS_INTERFACE;
    reader.concrete =
        gm_dtdl_class_concrete(reader.wanted, element->dtdl_version) & ~GM_DTDL_STANDARD_CLASSES;
    if (type == NULL) {
        if (rule == NULL || !rule->type_optional) {
            fail_class(&reader, nothing);
            return false;
        }
        element->class = reader.wanted;
        return true;
    }
    struct gm_dtdl_items items = gm_dtdl_items_of(type);
    reader.cotypes = gm_dtdl_alloc(parser, items.left, sizeof(reader.cotypes[0]));
    if (reader.cotypes == NULL) {
        return false;
    }
    for (yyjson_mut_val *item; (item = gm_dtdl_items_next(&items)) != NULL;) {
        struct gm_str text = gm_json_str(item);
        if (text.p == NULL) {
            fail_type(&reader, GM_DTDL_E_TYPE_NOT_DTMI_NOR_TERM, GM_STR(""), nothing);
        } else {
            read_type(&reader, text);
        }
    }
    if (!settle_class(&reader)) {
        return false;
    }
    check_id_size(&reader);
    settle_cotypes(&reader);
    return true;
}
