/* Commands of `gemel`: each is a table entry, and help, the reference page and argument parsing
 * come from it.
 *
 *     static const struct gm_option options[] = {
 *         {"limit", "N", "Show at most N (default: 20)."},
 *         {0},
 *     };
 *     const struct gm_command gm_command_runs_list = {
 *         .name_z = "runs", .args_z = "[PIPELINE]", .args_max = 1,
 *         .summary_z = "List runs, newest first.",
 *         .options = options, .run = runs_list,
 *     };
 *
 * Every command takes --config, --data, --json and --help. Exit codes: 0 done, 1 failed (the work
 * was tried and did not succeed), 2 usage or configuration, 3 environment (storage, another
 * process, a missing file). What a command finds goes to standard output, what goes wrong to
 * standard error as "gemel COMMAND: …". */
#ifndef GM_CLI_COMMAND_H
#define GM_CLI_COMMAND_H

#include "base/buf.h"
#include "base/status.h"
#include "engine/config.h"
#include "engine/engine.h"
#include "engine/operations.h"
#include "store/store.h"

enum gm_exit { GM_EXIT_OK = 0, GM_EXIT_FAILED = 1, GM_EXIT_USAGE = 2, GM_EXIT_ENVIRONMENT = 3 };

struct gm_option {
    const char *name_z;  /* without "--"; NULL ends the list */
    const char *value_z; /* what stands for its value in help; NULL: a switch */
    const char *help_z;
};

struct gm_args;
struct gm_command {
    const char *name_z; /* "runs approve" */
    const char *args_z; /* "PIPELINE RUN"; NULL: none */
    size_t args_min, args_max;
    const char *summary_z;           /* one line */
    const char *help_z;              /* more, plain text; NULL: none */
    const char *example_z;           /* NULL: none */
    const struct gm_option *options; /* NULL: none of its own */
    int (*run)(struct gm_args *args);
    bool config_first; /* the first word is the configuration */
};

/* What every command takes. */
extern const struct gm_option gm_common_options[];
/* In the order of help; NULL-terminated. */
const struct gm_command *const *gm_commands(void);

/* ---- arguments ---- */

enum { GM_ARGS_MAX = 16, GM_ARG_OPTIONS_MAX = 32 };

struct gm_args {
    const struct gm_command *command;
    const char *words[GM_ARGS_MAX]; /* what is no option */
    size_t word_count;
    struct {
        const char *name_z, *value_z;
    } options[GM_ARG_OPTIONS_MAX];
    size_t option_count;
    bool json;
    struct gm_config *config;   /* loaded by gm_args_config */
    struct gm_config *settings; /* loaded by gm_args_data: secrets are not looked up in it */
};

bool gm_args_has(const struct gm_args *args, const char *option_z);
const char *gm_args_value(const struct gm_args *args, const char *option_z); /* NULL: not given */
gm_rc gm_args_int(const struct gm_args *args, const char *option_z, int64_t def, int64_t *out_value,
                  struct gm_err *err) GM_MUST_CHECK;

/* Prints "gemel COMMAND: text" and returns the exit code for `rc`. */
int gm_args_fail(const struct gm_args *args, gm_rc rc, const struct gm_err *err);

/* Of a command whose one argument is the configuration: that; else --config, else ./gemel.yaml. */
const char *gm_args_config_path(const struct gm_args *args);
/* Loads it. All its errors are printed. */
gm_rc gm_args_config(struct gm_args *args, const struct gm_config **out_config, struct gm_err *err)
    GM_MUST_CHECK;
/* The same without looking up secrets: whoever only looks need not know those of the sources. */
gm_rc gm_args_settings(struct gm_args *args, const struct gm_config **out_config,
                       struct gm_err *err) GM_MUST_CHECK;
/* A pipeline of it by name. */
gm_rc gm_args_pipeline(struct gm_args *args, const char *name_z,
                       const struct gm_pipeline **out_pipeline, struct gm_err *err) GM_MUST_CHECK;
/* The data directory: --data, else that of the configuration. */
gm_rc gm_args_data(struct gm_args *args, const char **out_folder_z, struct gm_err *err)
    GM_MUST_CHECK;
/* A reading connection to the store: works while `gemel run` has it open. */
gm_rc gm_args_reader(struct gm_args *args, struct gm_db **out_db, struct gm_err *err) GM_MUST_CHECK;
/* The store with its models, on such a connection. Closed also when opening failed. */
struct gm_look {
    struct gm_db *db;
    struct gm_models *models;
    struct gm_arena *arena; /* for what is printed; 1 GB at most */
};
gm_rc gm_look_open(struct gm_args *args, struct gm_look *out_look, struct gm_err *err)
    GM_MUST_CHECK;
void gm_look_close(struct gm_look *look);
/* The store for writing, with the configuration's models. GM_E_RETRY when another process has
 * it. */
gm_rc gm_args_store(struct gm_args *args, struct gm_store **out_store, struct gm_err *err)
    GM_MUST_CHECK;

/* The number of a pipeline that has run here. GM_E_CONFIG: none has. */
gm_rc gm_args_pipeline_num(struct gm_db *db, const char *name_z, int64_t *out_num,
                           struct gm_err *err) GM_MUST_CHECK;

/* ---- output ---- */

/* Columns of text for people: widths are found, the last column is not padded. */
struct gm_table;
struct gm_table *gm_table_new(const char *const *heads, size_t column_count);
void gm_table_add(struct gm_table *table, const struct gm_str *cells);
void gm_table_print(const struct gm_table *table);
/* The same into a buffer, lines cut off at `width_max` characters. */
void gm_table_write(const struct gm_table *table, size_t width_max, struct gm_buf *out);
void gm_table_free(struct gm_table *table); /* NULL is fine */

void gm_print_json(struct gm_buf *json);                  /* adds a newline to it */
void gm_print_time(gm_ns t, char out[GM_TIME_TEXT_SIZE]); /* "2026-11-20 17:09:55" UTC; "-" for 0 */

#endif
