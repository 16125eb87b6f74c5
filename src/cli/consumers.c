#include "cli/consumers.h"

#include <stdio.h>

#include "api/consumers.h"
#include "base/mem.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "json/json.h"

enum { OUTPUT_SIZE_MAX = 1 << 20 };

static gm_rc write_saved(struct gm_args *args, const struct gm_config *config, struct gm_buf *out,
                         struct gm_err *err)
{
    struct gm_hub *hub;
    struct gm_db *db = NULL;
    const char *folder_z;
    struct gm_err none;
    GM_TRY(gm_args_data(args, &folder_z, err));
    const struct gm_hub_options options = {.streams = &gm_config_root(config)->streams,
                                           .folder_z = folder_z,
                                           .clock = gm_clock_system(),
                                           .read_only = true};
    GM_TRY(gm_hub_open(&options, &hub, err));
    if (gm_args_reader(args, &db, &none) != GM_OK) {
        db = NULL; /* nothing ever ran here */
    }
    const struct gm_consumers_options all = {.config = config, .hub = hub, .folder_z = folder_z};
    gm_rc rc = gm_consumers_write_json(&all, db, out, err);
    gm_db_close(db);
    gm_hub_close(hub);
    return rc;
}

gm_rc gm_consumers_json(struct gm_args *args, struct gm_buf *out, struct gm_err *err)
{
    const struct gm_config *config = args->config != NULL ? args->config : args->settings;
    struct gm_http_answer answer;
    struct gm_err nobody;
    if (config == NULL || gm_config_root(config)->streams.n == 0) {
        gm_buf_add_z(out, "[]");
        return GM_OK;
    }
    if (gm_remote_get(args, "/consumers", &answer, &nobody) != GM_OK) {
        return write_saved(args, config, out, err);
    }
    gm_buf_add(out, gm_buf_str(&answer.body));
    gm_http_answer_free(&answer);
    return GM_OK;
}

static gm_rc print_rows(struct gm_str json, struct gm_err *err)
{
    static const char *const heads[] = {"CONSUMER", "KIND", "STREAM", "LAG", ""};
    struct gm_arena *arena = gm_arena_new((size_t)8 * OUTPUT_SIZE_MAX);
    yyjson_mut_val *value;
    gm_rc rc = gm_json_parse(gm_json_doc_new(arena), json, &value, err);
    size_t count = rc == GM_OK ? gm_json_count(value) : 0;
    struct gm_table *table = gm_table_new(heads, GM_ARRAY_COUNT(heads));
    const yyjson_mut_val *one = rc == GM_OK ? gm_json_first(value) : NULL;
    for (size_t i = 0; i < count; i++, one = one->next) {
        char lag[32];
        gm_format_count(yyjson_mut_get_sint(gm_json_member(one, GM_STR("lag"))), lag);
        const struct gm_str cells[] = {
            gm_json_member_str(one, "name"), gm_json_member_str(one, "kind"),
            gm_json_member_str(one, "stream"), gm_str_z(lag), gm_json_member_str(one, "error")};
        gm_table_add(table, cells);
    }
    if (count > 0) {
        putchar('\n');
        gm_table_print(table);
    }
    gm_table_free(table);
    gm_arena_free(arena);
    return rc;
}

gm_rc gm_consumers_print(struct gm_args *args, struct gm_err *err)
{
    struct gm_buf json;
    gm_buf_init(&json, OUTPUT_SIZE_MAX);
    gm_rc rc = gm_consumers_json(args, &json, err);
    rc = rc == GM_OK ? print_rows(gm_buf_str(&json), err) : rc;
    gm_buf_deinit(&json);
    return rc;
}
