/* gemel commands, command: what may be asked of entities, and doing it. Asks the process that has
 * the data directory; where none has, the work is done here. */
#include <stdio.h>

#include "base/coding.h"
#include "base/mem.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/remote.h"
#include "command/commands.h"
#include "os/file.h"

enum { OUTPUT_SIZE_MAX = 64 << 20, BODY_SIZE_MAX = GM_EVENT_BODY_SIZE_MAX };

static gm_rc open_here(struct gm_args *args, struct gm_store *store, struct gm_hub **out_hub,
                       struct gm_commands **out_commands, struct gm_err *err)
{
    const struct gm_config *config;
    const char *folder_z;
    GM_TRY(gm_args_settings(args, &config, err));
    GM_TRY(gm_args_data(args, &folder_z, err));
    const struct gm_config_root *root = gm_config_root(config);
    const struct gm_hub_options hub = {
        .streams = &root->streams, .folder_z = folder_z, .clock = gm_clock_system()};
    GM_TRY(gm_hub_open(&hub, out_hub, err));
    const struct gm_commands_options options = {
        .commands = &root->commands, .hub = *out_hub, .store = store};
    return gm_commands_open(&options, out_commands, err);
}

/* ---- the list ---- */

static void add_row(struct gm_table *table, const yyjson_mut_val *command)
{
    struct gm_str event = gm_json_member_str(command, "event");
    const struct gm_str cells[] = {
        gm_json_member_str(command, "name"), gm_json_member_str(command, "stream"),
        event.n > 0 ? event : GM_STR("-"),   gm_json_member_str(command, "when"),
        gm_json_member_str(command, "key"),  gm_json_member_str(command, "help")};
    gm_table_add(table, cells);
}

static gm_rc print_list(struct gm_args *args, struct gm_buf *json, struct gm_err *err)
{
    static const char *const heads[] = {"COMMAND", "STREAM", "EVENT", "WHEN", "KEY", "WHAT"};
    if (args->json) {
        gm_print_json(json);
        return GM_OK;
    }
    struct gm_arena *arena = gm_arena_new(OUTPUT_SIZE_MAX);
    yyjson_mut_val *root;
    gm_rc rc = gm_json_parse(gm_json_doc_new(arena), gm_buf_str(json), &root, err);
    if (rc == GM_OK) {
        struct gm_table *table = gm_table_new(heads, GM_ARRAY_COUNT(heads));
        const yyjson_mut_val *list = gm_json_member(root, GM_STR("value"));
        const yyjson_mut_val *at = gm_json_first(list);
        for (size_t i = 0; i < gm_json_count(list); i++, at = at->next) {
            add_row(table, at);
        }
        gm_table_print(table);
        gm_table_free(table);
    }
    gm_arena_free(arena);
    return rc;
}

