/* Rows of a result as JSON. */
#include "base/num.h"
#include "twin/query_plan.h"
#include "twin/twin_json.h"
#include "json/scan.h"

enum { COLUMNS_OF_COLLECTION = 7 };

static struct gm_str text_at(struct gm_plan_row *row, int offset)
{
    struct gm_str text = gm_column_text(row->stmt, row->column + offset);
    row->bytes += text.n;
    return text;
}

static int64_t int_at(const struct gm_plan_row *row, int offset)
{
    return gm_column_i64(row->stmt, row->column + offset);
}

static gm_rc read_twin(struct gm_plan_row *row, yyjson_mut_val **out_value, struct gm_err *err)
{
    struct gm_twin twin = {
        .num = int_at(row, 0),
        .id = text_at(row, 1),
        .version = int_at(row, 2),
        .created = int_at(row, 3),
        .updated = int_at(row, 4),
        .times = text_at(row, 5),
        .body = text_at(row, 6),
    };
    return gm_twin_json(row->doc, row->plan->models, &twin, out_value, err);
}

static gm_rc read_relationship(struct gm_plan_row *row, yyjson_mut_val **out_value,
                               struct gm_err *err)
{
    struct gm_relationship relationship = {
        .source = int_at(row, 0),
        .id = text_at(row, 1),
        .name = text_at(row, 2),
        .source_id = text_at(row, 3),
        .target_id = text_at(row, 4),
        .version = int_at(row, 5),
        .body = text_at(row, 6),
    };
    return gm_relationship_json(row->doc, &relationship, out_value, err);
}

static gm_rc read_collection(struct gm_plan_row *row, const struct gm_plan_collection *collection,
                             yyjson_mut_val **out_value, struct gm_err *err)
{
    gm_rc rc = collection->relationship ? read_relationship(row, out_value, err)
                                        : read_twin(row, out_value, err);
    row->column += COLUMNS_OF_COLLECTION;
    return rc;
}

/* The JSON of every collection that the row needs. */
static gm_rc read_collections(struct gm_plan_row *row, yyjson_mut_val **out_values,
                              struct gm_err *err)
{
    for (int i = 0; i < row->plan->collection_count; i++) {
        const struct gm_plan_collection *collection = &row->plan->collections[i];
        if (collection->selected) {
            GM_TRY(read_collection(row, collection, &out_values[i], err));
        }
    }
    return GM_OK;
}

/* What is at the path; NULL: undefined. */
static yyjson_mut_val *walk(yyjson_mut_val *value, const struct gm_plan_select *select)
{
    for (size_t i = 0; i < select->segment_count && value != NULL; i++) {
        bool is_id = i == 0 && gm_str_same(select->segments[0], GM_STR("$dtId"));
        value = gm_json_member(value, is_id ? GM_STR("$dtId") : select->segments[i]);
    }
    return value;
}

static gm_rc make_plain(struct gm_plan_row *row, yyjson_mut_val **out_value, struct gm_err *err)
{
    yyjson_mut_val *values[GM_PLAN_COLLECTIONS_MAX] = {NULL};
    GM_TRY(read_collections(row, values, err));
    const struct gm_query *query = row->plan->query;
    if (query->all) {
        *out_value = values[0];
        return GM_OK;
    }
    yyjson_mut_val *object = yyjson_mut_obj(row->doc);
    bool ok = object != NULL;
    for (size_t i = 0; i < query->select_count && ok; i++) {
        const struct gm_plan_select *select = &row->plan->selects[i];
        yyjson_mut_val *found = walk(values[select->collection], select);
        if (found != NULL) {
            yyjson_mut_val *key = gm_json_strref(row->doc, select->name);
            yyjson_mut_val *copy = gm_json_copy(row->doc, found);
            ok = key != NULL && copy != NULL && yyjson_mut_obj_add(object, key, copy);
        }
    }
    *out_value = object;
    return ok ? GM_OK
              : gm_fail(err, GM_E_LIMIT, "a row of the result is larger than %d bytes",
                        GM_QUERY_ROW_SIZE_MAX);
}

/* ---- groups ---- */

