/* Commands over the admin API: for `gemel command` of the same user. */
#include "command/commands.h"

#include "api/call.h"

gm_rc gm_admin_command(struct gm_call *call, struct gm_err *err)
{
    yyjson_mut_val *expected = gm_json_member(call->body, GM_STR("ifMatch"));
    struct gm_command_ask ask = {.name = call->part,
                                 .body = gm_json_member_str(call->body, "body"),
                                 .who = GM_STR(GM_COMMAND_LOCAL),
                                 .once = gm_json_member_str(call->body, "once"),
                                 .expects = expected != NULL};
    if (call->commands == NULL) {
        return gm_fail(err, GM_E_RETRY, "commands are not served by this process");
    }
    if (expected != NULL) {
        if (!yyjson_mut_is_int(expected) || expected->uni.i64 < 0) {
            return gm_fail(err, GM_E_INVALID, "`ifMatch`: a version is wanted, a number from 0");
        }
        ask.expected = expected->uni.i64;
    }
    struct gm_command_call *command = gm_command_call_new(call->commands, &ask, call->arena);
    if (command == NULL) {
        return gm_fail(err, GM_E_LIMIT, "the command is too large");
    }
    gm_command_call_run(command);
    if (command->answer.rc != GM_OK) {
        *err = command->answer.err;
        return command->answer.rc;
    }
    call->reply->status = command->answer.status;
    gm_command_write_answer(&command->answer, &call->reply->body);
    return GM_OK;
}
