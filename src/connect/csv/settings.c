/* The settings of source `csv`, and what is checked across them. */
#include "connect/csv/csv.h"
#include "connect/csv/types.h"
#include "connect/file_source.h"
#include "connect/source.h"

const struct gm_field gm_csv_fields[] = {
    GM_FIELD_PATH(struct gm_csv_conf, path, .flags = GM_F_REQUIRED, .example = "\"orders/*.csv\"",
                  .help =
                      "A file, a folder (all files in it), or a pattern for the names of files: "
                      "`*` any text, `?` one character, `[a-z]` one of a set. Files are read in "
                      "the order of their names; names that begin with a dot or end in `.tmp` "
                      "or `.part` are passed over. gzip and zstd are recognised by content."),
    GM_FIELD_STRS(struct gm_csv_conf, key, .flags = GM_F_REQUIRED, .example = "OrderID",
                  .help =
                      "Column, or list of columns, that identifies a row. A row in which one of "
                      "them is null is set aside as an error."),
    GM_FIELD_BOOL(struct gm_csv_conf, header, .def = "true",
                  .help = "The first line of each file names the columns."),
    GM_FIELD_STRS(struct gm_csv_conf, columns, .example = "[OrderID, Customer, Amount]",
                  .help = "Names of the columns of files without a header."),
    GM_FIELD_CHAR(struct gm_csv_conf, delimiter, .def = ",", .example = "\";\"",
                  .help = "Character between fields; `tab` for a tabulator."),
    GM_FIELD_CHAR(struct gm_csv_conf, quote, .def = "\"", .flags = GM_F_ADVANCED,
                  .help = "Character around fields that contain delimiters, quotes (doubled) or "
                          "line ends."),
    GM_FIELD_STR(struct gm_csv_conf, null_text, .def = "", .example = "\"NULL\"",
                 .help = "A field with this text, and without quotes, is null. By default that is "
                         "the empty field, while `\"\"` is an empty text."),
    GM_FIELD_NODE(struct gm_csv_conf, types, .example = "{ OrderID: int, Amount: double }",
                  .help = "Types of columns: `text` (the default), `int` (64 bits), `double`, "
                          "`bool` (true/false, yes/no, t/f, 1/0), `json`. A field that is not of "
                          "its type makes its row an error. The types of a model's properties are "
                          "checked in any case."),
    GM_FIELD_PATH(struct gm_csv_conf, archive, .example = "orders/done",
                  .help = "Folder, on the same file system, that files are moved to after a run "
                          "that delivered all of them. The files are increments then: an object "
                          "that is in none of them is not taken for deleted. Without it the files "
                          "are read in every run and are the complete state."),
    GM_FIELD_END,
};

static void lint_name(struct gm_conf_doc *doc, const struct gm_place *place, const char *setting_z,
                      struct gm_str name, const struct gm_conf_strs *columns)
{
    for (size_t i = 0; i < columns->n; i++) {
        if (gm_str_is(name, columns->at[i])) {
            return;
        }
    }
    const char *nearest_z = gm_conf_nearest(name, columns->at, columns->n);
    if (nearest_z != NULL) {
        gm_conf_error(doc, place,
                      "`%s`: `" GM_STR_FMT "` is not among `columns`; did you mean `%s`?",
                      setting_z, GM_STR_ARG(name), nearest_z);
    } else {
        gm_conf_error(doc, place, "`%s`: `" GM_STR_FMT "` is not among `columns`", setting_z,
                      GM_STR_ARG(name));
    }
}

static void lint_columns(struct gm_conf_doc *doc, const struct gm_node *node,
                         const struct gm_csv_conf *csv)
{
    if (csv->header && csv->columns.n > 0) {
        gm_conf_error(doc, &node->place,
                      "`columns` is for files without a header; leave it out, or write "
                      "`header: false`");
        return;
    }
    if (!csv->header && csv->columns.n == 0) {
        gm_conf_error(doc, &node->place, "`header: false` needs the names of the `columns`");
        return;
    }
    for (size_t i = 0; !csv->header && i < csv->key.n; i++) {
        lint_name(doc, &node->place, "key", gm_str_z(csv->key.at[i]), &csv->columns);
    }
}

static void lint_types(struct gm_conf_doc *doc, const struct gm_csv_conf *csv)
{
    const struct gm_node *types = csv->types;
    if (types == NULL || types->type == GM_NODE_NULL) {
        return;
    }
    if (types->type != GM_NODE_MAP) {
        gm_conf_error(doc, &types->place, "`types`: write { COLUMN: TYPE, … }");
        return;
    }
    for (size_t i = 0; i < types->item_count; i++) {
        const struct gm_node *item = types->items[i];
        enum gm_csv_type type;
        if (item->type != GM_NODE_SCALAR || !gm_csv_type_find(item->text, &type)) {
            gm_conf_error(doc, &item->place,
                          "`types`: the type of `" GM_STR_FMT
                          "` must be text, int, double, bool or json",
                          GM_STR_ARG(item->key));
        }
        if (!csv->header && csv->columns.n > 0) {
            lint_name(doc, &item->key_place, "types", item->key, &csv->columns);
        }
    }
}

void gm_csv_lint(struct gm_conf_doc *doc, const struct gm_node *node, const void *conf)
{
    const struct gm_csv_conf *csv = conf;
    gm_file_source_lint(doc, node, csv->path, csv->archive);
    if (csv->delimiter == csv->quote) {
        gm_conf_error(doc, &node->place, "`delimiter` and `quote` must differ");
    }
    if (csv->delimiter == '\n' || csv->delimiter == '\r' || csv->quote == '\n' ||
        csv->quote == '\r') {
        gm_conf_error(doc, &node->place, "`delimiter` and `quote` cannot be line ends");
    }
    if (csv->key.n > GM_KEY_PARTS_MAX) {
        gm_conf_error(doc, &node->place, "`key`: at most %d columns", GM_KEY_PARTS_MAX);
    }
    const struct gm_node *null_text = gm_node_member(node, GM_STR("null_text"));
    if (null_text != NULL && null_text->type == GM_NODE_NULL) {
        gm_conf_error(doc, &null_text->place,
                      "`null_text`: YAML reads this as no value; write it in quotes: \"NULL\"");
    }
    lint_columns(doc, node, csv);
    lint_types(doc, csv);
}