static int commands(struct gm_args *args)
{
    struct gm_err err = {0};
    const struct gm_config *config;
    struct gm_buf json;
    gm_buf_init(&json, OUTPUT_SIZE_MAX);
    gm_rc rc = gm_args_settings(args, &config, &err);
    rc = rc == GM_OK ? gm_commands_describe(&gm_config_root(config)->commands,
                                            &gm_config_root(config)->streams, &json, &err)
                     : rc;
    rc = rc == GM_OK ? print_list(args, &json, &err) : rc;
    gm_buf_deinit(&json);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_commands = {
    .name_z = "commands",
    .summary_z = "List the commands: what may be asked of entities.",
    .help_z =
        "As the configuration declares them. --json prints the JSON Schema of each body, too.",
    .example_z = "gemel commands",
    .run = commands,
};

/* ---- doing one ---- */

static const struct gm_option command_options[] = {
    {"if-match", "N", "Only when the entity has this version (default: whichever it has)."},
    {"once", "KEY",
     "A key of this command's own: sent again with it, it is done once, and answered as before."},
    {0},
};

struct doing {
    struct gm_args *args;
    struct gm_buf body, answer; /* JSON */
    int status;
};

/* An argument, @FILE, or standard input. */
static gm_rc read_body(struct doing *doing, struct gm_err *err)
{
    const struct gm_args *args = doing->args;
    const char *word_z = args->word_count > 1 ? args->words[1] : "{}";
    if (word_z[0] == '@') {
        return gm_file_read_all(word_z + 1, &doing->body, err);
    }
    if (strcmp(word_z, "-") != 0) {
        gm_buf_add_z(&doing->body, word_z);
        return gm_buf_failed(&doing->body)
                   ? gm_fail(err, GM_E_CONFIG, "the body has more than %d bytes", BODY_SIZE_MAX)
                   : GM_OK;
    }
    enum { PIECE = 64 << 10 };
    size_t n = 1;
    while (n > 0) {
        char *to = gm_buf_reserve(&doing->body, PIECE);
        if (to == NULL) {
            return gm_fail(err, GM_E_CONFIG, "the body has more than %d bytes", BODY_SIZE_MAX);
        }
        GM_TRY(gm_file_read(gm_file_stdin(), to, PIECE, &n, err));
        gm_buf_commit(&doing->body, n);
    }
    return GM_OK;
}

/* The version of --if-match; -1: none is given. */
static gm_rc read_expected(const struct doing *doing, int64_t *out_version, struct gm_err *err)
{
    const char *text_z = gm_args_value(doing->args, "if-match");
    *out_version = -1;
    if (text_z != NULL && (!gm_parse_i64(gm_str_z(text_z), out_version) || *out_version < 0)) {
        return gm_fail(err, GM_E_CONFIG, "--if-match: `%s` is no version; write a number from 0",
                       text_z);
    }
    return GM_OK;
}

static gm_rc do_there(struct doing *doing, struct gm_err *err)
{
    struct gm_args *args = doing->args;
    struct gm_http_answer answer;
    struct gm_buf path, body;
    const char *once_z = gm_args_value(args, "once");
    int64_t expected;
    GM_TRY(read_expected(doing, &expected, err));
    gm_buf_init(&path, BODY_SIZE_MAX);
    gm_buf_init(&body, (size_t)8 * BODY_SIZE_MAX);
    gm_buf_add_z(&path, "/commands/");
    gm_percent_add(&path, gm_str_z(args->words[0]));
    gm_buf_add_z(&body, "{\"body\":");
    gm_json_quote(&body, gm_buf_str(&doing->body));
    if (expected >= 0) {
        gm_buf_addf(&body, ",\"ifMatch\":%lld", (long long)expected);
    }
    if (once_z != NULL) {
        gm_buf_add_z(&body, ",\"once\":");
        gm_json_quote(&body, gm_str_z(once_z));
    }
    gm_buf_add_char(&body, '}');
    gm_rc rc = gm_remote_answer(args, path.p, gm_buf_str(&body), &answer, err);
    gm_buf_deinit(&path);
    gm_buf_deinit(&body);
    if (rc == GM_OK) {
        doing->status = (int)answer.status;
        gm_buf_add(&doing->answer, gm_buf_str(&answer.body));
        gm_http_answer_free(&answer);
    }
    return rc;
}

static gm_rc do_with(struct doing *doing, struct gm_commands *commands, struct gm_err *err)
{
    struct gm_command_ask ask = {.name = gm_str_z(doing->args->words[0]),
                                 .body = gm_buf_str(&doing->body),
                                 .who = GM_STR(GM_COMMAND_LOCAL),
                                 .once = gm_str_z(gm_args_value(doing->args, "once"))};
    GM_TRY(read_expected(doing, &ask.expected, err));
    ask.expects = ask.expected >= 0;
    struct gm_arena *arena = gm_arena_new(GM_COMMAND_ARENA_SIZE);
    struct gm_command_call *call = gm_command_call_new(commands, &ask, arena);
    gm_rc rc = call != NULL ? GM_OK : gm_fail(err, GM_E_LIMIT, "the command is too large");
    if (rc == GM_OK) {
        gm_command_call_run(call);
        *err = call->answer.err;
        rc = call->answer.rc;
        doing->status = call->answer.status;
        gm_command_write_answer(&call->answer, &doing->answer);
    }
    gm_arena_free(arena);
    return rc;
}

static gm_rc do_command(struct doing *doing, struct gm_err *err)
{
    struct gm_store *store = NULL;
    struct gm_hub *hub = NULL;
    struct gm_commands *commands = NULL;
    GM_TRY(read_body(doing, err));
    GM_TRY(gm_remote_or_store(doing->args, &store, err));
    if (store == NULL) {
        return do_there(doing, err);
    }
    gm_rc rc = open_here(doing->args, store, &hub, &commands, err);
    rc = rc == GM_OK ? do_with(doing, commands, err) : rc;
    gm_commands_close(commands);
    gm_hub_close(hub);
    gm_store_close(store);
    return rc;
}

/* ---- what became of it ---- */

static void print_problems(const yyjson_mut_val *error)
{
    const yyjson_mut_val *details = gm_json_member(error, GM_STR("details"));
    const yyjson_mut_val *at = gm_json_first(details);
    for (size_t i = 0; i < gm_json_count(details); i++, at = at->next) {
        struct gm_str target = gm_json_member_str(at, "target");
        struct gm_str message = gm_json_member_str(at, "message");
        fprintf(stderr, "  " GM_STR_FMT ": " GM_STR_FMT "\n",
                GM_STR_ARG(target.n > 0 ? target : GM_STR("the body")), GM_STR_ARG(message));
    }
}

static int print_done(struct gm_args *args, const yyjson_mut_val *root)
{
    const yyjson_mut_val *version = gm_json_member(root, GM_STR("version"));
    struct gm_str key = gm_json_member_str(root, "key");
    printf("%s: " GM_STR_FMT, args->words[0], GM_STR_ARG(key));
    if (version != NULL) {
        printf(", version %lld", (long long)version->uni.i64);
    }
    putchar('\n');
    return GM_EXIT_OK;
}

static int print_answer(struct doing *doing)
{
    struct gm_args *args = doing->args;
    struct gm_err err = {0};
    struct gm_arena *arena = gm_arena_new(OUTPUT_SIZE_MAX);
    yyjson_mut_val *root = NULL;
    bool done = doing->status >= 200 && doing->status < 300;
    int code = done ? GM_EXIT_OK : doing->status == 404 ? GM_EXIT_USAGE : GM_EXIT_FAILED;
    gm_rc rc = gm_json_parse(gm_json_doc_new(arena), gm_buf_str(&doing->answer), &root, &err);
    if (rc != GM_OK) {
        code = gm_args_fail(args, rc, &err);
    } else if (args->json) {
        gm_print_json(&doing->answer);
    } else if (done) {
        code = print_done(args, root);
    } else {
        const yyjson_mut_val *error = gm_json_member(root, GM_STR("error"));
        (void)gm_fail(&err, GM_E_INVALID, GM_STR_FMT,
                      GM_STR_ARG(gm_json_member_str(error, "message")));
        (void)gm_args_fail(args, GM_E_INVALID, &err);
        print_problems(error);
    }
    gm_arena_free(arena);
    return code;
}

static int command(struct gm_args *args)
{
    struct gm_err err = {0};
    struct doing doing = {.args = args};
    gm_buf_init(&doing.body, BODY_SIZE_MAX);
    gm_buf_init(&doing.answer, OUTPUT_SIZE_MAX);
    gm_rc rc = do_command(&doing, &err);
    int code = rc == GM_OK ? print_answer(&doing) : gm_args_fail(args, rc, &err);
    gm_buf_deinit(&doing.body);
    gm_buf_deinit(&doing.answer);
    return code;
}

const struct gm_command gm_command_command = {
    .name_z = "command",
    .args_z = "NAME [BODY]",
    .args_min = 1,
    .args_max = 2,
    .summary_z = "Do a command: its body is checked, and appended to its stream as an event.",
    .help_z = "BODY is JSON, @FILE, or - for standard input (default: {}). Every problem of it is\n"
              "told. Works while `gemel run` has the data directory, through it.",
    .example_z = "gemel command register_machine '{\"machineId\": 12345, \"factoryId\": 1}'",
    .options = command_options,
    .run = command,
};
