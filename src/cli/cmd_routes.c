/* gemel routes, routes put, delete, letters, redrive, drop: event routes. Looking works while
 * `gemel run` has the store; the rest is done by that process then. */
#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "cli/routes_table.h"
#include "route/route.h"
#include "json/json.h"

enum { OUTPUT_SIZE_MAX = 64 << 20, BODY_SIZE_MAX = 1 << 20 };

/* ---- looking ---- */

struct listing {
    struct gm_table *table; /* NULL: JSON */
    struct gm_arena *arena;
    struct gm_buf *json;
    int64_t newest;
    size_t count;
};

/* What a person wants to know at the end of a route's line. */
static struct gm_str state_text(struct gm_arena *arena, const struct gm_event_route *route)
{
    char since[GM_TIME_TEXT_SIZE];
    if (route->failing_since == 0) {
        return GM_STR("");
    }
    gm_print_time(route->failing_since, since);
    return gm_arena_format(arena, "stuck since %s, %lld attempts: " GM_STR_FMT, since,
                           (long long)route->attempts, GM_STR_ARG(route->error));
}

static gm_rc add_route(void *ctx, const struct gm_event_route *route, struct gm_err *err)
{
    (void)err;
    struct listing *listing = ctx;
    struct gm_arena *arena = listing->arena;
    int64_t lag = listing->newest > route->position ? listing->newest - route->position : 0;
    if (listing->table == NULL) {
        gm_buf_add(listing->json, listing->count++ > 0 ? GM_STR(",") : GM_STR(""));
        gm_event_route_write_json(route, listing->newest, listing->json);
        return GM_OK;
    }
    listing->count++;
    gm_table_add(listing->table,
                 (const struct gm_str[]){
                     gm_arena_dup(arena, route->id), gm_arena_dup(arena, route->endpoint),
                     gm_count_text(arena, lag), gm_count_text(arena, route->letters),
                     gm_arena_dup(arena, route->filter), state_text(arena, route)});
    return GM_OK;
}

static gm_rc list_all(struct gm_db *db, struct listing *listing, struct gm_err *err)
{
    int64_t oldest;
    GM_TRY(gm_changes_range(db, &oldest, &listing->newest, err));
    return gm_event_routes_list(db, &(struct gm_event_routes_query){0}, add_route, listing, err);
}

gm_rc gm_routes_write_json(struct gm_db *db, struct gm_buf *out, struct gm_err *err)
{
    struct listing listing = {.json = out};
    gm_buf_add_char(out, '[');
    GM_TRY(list_all(db, &listing, err));
    gm_buf_add_char(out, ']');
    return GM_OK;
}

gm_rc gm_routes_print(struct gm_db *db, size_t *out_count, struct gm_err *err)
{
    static const char *const heads[] = {"ROUTE", "ENDPOINT", "BEHIND", "LETTERS", "FILTER", ""};
    struct listing listing = {.table = gm_table_new(heads, GM_ARRAY_COUNT(heads)),
                              .arena = gm_arena_new(OUTPUT_SIZE_MAX)};
    gm_rc rc = list_all(db, &listing, err);
    if (rc == GM_OK && listing.count > 0) {
        gm_table_print(listing.table);
    }
    *out_count = listing.count;
    gm_table_free(listing.table);
    gm_arena_free(listing.arena);
    return rc;
}

