/* Nodes to structs, through field tables. Nothing stops at the first error: a field that is wrong
 * keeps its default, is reported, and the next one is decoded. Recursion follows the nodes, which
 * are bounded by GM_CONF_DEPTH_MAX. */
#include "conf/inside.h"

/* Names listed in a message about an unknown one. */
enum { NAMES_SHOWN_MAX = 12, NAMES_TEXT_MAX = 500 };

static void decode_members(struct gm_conf_doc *doc, const struct gm_node *map,
                           const struct gm_field *fields, void *conf);

static void *slot_of(const struct gm_field *field, void *conf)
{
    return (char *)conf + field->offset;
}

static size_t field_count(const struct gm_field *fields)
{
    size_t count = 0;
    while (fields[count].type != GM_T_END) {
        count++;
    }
    return count;
}

/* "did you mean `schedule`?", or what is known here. */
static void report_unknown(struct gm_conf_doc *doc, const struct gm_node *node, const char *what_z,
                           const char *const *names, size_t count)
{
    const char *path_z = gm_conf_setting_path(doc, node, NULL);
    const char *nearest = gm_conf_nearest(node->key.n > 0 ? node->key : node->text, names, count);
    if (nearest != NULL) {
        gm_conf_error(doc, gm_conf_place_of(node), "unknown %s `%s`; did you mean `%s`?", what_z,
                      path_z, nearest);
        return;
    }
    struct gm_buf known;
    gm_buf_init(&known, NAMES_TEXT_MAX);
    gm_conf_add_names(&known, names, count, NAMES_SHOWN_MAX);
    gm_conf_error(doc, gm_conf_place_of(node), "unknown %s `%s`; known here: %s", what_z, path_z,
                  known.n > 0 ? known.p : "none");
    gm_buf_deinit(&known);
}

static void report_unknown_members(struct gm_conf_doc *doc, const struct gm_node *map,
                                   const struct gm_field *fields)
{
    size_t count = field_count(fields);
    const char **names = gm_alloc_array(count + 1, sizeof(*names));
    for (size_t i = 0; i < count; i++) {
        names[i] = fields[i].name_z;
    }
    for (size_t i = 0; i < map->item_count; i++) {
        size_t k = 0;
        while (k < count && !gm_str_is(map->items[i]->key, names[k])) {
            k++;
        }
        if (k == count) {
            report_unknown(doc, map->items[i], "setting", names, count);
        }
    }
    gm_free(names);
}

static void report_missing(struct gm_conf_doc *doc, const struct gm_node *map,
                           const struct gm_field *field)
{
    gm_conf_error(doc, gm_conf_place_of(map), "`%s` is missing; write `%s: %s`",
                  gm_conf_setting_path(doc, map, field->name_z), field->name_z,
                  field->example != NULL ? field->example : "…");
}

/* ---- lists, maps ---- */

/* Lists and maps of settings with a place for each; NULL when `node` has another type, or at the
 * memory limit. */
static void *new_items(struct gm_conf_doc *doc, const struct gm_field *field,
                       const struct gm_node *node, size_t size)
{
    enum gm_node_type type = field->type == GM_T_MAP ? GM_NODE_MAP : GM_NODE_LIST;
    if (node->type != type) {
        gm_conf_expected(doc, node, gm_conf_type_phrase(field->type));
        return NULL;
    }
    if (!gm_conf_check_count(doc, field, node, node->item_count)) {
        return NULL;
    }
    return gm_conf_alloc(doc, (node->item_count + 1) * size);
}

static void decode_list(struct gm_conf_doc *doc, const struct gm_field *field,
                        const struct gm_node *node, void *slot)
{
    struct gm_conf_list list = {new_items(doc, field, node, field->item_size), node->item_count};
    if (list.at == NULL) {
        return;
    }
    for (size_t i = 0; i < list.n; i++) {
        decode_members(doc, node->items[i], field->fields, (char *)list.at + i * field->item_size);
    }
    *(struct gm_conf_list *)slot = list;
}

static void decode_choice(struct gm_conf_doc *doc, const struct gm_field *field,
                          const struct gm_node *node, void *slot);

