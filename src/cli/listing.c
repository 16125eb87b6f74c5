#include "cli/listing.h"

#include <stdio.h>

#include "cli/progress.h"

enum { LIST_SIZE_MAX = 256 << 20 };

void gm_listing_init(struct gm_listing *list, const struct gm_args *args, const char *const *heads,
                     size_t column_count)
{
    *list = (struct gm_listing){.arena = gm_arena_new(LIST_SIZE_MAX)};
    gm_buf_init(&list->json, LIST_SIZE_MAX);
    gm_buf_add_char(&list->json, '[');
    if (!args->json) {
        list->table = gm_table_new(heads, column_count);
    }
}

struct gm_buf *gm_listing_item(struct gm_listing *list)
{
    bool first = list->count++ == 0;
    if (list->table != NULL) {
        return NULL;
    }
    gm_buf_add(&list->json, first ? GM_STR("") : GM_STR(","));
    return &list->json;
}

void gm_listing_end(struct gm_listing *list, bool print, const char *empty_z)
{
    gm_buf_add_char(&list->json, ']');
    if (print && list->table == NULL) {
        gm_print_json(&list->json);
    } else if (print && list->count == 0 && empty_z != NULL) {
        puts(empty_z);
    } else if (print) {
        gm_table_print(list->table);
    }
    gm_table_free(list->table);
    gm_buf_deinit(&list->json);
    gm_arena_free(list->arena);
}

struct gm_str gm_count_text(struct gm_arena *arena, int64_t count)
{
    char text[32];
    gm_format_count(count, text);
    return gm_arena_dup(arena, gm_str_z(text));
}

struct gm_str gm_time_text(struct gm_arena *arena, gm_ns t)
{
    char text[GM_TIME_TEXT_SIZE];
    gm_print_time(t, text);
    return gm_arena_dup(arena, gm_str_z(text));
}