static yyjson_mut_val *number_of(const struct gm_plan_row *row, int column)
{
    struct gm_str text;
    int64_t i;
    double d;
    switch (gm_column_type(row->stmt, column)) {
    case GM_COLUMN_DOUBLE:
        return yyjson_mut_real(row->doc, gm_column_double(row->stmt, column));
    case GM_COLUMN_TEXT: /* PostgreSQL's NUMERIC */
        text = gm_column_text(row->stmt, column);
        if (gm_parse_i64(text, &i)) {
            return yyjson_mut_sint(row->doc, i);
        }
        return gm_parse_double(text, &d) ? yyjson_mut_real(row->doc, d) : NULL;
    default:
        return yyjson_mut_sint(row->doc, gm_column_i64(row->stmt, column));
    }
}

/* Hundreds of nanoseconds; PostgreSQL has them as NUMERIC when other cells of the column are. */
static gm_ns time_at(const struct gm_plan_row *row)
{
    int64_t time = 0;
    if (gm_column_type(row->stmt, row->column + 1) != GM_COLUMN_TEXT) {
        return gm_column_i64(row->stmt, row->column + 1);
    }
    return gm_parse_i64(gm_column_text(row->stmt, row->column + 1), &time) ? time : 0;
}

/* Rank, number and text as the value they stand for; NULL in *out_value: undefined. */
static gm_rc read_cell(struct gm_plan_row *row, yyjson_mut_val **out_value, struct gm_err *err)
{
    char text[GM_TIME_TEXT_SIZE];
    int64_t rank = int_at(row, 0);
    *out_value = NULL;
    switch (rank) {
    case GM_JSON_RANK_UNDEFINED:
        return GM_OK;
    case GM_JSON_RANK_NULL:
        *out_value = yyjson_mut_null(row->doc);
        break;
    case GM_JSON_RANK_BOOL:
        *out_value = yyjson_mut_bool(row->doc, gm_column_double(row->stmt, row->column + 1) != 0);
        break;
    case GM_JSON_RANK_NUMBER:
        *out_value = number_of(row, row->column + 1);
        break;
    case GM_JSON_RANK_TEXT:
        *out_value = gm_json_strcpy(row->doc, text_at(row, 2));
        break;
    case GM_PLAN_RANK_TIME:
        (void)gm_time_format(time_at(row) * 100, text);
        *out_value = gm_json_strcpy(row->doc, gm_str_z(text));
        break;
    default:
        return gm_json_parse(row->doc, text_at(row, 2), out_value, err);
    }
    return *out_value != NULL ? GM_OK : gm_fail(err, GM_E_LIMIT, "no room for a row");
}

static gm_rc read_item(struct gm_plan_row *row, const struct gm_plan_item *item,
                       yyjson_mut_val **out_value, struct gm_err *err)
{
    const struct gm_plan *plan = row->plan;
    if (!item->aggregate) {
        const struct gm_plan_select *path = &plan->whole->cells[item->index].path;
        if (path->segment_count == 0) {
            return read_collection(row, &plan->collections[path->collection], out_value, err);
        }
    }
    gm_rc rc = read_cell(row, out_value, err);
    row->column += 3;
    return rc;
}

static gm_rc make_group(struct gm_plan_row *row, yyjson_mut_val **out_value, struct gm_err *err)
{
    const struct gm_query *query = row->plan->query;
    yyjson_mut_val *object = yyjson_mut_obj(row->doc);
    bool ok = object != NULL;
    for (size_t i = 0; i < query->select_count && ok; i++) {
        yyjson_mut_val *value;
        GM_TRY(read_item(row, &row->plan->whole->items[i], &value, err));
        if (value != NULL) {
            yyjson_mut_val *key = gm_json_strref(row->doc, query->selects[i].name);
            ok = key != NULL && yyjson_mut_obj_add(object, key, value);
        }
    }
    *out_value = object;
    return ok ? GM_OK : gm_fail(err, GM_E_LIMIT, "no room for a row");
}

gm_rc gm_plan_row_make(struct gm_plan_row *row, yyjson_mut_val **out_value, struct gm_err *err)
{
    const struct gm_plan_whole *whole = row->plan->whole;
    return whole != NULL && whole->grouped ? make_group(row, out_value, err)
                                           : make_plain(row, out_value, err);
}