static void decode_map(struct gm_conf_doc *doc, const struct gm_field *field,
                       const struct gm_node *node, void *slot)
{
    struct gm_conf_map map = {new_items(doc, field, node, sizeof(*map.at)), node->item_count};
    if (map.at == NULL) {
        return;
    }
    for (size_t i = 0; i < map.n; i++) {
        map.at[i].name_z = gm_conf_dup_z(doc, node->items[i]->key);
        map.at[i].value = gm_conf_alloc(doc, field->item_size);
        map.at[i].node = node->items[i];
        if (map.at[i].name_z == NULL || map.at[i].value == NULL) {
            return;
        }
        if (field->alternatives != NULL) {
            decode_choice(doc, field, node->items[i], map.at[i].value);
        } else {
            decode_members(doc, node->items[i], field->fields, map.at[i].value);
        }
    }
    *(struct gm_conf_map *)slot = map;
}

static void decode_strs(struct gm_conf_doc *doc, const struct gm_field *field, struct gm_node *node,
                        void *slot)
{
    bool is_list = node->type == GM_NODE_LIST;
    if (!is_list && node->type != GM_NODE_SCALAR) {
        gm_conf_expected(doc, node, gm_conf_type_phrase(field->type));
        return;
    }
    size_t count = is_list ? node->item_count : 1;
    struct gm_conf_strs strs = {gm_conf_alloc(doc, (count + 1) * sizeof(*strs.at)), count};
    if (strs.at == NULL || !gm_conf_check_count(doc, field, node, count)) {
        return;
    }
    bool decoded = true;
    for (size_t i = 0; i < count; i++) {
        decoded &= gm_conf_decode_scalar(doc, field, is_list ? node->items[i] : node, &strs.at[i]);
    }
    if (decoded) {
        *(struct gm_conf_strs *)slot = strs;
    }
}

/* ---- choices ---- */

static size_t alternative_count(const struct gm_field *field)
{
    size_t count = 0;
    while (field->alternatives()[count] != NULL) {
        count++;
    }
    return count;
}

/* The names of the alternatives; the caller frees. */
static const char **alternative_names(const struct gm_field *field, size_t count)
{
    const char **names = gm_alloc_array(count + 1, sizeof(*names));
    for (size_t i = 0; i < count; i++) {
        names[i] = field->alternatives()[i]->name_z;
    }
    return names;
}

static const struct gm_alternative *find_alternative(const struct gm_field *field,
                                                     struct gm_str name)
{
    for (size_t i = 0; field->alternatives()[i] != NULL; i++) {
        if (gm_str_is(name, field->alternatives()[i]->name_z)) {
            return field->alternatives()[i];
        }
    }
    return NULL;
}

/* Not exactly one member, or not a map at all. */
static void report_choice(struct gm_conf_doc *doc, const struct gm_field *field,
                          const struct gm_node *node)
{
    size_t count = alternative_count(field);
    const char **names = alternative_names(field, count);
    struct gm_buf known;
    gm_buf_init(&known, NAMES_TEXT_MAX);
    gm_conf_add_names(&known, names, count, NAMES_SHOWN_MAX);
    char found[GM_CONF_FOUND_SIZE];
    gm_conf_found(node, found);
    const char *path_z = gm_conf_setting_path(doc, node, NULL);
    const char *known_z = known.n > 0 ? known.p : "";
    if (node->type == GM_NODE_MAP && node->item_count > 1) {
        const struct gm_node *first = node->items[0];
        const struct gm_node *second = node->items[1];
        gm_conf_error(doc, gm_conf_place_of(second),
                      "`%s`: takes exactly one of %s; found `" GM_STR_FMT "` and `" GM_STR_FMT "`",
                      path_z, known_z, GM_STR_ARG(first->key), GM_STR_ARG(second->key));
    } else {
        gm_conf_error(doc, gm_conf_place_of(node), "`%s`: takes exactly one of %s; found %s",
                      path_z, known_z, node->type == GM_NODE_MAP ? "none" : found);
    }
    gm_buf_deinit(&known);
    gm_free(names);
}

/* What `sink: twins` stands for: `sink: { twins: }`. */
static const struct gm_node *empty_settings(struct gm_conf_doc *doc, const struct gm_node *name)
{
    struct gm_node *empty = gm_conf_alloc(doc, sizeof(*empty));
    if (empty != NULL) {
        empty->type = GM_NODE_NULL;
        empty->place = name->place;
        empty->key = name->text;
        empty->key_place = name->place;
        empty->parent = name;
    }
    return empty;
}

