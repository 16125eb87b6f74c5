/* The table of commands, in the order of help. */
#include "cli/commands.h"

const struct gm_command *const *gm_commands(void)
{
    static const struct gm_command *const commands[] = {
        &gm_command_run,
        &gm_command_check,
        &gm_command_connector_list,
        &gm_command_connector_help,
        &gm_command_schema,
        &gm_command_sample_company,
        &gm_command_reference,
        NULL,
    };
    return commands;
}
