/* gemel models, models upload, show, decommission, delete. Looking works while `gemel run` has the
 * store; the rest is done by that process then. */
#include <stdio.h>

#include "base/coding.h"
#include "base/mem.h"
#include "base/vec.h"
#include "cli/commands.h"
#include "cli/models_service.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "cli_sql.h"
#include "os/file.h"
#include "store/model_service.h"
#include "twin/models.h"
#include "json/json.h"

enum { TOKEN_SIZE_MAX = 64 << 10 };

static const size_t models_size_max = (size_t)1 << 30;

/* ---- looking ---- */

static gm_rc count_twins(struct gm_db *db, const struct gm_model *model, int64_t *out_count,
                         struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare_once(db, GM_SQL_MODEL_TWINS, &stmt, err));
    gm_bind_i64(stmt, 1, model->num);
    gm_rc rc = gm_step(stmt, err);
    *out_count = rc == GM_OK ? gm_column_i64(stmt, 0) : 0;
    gm_reset(stmt);
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc model_value(struct gm_look *look, const struct gm_model *model, bool definition,
                         yyjson_mut_val **out_value, struct gm_err *err)
{
    int64_t twins;
    yyjson_mut_doc *doc = gm_json_doc_new(look->arena);
    GM_TRY(count_twins(look->db, model, &twins, err));
    *out_value = gm_model_json(doc, model, definition);
    return *out_value != NULL &&
                   gm_json_set(doc, *out_value, GM_STR("twins"), yyjson_mut_sint(doc, twins))
               ? GM_OK
               : gm_fail(err, GM_E_LIMIT, "no room for the models");
}

static gm_rc print_json_list(struct gm_look *look, const struct gm_model_list *list,
                             struct gm_err *err)
{
    struct gm_buf text;
    gm_buf_init(&text, models_size_max);
    gm_buf_add_char(&text, '[');
    gm_rc rc = GM_OK;
    for (size_t i = 0; i < list->count && rc == GM_OK; i++) {
        yyjson_mut_val *value;
        rc = model_value(look, list->at[i], false, &value, err);
        if (rc == GM_OK) {
            gm_buf_add(&text, i > 0 ? GM_STR(",") : GM_STR(""));
            gm_json_write(value, &text);
        }
    }
    gm_buf_add_char(&text, ']');
    if (rc == GM_OK) {
        gm_print_json(&text);
    }
    gm_buf_deinit(&text);
    return rc;
}

static gm_rc print_table(struct gm_look *look, const struct gm_model_list *list, struct gm_err *err)
{
    static const char *const heads[] = {"MODEL", "TWINS", "UPLOADED (UTC)", ""};
    struct gm_table *table = gm_table_new(heads, GM_ARRAY_COUNT(heads));
    gm_rc rc = GM_OK;
    for (size_t i = 0; i < list->count && rc == GM_OK; i++) {
        const struct gm_model *model = list->at[i];
        char time[GM_TIME_TEXT_SIZE], count[32];
        int64_t twins;
        rc = count_twins(look->db, model, &twins, err);
        if (rc != GM_OK) {
            break;
        }
        gm_print_time(model->uploaded, time);
        gm_format_count(twins, count);
        gm_table_add(table, (const struct gm_str[]){
                                model->id, gm_arena_dup(look->arena, gm_str_z(count)),
                                gm_arena_dup(look->arena, gm_str_z(time)),
                                model->decommissioned ? GM_STR("decommissioned") : GM_STR("")});
    }
    if (rc == GM_OK && list->count > 0) {
        gm_table_print(table);
    } else if (rc == GM_OK) {
        puts("There are no models; `gemel models upload` brings some.");
    }
    gm_table_free(table);
    return rc;
}