static void decode_choice(struct gm_conf_doc *doc, const struct gm_field *field,
                          const struct gm_node *node, void *slot)
{
    bool is_name =
        node->type == GM_NODE_SCALAR; /* `sink: twins`: the alternative without settings */
    if (!is_name && (node->type != GM_NODE_MAP || node->item_count != 1)) {
        report_choice(doc, field, node);
        return;
    }
    const struct gm_node *settings = is_name ? node : node->items[0];
    const struct gm_alternative *alternative =
        find_alternative(field, is_name ? node->text : settings->key);
    if (alternative == NULL && is_name) {
        report_choice(doc, field, node);
        return;
    }
    if (alternative == NULL) {
        size_t count = alternative_count(field);
        const char **names = alternative_names(field, count);
        report_unknown(doc, settings, "choice", names, count);
        gm_free(names);
        return;
    }
    struct gm_conf_choice choice = {alternative, gm_conf_alloc(doc, alternative->conf_size + 1),
                                    settings};
    if (choice.conf == NULL) {
        return;
    }
    if (is_name) {
        settings = empty_settings(doc, node);
    }
    if (settings != NULL) {
        decode_members(doc, settings, alternative->fields, choice.conf);
        *(struct gm_conf_choice *)slot = choice;
    }
}

/* ---- fields ---- */

static void decode_default(struct gm_conf_doc *doc, const struct gm_place *place,
                           const struct gm_field *field, void *slot)
{
    struct gm_node *node = gm_conf_alloc(doc, sizeof(*node)); /* a choice keeps it */
    if (node == NULL) {
        return;
    }
    node->type = GM_NODE_SCALAR;
    node->text = gm_str_z(field->def);
    node->place = *place; /* a relative path is relative to this file */
    size_t errors_before = doc->problem_count;
    bool full_before = doc->full;
    if (field->type == GM_T_CHOICE) {
        decode_choice(doc, field, node, slot);
    } else if (field->type == GM_T_STRS) {
        decode_strs(doc, field, node, slot);
    } else {
        (void)gm_conf_decode_scalar(doc, field, node, slot);
    }
    /* A default that does not decode is a mistake in the field table. */
    GM_ASSERT(doc->problem_count == errors_before || doc->full != full_before);
}

/* What a struct holds when nothing is written; what is required in it is not missed, since the
 * struct itself is not. */
static void decode_defaults(struct gm_conf_doc *doc, const struct gm_place *place,
                            const struct gm_field *fields, void *conf)
{
    for (const struct gm_field *field = fields; field->type != GM_T_END; field++) {
        if (field->def != NULL) {
            decode_default(doc, place, field, slot_of(field, conf));
        } else if (field->type == GM_T_STRUCT) {
            decode_defaults(doc, place, field->fields, slot_of(field, conf));
        }
    }
}

static void decode_field(struct gm_conf_doc *doc, const struct gm_field *field,
                         struct gm_node *node, void *slot)
{
    switch (field->type) {
    case GM_T_STRUCT:
        decode_members(doc, node, field->fields, slot);
        break;
    case GM_T_LIST:
        decode_list(doc, field, node, slot);
        break;
    case GM_T_MAP:
        decode_map(doc, field, node, slot);
        break;
    case GM_T_CHOICE:
        decode_choice(doc, field, node, slot);
        break;
    case GM_T_NODE:
        *(const struct gm_node **)slot = node;
        break;
    case GM_T_STRS:
        decode_strs(doc, field, node, slot);
        break;
    default:
        (void)gm_conf_decode_scalar(doc, field, node, slot);
        break;
    }
}

static void decode_members(struct gm_conf_doc *doc, const struct gm_node *map,
                           const struct gm_field *fields, void *conf)
{
    decode_defaults(doc, &map->place, fields, conf);
    if (map->type != GM_NODE_MAP && map->type != GM_NODE_NULL) {
        gm_conf_expected(doc, map, "settings");
        return;
    }
    for (const struct gm_field *field = fields; field->type != GM_T_END; field++) {
        struct gm_node *node = gm_node_member(map, gm_str_z(field->name_z));
        if (node != NULL && node->type != GM_NODE_NULL) {
            decode_field(doc, field, node, slot_of(field, conf));
        } else if ((field->flags & GM_F_REQUIRED) != 0) {
            report_missing(doc, map, field);
        }
    }
    report_unknown_members(doc, map, fields);
}

const struct gm_node *gm_conf_load(struct gm_conf_doc *doc, const char *file_z, struct gm_str text)
{
    const char *file_copy_z = gm_conf_dup_z(doc, gm_str_z(file_z));
    return file_copy_z != NULL ? gm_conf_parse_yaml(doc, file_copy_z, text) : NULL;
}

void gm_conf_decode(struct gm_conf_doc *doc, const struct gm_node *node,
                    const struct gm_field *fields, void *conf)
{
    if (node != NULL) {
        decode_members(doc, node, fields, conf);
    }
}
