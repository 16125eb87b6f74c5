/* The command line: finds the command, parses its arguments from its table, prints help from the
 * same table. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/vec.h"
#include "cli/command.h"
#include "os/process.h"

const struct gm_option gm_common_options[] = {
    {"config", "FILE", "The configuration (default: gemel.yaml)."},
    {"data", "DIR", "The data directory (default: the configuration's)."},
    {"json", NULL, "Print JSON."},
    {"help", NULL, "Print this."},
    {0},
};

/* ---- help ---- */

static void print_options(const struct gm_option *options)
{
    for (; options != NULL && options->name_z != NULL; options++) {
        GM_AUTO_FREE char *head_z =
            gm_format_z("--%s%s%s", options->name_z, options->value_z != NULL ? " " : "",
                        options->value_z != NULL ? options->value_z : "");
        printf("  %-20s %s\n", head_z, options->help_z);
    }
}

static void print_command_help(const struct gm_command *command)
{
    printf("%s\n\nusage: gemel %s%s%s [options]\n", command->summary_z, command->name_z,
           command->args_z != NULL ? " " : "", command->args_z != NULL ? command->args_z : "");
    if (command->help_z != NULL) {
        printf("\n%s\n", command->help_z);
    }
    puts("\noptions:");
    print_options(command->options);
    print_options(gm_common_options);
    if (command->example_z != NULL) {
        printf("\nexample:\n  %s\n", command->example_z);
    }
}

static void print_help(void)
{
    puts("gemel keeps digital twins in step with the systems they describe.\n\nusage: gemel "
         "COMMAND [arguments] [options]\n\ncommands:");
    for (const struct gm_command *const *command = gm_commands(); *command != NULL; command++) {
        printf("  %-22s %s\n", (*command)->name_z, (*command)->summary_z);
    }
    puts("\n`gemel help COMMAND` tells more. Exit codes: 0 done, 1 failed, 2 usage or "
         "configuration, 3 environment.");
}

/* ---- finding the command ---- */

/* How many words of argv the command's name takes; 0: it is not this one. */
static int name_length(const struct gm_command *command, int argc, char **argv)
{
    struct gm_str rest = gm_str_z(command->name_z), word;
    int count = 0;
    while (rest.n > 0) {
        (void)gm_str_cut(rest, ' ', &word, &rest);
        if (count >= argc || !gm_str_is(word, argv[count])) {
            return 0;
        }
        count++;
    }
    return count;
}

static const struct gm_command *find_command(int argc, char **argv, int *out_words)
{
    const struct gm_command *found = NULL;
    *out_words = 0;
    for (const struct gm_command *const *command = gm_commands(); *command != NULL; command++) {
        int words = name_length(*command, argc, argv);
        if (words > *out_words) {
            *out_words = words;
            found = *command;
        }
    }
    return found;
}

static int unknown_command(const char *word_z)
{
    GM_VEC(const char *) names = {0};
    bool group = false;
    size_t n = strlen(word_z);
    for (const struct gm_command *const *command = gm_commands(); *command != NULL; command++) {
        *gm_vec_push(&names) = (*command)->name_z;
        if (strncmp((*command)->name_z, word_z, n) == 0 && (*command)->name_z[n] == ' ') {
            fprintf(stderr, "%s gemel %s\n", group ? "      " : "usage:", (*command)->name_z);
            group = true;
        }
    }
    const char *nearest_z = gm_conf_nearest(gm_str_z(word_z), names.at, names.n);
    if (!group && nearest_z != NULL) {
        fprintf(stderr, "gemel: unknown command %s; did you mean `gemel %s`?\n", word_z, nearest_z);
    } else if (!group) {
        fprintf(stderr, "gemel: unknown command %s; `gemel help` lists them\n", word_z);
    }
    gm_vec_deinit(&names);
    return GM_EXIT_USAGE;
}

/* ---- arguments ---- */

static const struct gm_option *find_option(const struct gm_option *options, struct gm_str name)
{
    for (; options != NULL && options->name_z != NULL; options++) {
        if (gm_str_is(name, options->name_z)) {
            return options;
        }
    }
    return NULL;
}

static gm_rc unknown_option(const struct gm_command *command, struct gm_str name,
                            struct gm_err *err)
{
    GM_VEC(const char *) names = {0};
    for (const struct gm_option *option = command->options;
         option != NULL && option->name_z != NULL; option++) {
        *gm_vec_push(&names) = option->name_z;
    }
    for (const struct gm_option *option = gm_common_options; option->name_z != NULL; option++) {
        *gm_vec_push(&names) = option->name_z;
    }
    const char *nearest_z = gm_conf_nearest(name, names.at, names.n);
    gm_vec_deinit(&names);
    return nearest_z != NULL
               ? gm_fail(err, GM_E_CONFIG, "unknown option --" GM_STR_FMT "; did you mean --%s?",
                         GM_STR_ARG(name), nearest_z)
               : gm_fail(err, GM_E_CONFIG, "unknown option --" GM_STR_FMT "; see `gemel help %s`",
                         GM_STR_ARG(name), command->name_z);
}

