/* gemel forget: a pipeline's state is given up. */
#include <stdio.h>

#include "cli/commands.h"

static const struct gm_option forget_options[] = {
    {"delete", NULL, "Delete what only this pipeline delivers, too."},
    {0},
};

static int forget(struct gm_args *args)
{
    struct gm_store *store = NULL;
    struct gm_err err = {0};
    int64_t count = 0;
    gm_rc rc = gm_args_store(args, &store, &err);
    if (rc == GM_OK) {
        struct gm_forgetting forgetting = {
            .store = store, .name_z = args->words[0], .delete = gm_args_has(args, "delete")};
        struct gm_err ignored;
        /* Needed only for what is in another service, and then its absence is told. */
        if (forgetting.delete &&gm_args_config(args, &forgetting.config, &ignored) != GM_OK) {
            forgetting.config = NULL;
        }
        rc = gm_forget_pipeline(&forgetting, &count, &err);
    }
    gm_store_close(store);
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    printf(args->json ? "{\"objects\":%lld}\n" : "%lld objects forgotten\n", (long long)count);
    return GM_EXIT_OK;
}

const struct gm_command gm_command_forget = {
    .name_z = "forget",
    .args_z = "PIPELINE",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Forget what a pipeline delivers: when it is gone, or its keys changed.",
    .help_z = "Its twins stay and any pipeline may take them over, this one with other keys, too; "
              "with --delete those go that\n"
              "nothing else delivers. Run reports and histories stay. Not while `gemel run` works "
              "on the data directory.",
    .example_z = "gemel forget products",
    .options = forget_options,
    .run = forget,
};
