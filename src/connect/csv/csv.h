/* Source `csv`: rows of CSV files. Start reading in csv.c; rows.h is the grammar, types.h the
 * types, ../file_source.h the pass over files. */
#ifndef GM_CONNECT_CSV_CSV_H
#define GM_CONNECT_CSV_CSV_H

#include "connect/connector.h"

struct gm_csv_conf {
    const char *path;
    struct gm_conf_strs key;
    bool header;
    struct gm_conf_strs columns;
    char delimiter;
    char quote;
    const char *null_text;
    const struct gm_node *types;
    const char *archive;
};

extern const struct gm_field gm_csv_fields[];
void gm_csv_lint(struct gm_conf_doc *doc, const struct gm_node *node, const void *conf);

extern const struct gm_connector gm_connector_csv;

#endif
