/* Every command, one line each; see the file of its name. */
#ifndef GM_CLI_COMMANDS_H
#define GM_CLI_COMMANDS_H

#include "cli/command.h"

extern const struct gm_command gm_command_models, gm_command_models_upload, gm_command_models_show,
    gm_command_models_decommission, gm_command_models_delete;
extern const struct gm_command gm_command_run;
extern const struct gm_command gm_command_check;
extern const struct gm_command gm_command_plan;
extern const struct gm_command gm_command_status;
extern const struct gm_command gm_command_runs;
extern const struct gm_command gm_command_runs_show;
extern const struct gm_command gm_command_runs_approve;
extern const struct gm_command gm_command_dead_letters_list;
extern const struct gm_command gm_command_dead_letters_show;
extern const struct gm_command gm_command_dead_letters_redrive;
extern const struct gm_command gm_command_dead_letters_drop;
extern const struct gm_command gm_command_verify;
extern const struct gm_command gm_command_forget;
extern const struct gm_command gm_command_query;
extern const struct gm_command gm_command_history;
extern const struct gm_command gm_command_changes;
extern const struct gm_command gm_command_trace;
extern const struct gm_command gm_command_waiting;
extern const struct gm_command gm_command_routes;
extern const struct gm_command gm_command_routes_put;
extern const struct gm_command gm_command_routes_delete;
extern const struct gm_command gm_command_routes_letters;
extern const struct gm_command gm_command_routes_redrive;
extern const struct gm_command gm_command_routes_drop;
extern const struct gm_command gm_command_streams;
extern const struct gm_command gm_command_streams_check;
extern const struct gm_command gm_command_tail;
extern const struct gm_command gm_command_views;
extern const struct gm_command gm_command_views_show;
extern const struct gm_command gm_command_views_follow;
extern const struct gm_command gm_command_views_rebuild;
extern const struct gm_command gm_command_append;
extern const struct gm_command gm_command_commands;
extern const struct gm_command gm_command_command;
extern const struct gm_command gm_command_import;
extern const struct gm_command gm_command_export;
extern const struct gm_command gm_command_token;
extern const struct gm_command gm_command_token_new;
extern const struct gm_command gm_command_tls_show;
extern const struct gm_command gm_command_tls_export;
extern const struct gm_command gm_command_tls_renew;
extern const struct gm_command gm_command_sample_company;
extern const struct gm_command gm_command_sample_factory;
extern const struct gm_command gm_command_connector_list;
extern const struct gm_command gm_command_connector_help;
extern const struct gm_command gm_command_schema;
extern const struct gm_command gm_command_reference;

#endif