/* Those that were named with all that they need, or all. */
static gm_rc list_models(struct gm_args *args, struct gm_look *look, struct gm_err *err)
{
    struct gm_model_list list;
    struct gm_str missing, ids[GM_ARGS_MAX];
    for (size_t i = 0; i < args->word_count; i++) {
        ids[i] = gm_str_z(args->words[i]);
    }
    GM_TRY(gm_look_open(args, look, err));
    gm_rc rc = gm_models_list(look->models, (struct gm_strs){ids, args->word_count}, look->arena,
                              &list, &missing);
    if (rc == GM_E_END) {
        return gm_fail(err, GM_E_CONFIG, "there is no model `" GM_STR_FMT "`", GM_STR_ARG(missing));
    }
    GM_TRY(rc);
    return args->json ? print_json_list(look, &list, err) : print_table(look, &list, err);
}

static int models(struct gm_args *args)
{
    struct gm_look look = {0};
    struct gm_err err = {0};
    gm_rc rc = list_models(args, &look, &err);
    gm_look_close(&look);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_models = {
    .name_z = "models",
    .args_z = "[MODEL…]",
    .args_max = GM_ARGS_MAX,
    .summary_z = "List the models of the store, or those named and all that they need.",
    .example_z = "gemel models 'dtmi:shop:Product;1'",
    .run = models,
};

static gm_rc show_model(struct gm_args *args, struct gm_look *look, struct gm_err *err)
{
    yyjson_mut_val *value;
    struct gm_buf text;
    struct gm_str id = gm_str_z(args->words[0]);
    GM_TRY(gm_look_open(args, look, err));
    const struct gm_model *model = gm_models_find(look->models, id);
    if (model == NULL) {
        struct gm_str near = gm_models_nearest(look->models, id);
        return gm_fail(err, GM_E_CONFIG, "there is no model `" GM_STR_FMT "`%s" GM_STR_FMT "%s",
                       GM_STR_ARG(id), near.n > 0 ? "; did you mean `" : "", GM_STR_ARG(near),
                       near.n > 0 ? "`?" : "");
    }
    GM_TRY(model_value(look, model, true, &value, err));
    gm_buf_init(&text, models_size_max);
    if (args->json) {
        gm_json_write(value, &text);
    } else {
        gm_json_write_pretty(gm_json_member(value, GM_STR("model")), &text);
    }
    gm_print_json(&text);
    gm_buf_deinit(&text);
    return GM_OK;
}

static int models_show(struct gm_args *args)
{
    struct gm_look look = {0};
    struct gm_err err = {0};
    gm_rc rc = show_model(args, &look, &err);
    gm_look_close(&look);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_models_show = {
    .name_z = "models show",
    .args_z = "MODEL",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Print a model's definition; with --json what is known of it, too.",
    .example_z = "gemel models show 'dtmi:shop:Product;1'",
    .run = models_show,
};

/* ---- uploads ---- */

struct bringing {
    struct gm_arena *arena;
    yyjson_mut_doc *doc;
    yyjson_mut_val *all; /* every interface of what was named */
    size_t added;
};

/* Interfaces of the folders and files that were named; a file may hold an array of them. */
static gm_rc read_all(struct gm_args *args, struct bringing *bringing, struct gm_err *err)
{
    for (size_t i = 0; i < args->word_count; i++) {
        yyjson_mut_val **values;
        size_t count;
        GM_TRY(gm_models_read_folder(bringing->doc, args->words[i], &values, &count, err));
        for (size_t j = 0; j < count; j++) {
            bool is_list = yyjson_mut_is_arr(values[j]);
            size_t n = is_list ? yyjson_mut_arr_size(values[j]) : 1;
            for (size_t k = 0; k < n; k++) {
                yyjson_mut_val *one = is_list ? yyjson_mut_arr_remove_first(values[j]) : values[j];
                if (!yyjson_mut_arr_append(bringing->all, one)) {
                    return gm_fail(err, GM_E_LIMIT, "no room for the models");
                }
            }
        }
    }
    return yyjson_mut_arr_size(bringing->all) > 0
               ? GM_OK
               : gm_fail(err, GM_E_CONFIG,
                         "no interfaces were found; a folder is searched for "
                         "files *.json");
}

/* One transaction, whatever their order. */
static gm_rc upload_here(struct gm_store *store, struct bringing *bringing, struct gm_err *err)
{
    struct gm_model_answer answer = {.arena = bringing->arena};
    struct gm_model_upload upload = {.interfaces = bringing->all, .skip_equal = true};
    GM_TRY(gm_store_upload_models(store, &upload, &answer, err));
    bringing->added = upload.added;
    return gm_model_answer_error(&answer, err);
}

static gm_rc upload_there(struct gm_args *args, struct bringing *bringing, struct gm_err *err)
{
    struct gm_http_answer answer;
    struct gm_buf body;
    gm_buf_init(&body, models_size_max);
    gm_buf_add_z(&body, "{\"models\":");
    gm_json_write(bringing->all, &body);
    gm_buf_add_char(&body, '}');
    gm_rc rc = gm_remote_post(args, "/models", gm_buf_str(&body), &answer, err);
    if (rc == GM_OK) {
        bringing->added = (size_t)gm_remote_number(&answer, "added");
        gm_http_answer_free(&answer);
    }
    gm_buf_deinit(&body);
    return rc;
}

/* Into a service somewhere else. */
static gm_rc upload_to_service(struct gm_args *args, struct bringing *bringing, struct gm_err *err)
{
    const char *file_z = gm_args_value(args, "token-file");
    GM_AUTO_FREE char *url_z = gm_strdup_z(gm_args_value(args, "url"));
    struct gm_buf token;
    if (file_z == NULL) {
        return gm_fail(err, GM_E_CONFIG,
                       "--url needs --token-file FILE, which holds a bearer token");
    }
    size_t n = strlen(url_z);
    if (n > 0 && url_z[n - 1] == '/') {
        url_z[n - 1] = '\0';
    }
    gm_buf_init(&token, TOKEN_SIZE_MAX);
    gm_rc rc = gm_file_read_all(file_z, &token, err);
    GM_AUTO_FREE char *authorization_z =
        gm_format_z("Bearer " GM_STR_FMT, GM_STR_ARG(gm_str_trim(gm_buf_str(&token))));
    gm_buf_deinit(&token);
    struct gm_models_service service = {url_z, authorization_z, gm_args_value(args, "ca-file")};
    return rc == GM_OK
               ? gm_models_send(&service, bringing->doc, bringing->all, &bringing->added, err)
               : rc;
}

static gm_rc upload_all(struct gm_args *args, struct bringing *bringing, struct gm_err *err)
{
    struct gm_store *store;
    GM_TRY(read_all(args, bringing, err));
    if (gm_args_has(args, "url")) {
        return upload_to_service(args, bringing, err);
    }
    GM_TRY(gm_remote_or_store(args, &store, err));
    if (store == NULL) {
        return upload_there(args, bringing, err);
    }
    gm_rc rc = upload_here(store, bringing, err);
    gm_store_close(store);
    return rc;
}

static int models_upload(struct gm_args *args)
{
    struct gm_err err = {0};
    struct bringing bringing = {.arena = gm_arena_new(models_size_max)};
    bringing.doc = gm_json_doc_new(bringing.arena);
    bringing.all = yyjson_mut_arr(bringing.doc);
    gm_rc rc = upload_all(args, &bringing, &err);
    size_t given = yyjson_mut_arr_size(bringing.all);
    gm_arena_free(bringing.arena);
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    if (args->json) {
        printf("{\"given\":%zu,\"added\":%zu}\n", given, bringing.added);
    } else {
        printf("%zu models uploaded; %zu were there already\n", bringing.added,
               given > bringing.added ? given - bringing.added : 0);
    }
    return GM_EXIT_OK;
}

static const struct gm_option upload_options[] = {
    {"url", "URL", "Into the service there that speaks the twin API, in calls of at most 250."},
    {"token-file", "FILE", "Of --url: the bearer token."},
    {"ca-file", "FILE", "Of --url: who signs its certificate, in PEM (default: the system's)."},
    {0},
};

const struct gm_command gm_command_models_upload = {
    .name_z = "models upload",
    .args_z = "DIR|FILE…",
    .args_min = 1,
    .args_max = GM_ARGS_MAX,
    .summary_z = "Upload the DTDL models of folders and files, here or into a service.",
    .help_z = "Files are *.json, in any order and below any folder; each holds an interface or an "
              "array of them. Models that\n"
              "are there already with the same definition are passed over; one with another "
              "definition is an error. Here it is all\n"
              "of them or none; into a service, those that others need come first.",
    .example_z = "gemel models upload ./ontology",
    .options = upload_options,
    .run = models_upload,
};

/* ---- decommissioning and deleting ---- */

/* Something that is done to one model. */
struct deed {
    struct gm_str id;
    bool deletes;
    bool decommissioned;
};

static gm_rc do_here(struct gm_store *store, const struct deed *deed, struct gm_err *err)
{
    struct gm_model_answer answer = {.arena = gm_arena_new(models_size_max)};
    gm_rc rc = deed->deletes ? gm_store_delete_model(store, deed->id, &answer, err)
                             : gm_store_decommission_model(store, deed->id, deed->decommissioned,
                                                           &answer, err);
    rc = rc == GM_OK ? gm_model_answer_error(&answer, err) : rc;
    gm_arena_free(answer.arena);
    return rc;
}

static char *path_of(const struct deed *deed)
{
    struct gm_buf path;
    gm_buf_init(&path, 64 << 10);
    gm_buf_add_z(&path, "/models/");
    gm_percent_add(&path, deed->id);
    gm_buf_add_z(&path, deed->deletes ? "/delete" : "/decommission");
    return gm_buf_take_z(&path);
}

static gm_rc do_anywhere(struct gm_args *args, const struct deed *deed, struct gm_err *err)
{
    struct gm_store *store;
    struct gm_http_answer answer;
    GM_TRY(gm_remote_or_store(args, &store, err));
    if (store != NULL) {
        gm_rc rc = do_here(store, deed, err);
        gm_store_close(store);
        return rc;
    }
    GM_AUTO_FREE char *path_z = path_of(deed);
    struct gm_str body = deed->deletes          ? GM_STR("{}")
                         : deed->decommissioned ? GM_STR("{\"decommissioned\":true}")
                                                : GM_STR("{\"decommissioned\":false}");
    GM_TRY(gm_remote_post(args, path_z, body, &answer, err));
    gm_http_answer_free(&answer);
    return GM_OK;
}

static int run_deed(struct gm_args *args, struct deed deed, const char *done_z)
{
    struct gm_err err = {0};
    deed.id = gm_str_z(args->words[0]);
    gm_rc rc = do_anywhere(args, &deed, &err);
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    if (args->json) {
        puts("{\"done\":true}");
    } else {
        printf("%s %s\n", args->words[0], done_z);
    }
    return GM_EXIT_OK;
}

static int models_decommission(struct gm_args *args)
{
    bool undo = gm_args_has(args, "undo");
    return run_deed(args, (struct deed){.decommissioned = !undo},
                    undo ? "takes twins again" : "is decommissioned: it takes no new twins");
}

static const struct gm_option decommission_options[] = {
    {"undo", NULL, "Take it back."},
    {0},
};

const struct gm_command gm_command_models_decommission = {
    .name_z = "models decommission",
    .args_z = "MODEL",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Decommission a model: no new twins can be made of it.",
    .help_z = "Models that extend it or have it as a component are decommissioned before it.",
    .example_z = "gemel models decommission 'dtmi:shop:Product;1'",
    .options = decommission_options,
    .run = models_decommission,
};

static int models_delete(struct gm_args *args)
{
    return run_deed(args, (struct deed){.deletes = true}, "is deleted");
}

const struct gm_command gm_command_models_delete = {
    .name_z = "models delete",
    .args_z = "MODEL",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Delete a model that no other one extends or has as a component.",
    .help_z = "Twins of it stay: they can be read, queried, deleted and given another model. What "
              "is in the folder of\n"
              "`models` in the configuration comes back with the next start.",
    .example_z = "gemel models delete 'dtmi:shop:Product;1'",
    .run = models_delete,
};