static int routes(struct gm_args *args)
{
    struct gm_db *db = NULL;
    struct gm_err err = {0};
    struct gm_buf json;
    size_t count = 0;
    gm_buf_init(&json, OUTPUT_SIZE_MAX);
    gm_rc rc = gm_args_reader(args, &db, &err);
    if (rc == GM_OK) {
        rc = args->json ? gm_routes_write_json(db, &json, &err) : gm_routes_print(db, &count, &err);
    }
    if (rc == GM_OK && args->json) {
        gm_print_json(&json);
    } else if (rc == GM_OK && count == 0) {
        puts("There are no event routes; `gemel routes put` makes one.");
    }
    gm_buf_deinit(&json);
    gm_db_close(db);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_routes = {
    .name_z = "routes",
    .summary_z = "List event routes: how far each is behind, and what it is stuck at.",
    .run = routes,
};

/* ---- letters ---- */

static gm_rc add_letter(void *ctx, const struct gm_route_letter *letter, struct gm_err *err)
{
    (void)err;
    struct gm_listing *listing = ctx;
    struct gm_arena *arena = listing->arena;
    struct gm_buf *json = gm_listing_item(listing);
    if (json != NULL) {
        gm_route_letter_write_json(letter, json);
        return GM_OK;
    }
    gm_table_add(listing->table,
                 (const struct gm_str[]){
                     gm_arena_format(arena, "%lld", (long long)letter->num),
                     gm_arena_dup(arena, letter->twin),
                     gm_arena_format(arena, "%lld", (long long)letter->change),
                     gm_arena_dup(arena, letter->status), gm_time_text(arena, letter->parked),
                     gm_count_text(arena, letter->attempts),
                     letter->error.p != NULL ? gm_arena_dup(arena, letter->error) : GM_STR("")});
    return GM_OK;
}

static gm_rc list_letters(struct gm_args *args, struct gm_listing *listing, struct gm_err *err)
{
    struct gm_db *db;
    struct gm_route_letters_query query = {.route = gm_str_z(args->words[0])};
    GM_TRY(gm_args_int(args, "limit", 50, &query.limit, err));
    GM_TRY(gm_args_int(args, "after", 0, &query.after, err));
    GM_TRY(gm_args_reader(args, &db, err));
    gm_rc rc = gm_route_letters_list(db, &query, add_letter, listing, err);
    gm_db_close(db);
    return rc;
}

static int routes_letters(struct gm_args *args)
{
    static const char *const heads[] = {"LETTER",       "TWIN",     "CHANGE", "STATUS",
                                        "PARKED (UTC)", "ATTEMPTS", "ERROR"};
    struct gm_listing listing;
    struct gm_err err = {0};
    gm_listing_init(&listing, args, heads, GM_ARRAY_COUNT(heads));
    gm_rc rc = list_letters(args, &listing, &err);
    gm_listing_end(&listing, rc == GM_OK, NULL);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

static const struct gm_option letters_options[] = {
    {"limit", "N", "Print at most N (default: 50; 0: all)."},
    {"after", "NUM", "Only letters behind this one."},
    {0},
};

const struct gm_command gm_command_routes_letters = {
    .name_z = "routes letters",
    .args_z = "ROUTE",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "List events that an endpoint did not take, and what waits behind them.",
    .options = letters_options,
    .run = routes_letters,
};

/* ---- doing, here or there ---- */

/* Something that is done to a route: in a transaction where this process has the store, else by the
 * one that has it. */
struct deed {
    struct gm_str route;
    gm_store_fn here;
    const char *there_z; /* behind /routes/ROUTE */
    struct gm_buf body;
    const char *number_z; /* of the answer; NULL: none */

    struct gm_event_route definition; /* of a put */
    struct gm_route_choice choice;    /* of letters */
    int64_t count;                    /* out */
};

static gm_rc do_there(struct gm_args *args, struct deed *deed, struct gm_err *err)
{
    struct gm_http_answer answer;
    GM_AUTO_FREE char *path_z =
        gm_format_z("/routes/" GM_STR_FMT "%s", GM_STR_ARG(deed->route), deed->there_z);
    struct gm_str body = deed->body.n > 0 ? gm_buf_str(&deed->body) : GM_STR("{}");
    GM_TRY(gm_remote_post(args, path_z, body, &answer, err));
    deed->count = deed->number_z != NULL ? gm_remote_number(&answer, deed->number_z) : 0;
    gm_http_answer_free(&answer);
    return GM_OK;
}

static gm_rc do_anywhere(struct gm_args *args, struct deed *deed, struct gm_err *err)
{
    struct gm_store *store;
    GM_TRY(gm_remote_or_store(args, &store, err));
    if (store == NULL) {
        return do_there(args, deed, err);
    }
    gm_rc rc = gm_store_write(store, deed->here, deed, err);
    gm_store_close(store);
    return rc;
}

/* ---- put and delete ---- */

static gm_rc put_here(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct deed *deed = ctx;
    int64_t newest;
    GM_TRY(gm_graph_newest_change(tx->graph, &newest, err));
    return gm_event_route_put(tx->db, &deed->definition, newest, err);
}

/* Against the endpoints of the configuration at hand. */
static gm_rc check_definition(struct gm_args *args, const struct gm_event_route *definition,
                              struct gm_err *err)
{
    const struct gm_config *config;
    struct gm_routes *checker;
    GM_TRY(gm_args_config(args, &config, err));
    const struct gm_routes_options options = {.endpoints = &gm_config_root(config)->endpoints,
                                              .source = GM_STR("")};
    GM_TRY(gm_routes_open(&options, &checker, err));
    enum gm_route_fault fault = gm_routes_check(checker, definition, err);
    gm_routes_close(checker);
    return fault == GM_ROUTE_FINE ? GM_OK : GM_E_CONFIG;
}

static gm_rc put(struct gm_args *args, struct deed *deed, struct gm_err *err)
{
    const char *endpoint_z = gm_args_value(args, "endpoint");
    const char *filter_z = gm_args_value(args, "filter");
    if (endpoint_z == NULL) {
        return gm_fail(err, GM_E_CONFIG, "say where to: --endpoint NAME");
    }
    deed->definition = (struct gm_event_route){
        .id = deed->route,
        .endpoint = gm_str_z(endpoint_z),
        .filter = gm_str_z(filter_z != NULL ? filter_z : "true"),
        .created = gm_clock_wall_now(),
    };
    GM_TRY(check_definition(args, &deed->definition, err));
    gm_buf_add(&deed->body, GM_STR("{\"endpointName\":"));
    gm_json_quote(&deed->body, deed->definition.endpoint);
    gm_buf_add(&deed->body, GM_STR(",\"filter\":"));
    gm_json_quote(&deed->body, deed->definition.filter);
    gm_buf_add_char(&deed->body, '}');
    return do_anywhere(args, deed, err);
}

static int routes_put(struct gm_args *args)
{
    struct gm_err err = {0};
    struct deed deed = {.route = gm_str_z(args->words[0]), .here = put_here, .there_z = ""};
    gm_buf_init(&deed.body, BODY_SIZE_MAX);
    gm_rc rc = put(args, &deed, &err);
    gm_buf_deinit(&deed.body);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

static const struct gm_option put_options[] = {
    {"endpoint", "NAME", "Where to: an endpoint of the configuration."},
    {"filter", "TEXT", "Which events (default: true, all of them)."},
    {0},
};

const struct gm_command gm_command_routes_put = {
    .name_z = "routes put",
    .args_z = "ROUTE",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Make an event route, or replace one.",
    .help_z = "A new route begins with what comes; one that is replaced goes on where it was.",
    .example_z = "gemel routes put hot --endpoint alerts --filter \"type = "
                 "'Microsoft.DigitalTwins.Twin.Update'\"",
    .options = put_options,
    .run = routes_put,
};

static gm_rc delete_here(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct deed *deed = ctx;
    gm_rc rc = gm_event_route_delete(tx->db, deed->route, err);
    return rc == GM_E_END ? gm_fail(err, GM_E_INVALID, "there is no route `" GM_STR_FMT "`",
                                    GM_STR_ARG(deed->route))
                          : rc;
}

static int routes_delete(struct gm_args *args)
{
    struct gm_err err = {0};
    struct deed deed = {
        .route = gm_str_z(args->words[0]), .here = delete_here, .there_z = "/delete"};
    gm_rc rc = do_anywhere(args, &deed, &err);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_routes_delete = {
    .name_z = "routes delete",
    .args_z = "ROUTE",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Delete an event route with its letters.",
    .run = routes_delete,
};

/* ---- redrive and drop ---- */

static gm_rc redrive_here(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct deed *deed = ctx;
    return gm_route_letters_redrive(tx->db, &deed->choice, &deed->count, err);
}

static gm_rc drop_here(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct deed *deed = ctx;
    return gm_route_letters_drop(tx->db, &deed->choice, &deed->count, err);
}

static gm_rc parse_choice(const struct gm_args *args, struct deed *deed, struct gm_err *err)
{
    bool all = gm_args_has(args, "all");
    const char *twin_z = gm_args_value(args, "twin");
    deed->choice = (struct gm_route_choice){.route = deed->route, .twin = gm_str_z(twin_z)};
    if (args->word_count + (all ? 1 : 0) + (twin_z != NULL ? 1 : 0) != 2) {
        return gm_fail(err, GM_E_CONFIG, "say which: LETTER, --twin TWIN, or --all");
    }
    if (args->word_count == 2 &&
        (!gm_parse_i64(gm_str_z(args->words[1]), &deed->choice.num) || deed->choice.num < 1)) {
        return gm_fail(err, GM_E_CONFIG, "`%s` is no letter's number; see `gemel routes letters`",
                       args->words[1]);
    }
    if (deed->choice.num != 0) {
        gm_buf_addf(&deed->body, "{\"num\":%lld}", (long long)deed->choice.num);
    } else if (twin_z != NULL) {
        gm_buf_add(&deed->body, GM_STR("{\"twin\":"));
        gm_json_quote(&deed->body, deed->choice.twin);
        gm_buf_add_char(&deed->body, '}');
    }
    return GM_OK;
}

static int do_letters(struct gm_args *args, struct deed *deed, const char *text_z)
{
    struct gm_err err = {0};
    deed->route = gm_str_z(args->words[0]);
    gm_buf_init(&deed->body, BODY_SIZE_MAX);
    gm_rc rc = parse_choice(args, deed, &err);
    rc = rc == GM_OK ? do_anywhere(args, deed, &err) : rc;
    gm_buf_deinit(&deed->body);
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    if (args->json) {
        printf("{\"%s\":%lld}\n", deed->number_z, (long long)deed->count);
    } else {
        printf("%lld %s\n", (long long)deed->count, text_z);
    }
    return GM_EXIT_OK;
}

static int routes_redrive(struct gm_args *args)
{
    struct deed deed = {.here = redrive_here, .there_z = "/redrive", .number_z = "accepted"};
    return do_letters(args, &deed, "to be delivered again");
}

static int routes_drop(struct gm_args *args)
{
    struct deed deed = {.here = drop_here, .there_z = "/drop-letters", .number_z = "dropped"};
    return do_letters(args, &deed, "dropped");
}

static const struct gm_option choice_options[] = {
    {"twin", "TWIN", "All letters of this twin."},
    {"all", NULL, "All letters of the route."},
    {0},
};

const struct gm_command gm_command_routes_redrive = {
    .name_z = "routes redrive",
    .args_z = "ROUTE [LETTER]",
    .args_min = 1,
    .args_max = 2,
    .summary_z = "Have letters delivered again, in order: now, or by the next `gemel run`.",
    .help_z = "A LETTER brings the others of its twin along, so that they stay in order.",
    .example_z = "gemel routes redrive hot --all",
    .options = choice_options,
    .run = routes_redrive,
};

const struct gm_command gm_command_routes_drop = {
    .name_z = "routes drop",
    .args_z = "ROUTE [LETTER]",
    .args_min = 1,
    .args_max = 2,
    .summary_z = "Throw letters away; what only waited behind them is delivered.",
    .options = choice_options,
    .run = routes_drop,
};