/* `--name`, `--name VALUE` or `--name=VALUE` at argv[*at]. */
static gm_rc parse_option(struct gm_args *args, int argc, char **argv, int *at, struct gm_err *err)
{
    struct gm_str name, value;
    bool joined = gm_str_cut(gm_str_z(argv[*at] + 2), '=', &name, &value);
    const struct gm_option *option = find_option(args->command->options, name);
    option = option != NULL ? option : find_option(gm_common_options, name);
    if (option == NULL) {
        return unknown_option(args->command, name, err);
    }
    if (option->value_z == NULL && joined) {
        return gm_fail(err, GM_E_CONFIG, "--%s takes no value", option->name_z);
    }
    if (option->value_z != NULL && !joined && *at + 1 >= argc) {
        return gm_fail(err, GM_E_CONFIG, "--%s needs a value: %s", option->name_z, option->value_z);
    }
    if (args->option_count == GM_ARG_OPTIONS_MAX) {
        return gm_fail(err, GM_E_CONFIG, "more than %d options", GM_ARG_OPTIONS_MAX);
    }
    const char *text_z = option->value_z == NULL ? "" : joined ? value.p : argv[++*at];
    args->options[args->option_count].name_z = option->name_z;
    args->options[args->option_count++].value_z = text_z;
    args->json = args->json || strcmp(option->name_z, "json") == 0;
    return GM_OK;
}

static gm_rc parse_args(struct gm_args *args, int argc, char **argv, struct gm_err *err)
{
    bool words_only = false;
    for (int at = 0; at < argc; at++) {
        bool option = !words_only && argv[at][0] == '-' && argv[at][1] != '\0';
        if (option && strcmp(argv[at], "--") == 0) {
            words_only = true;
        } else if (option && strcmp(argv[at], "-h") == 0) {
            args->options[args->option_count++].name_z = "help";
        } else if (option && argv[at][1] == '-') {
            GM_TRY(parse_option(args, argc, argv, &at, err));
        } else if (option) {
            return gm_fail(err, GM_E_CONFIG,
                           "unknown option %s; options are written in full, such as --json",
                           argv[at]);
        } else if (args->word_count == GM_ARGS_MAX) {
            return gm_fail(err, GM_E_CONFIG, "more than %d arguments", GM_ARGS_MAX);
        } else {
            args->words[args->word_count++] = argv[at];
        }
    }
    const struct gm_command *command = args->command;
    bool fits = args->word_count >= command->args_min && args->word_count <= command->args_max;
    if (!fits && !gm_args_has(args, "help")) {
        return gm_fail(err, GM_E_CONFIG, "%s; usage: gemel %s%s%s",
                       args->word_count < command->args_min ? "something is missing"
                                                            : "too many arguments",
                       command->name_z, command->args_z != NULL ? " " : "",
                       command->args_z != NULL ? command->args_z : "");
    }
    return GM_OK;
}

static int run_command(const struct gm_command *command, int argc, char **argv)
{
    struct gm_args args = {.command = command};
    struct gm_err err = {0};
    gm_rc rc = parse_args(&args, argc, argv, &err);
    int code = GM_EXIT_OK;
    if (rc != GM_OK) {
        code = gm_args_fail(&args, rc, &err);
    } else if (gm_args_has(&args, "help")) {
        print_command_help(command);
    } else {
        code = command->run(&args);
    }
    gm_config_free(args.config);
    gm_config_free(args.settings);
    bool unwritten = fflush(stdout) != 0 || ferror(stdout) != 0;
    if (unwritten && code == GM_EXIT_OK) {
        fprintf(stderr, "gemel %s: standard output could not be written\n", command->name_z);
        code = GM_EXIT_ENVIRONMENT;
    }
    return code;
}

static int command_line(int argc, char **argv)
{
    gm_log_init(&(struct gm_log_sink){.now_ns = gm_clock_wall_now, .write = gm_write_stderr},
                GM_LOG_INFO, GM_LOG_LOGFMT);
    int words;
    if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ||
        (argc == 2 && strcmp(argv[1], "help") == 0)) {
        print_help();
        return argc < 2 ? GM_EXIT_USAGE : GM_EXIT_OK;
    }
    if (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0) {
        puts("gemel " GM_VERSION);
        return GM_EXIT_OK;
    }
    int skip = strcmp(argv[1], "help") == 0 ? 2 : 1;
    const struct gm_command *command = find_command(argc - skip, argv + skip, &words);
    if (command == NULL) {
        return unknown_command(argv[skip]);
    }
    if (skip == 2) {
        print_command_help(command);
        return GM_EXIT_OK;
    }
    return run_command(command, argc - 1 - words, argv + 1 + words);
}

int main(int argc, char **argv)
{
    return command_line(argc, argv);
}
