/* Every command, one line each; see the file of its name. */
#ifndef GM_CLI_COMMANDS_H
#define GM_CLI_COMMANDS_H

#include "cli/command.h"

extern const struct gm_command gm_command_run;
extern const struct gm_command gm_command_check;
extern const struct gm_command gm_command_schema;
extern const struct gm_command gm_command_connector_list;
extern const struct gm_command gm_command_connector_help;
extern const struct gm_command gm_command_sample_company;
extern const struct gm_command gm_command_reference;

#endif
