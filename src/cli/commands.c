/* The table of commands, in the order of help. */
#include "cli/commands.h"

const struct gm_command *const *gm_commands(void)
{
    static const struct gm_command *const commands[] = {
        &gm_command_run,
        &gm_command_check,
        &gm_command_plan,
        &gm_command_status,
        &gm_command_runs,
        &gm_command_runs_show,
        &gm_command_runs_approve,
        &gm_command_dead_letters_list,
        &gm_command_dead_letters_show,
        &gm_command_dead_letters_redrive,
        &gm_command_dead_letters_drop,
        &gm_command_verify,
        &gm_command_forget,
        &gm_command_query,
        &gm_command_history,
        &gm_command_changes,
        &gm_command_trace,
        &gm_command_waiting,
        &gm_command_routes,
        &gm_command_routes_put,
        &gm_command_routes_delete,
        &gm_command_routes_letters,
        &gm_command_routes_redrive,
        &gm_command_routes_drop,
        &gm_command_import,
        &gm_command_export,
        &gm_command_token,
        &gm_command_token_new,
        &gm_command_tls_show,
        &gm_command_tls_export,
        &gm_command_tls_renew,
        &gm_command_sample_company,
        &gm_command_connector_list,
        &gm_command_connector_help,
        &gm_command_schema,
        &gm_command_reference,
        NULL,
    };
    return commands;
}
