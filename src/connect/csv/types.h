/* The types of CSV columns: how a field's text becomes a cell. Strict and independent of locale. */
#ifndef GM_CONNECT_CSV_TYPES_H
#define GM_CONNECT_CSV_TYPES_H

#include "flow/record.h"

enum gm_csv_type { GM_CSV_TEXT, GM_CSV_INT, GM_CSV_DOUBLE, GM_CSV_BOOL, GM_CSV_JSON };

/* False: there is no type of that name. */
bool gm_csv_type_find(struct gm_str name, enum gm_csv_type *out_type);
const char *gm_csv_type_name(enum gm_csv_type type);
extern const char *const gm_csv_type_names[]; /* NULL-terminated */

/* False: the text is not of the type; the cell is left alone. JSON is made in `doc`. */
bool gm_csv_convert(enum gm_csv_type type, struct gm_str text, yyjson_mut_doc *doc,
                    struct gm_cell *out_cell);

#endif
