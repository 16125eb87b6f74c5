/* A list that a command prints: a table for people, an array of JSON with --json.
 *
 *     struct gm_listing list;
 *     gm_listing_init(&list, args, heads, GM_ARRAY_COUNT(heads));
 *     … of each item:
 *         struct gm_buf *json = gm_listing_item(&list);
 *         if (json != NULL) { gm_run_write_json(run, json); }
 *         else { gm_table_add(list.table, cells); }      // texts of the cells in list.arena
 *     gm_listing_end(&list, rc == GM_OK, "no runs");
 *
 * Thread rule: one owner. */
#ifndef GM_CLI_LISTING_H
#define GM_CLI_LISTING_H

#include "cli/command.h"

struct gm_listing {
    struct gm_table *table; /* NULL: JSON is wanted */
    struct gm_arena *arena;
    struct gm_buf json;
    size_t count; /* of items */
};

void gm_listing_init(struct gm_listing *list, const struct gm_args *args, const char *const *heads,
                     size_t column_count);
/* Counts one. Where its JSON goes, behind a comma where it needs one; NULL: it becomes a row. */
struct gm_buf *gm_listing_item(struct gm_listing *list);
/* Prints when `print` says so and lets go of everything. `empty_z` stands for a table without rows;
 * NULL: its heads do. */
void gm_listing_end(struct gm_listing *list, bool print, const char *empty_z);

/* "12,345" */
struct gm_str gm_count_text(struct gm_arena *arena, int64_t count);
/* As gm_print_time. */
struct gm_str gm_time_text(struct gm_arena *arena, gm_ns t);

#endif
