/* Commands over HTTP. What is read for one is read on a worker; its append is answered by the
 * stream's writer after the commit, or, when somebody else moved the entity, goes to a worker once
 * more. */
#include "command/commands.h"

#include "api/streams/inside.h"
#include "command/fields.h"

struct command_call {
    struct gm_command_ask ask;
    struct gm_command_call *command;
};

void gm_commands_op_list(struct gm_adt_call *call)
{
    const struct gm_streams_api *api = call->mount;
    gm_commands_write_list(api->options.commands, &call->http->reply.body);
    gm_adt_answer(call, 200);
}

/* ---- answers ---- */

static void answer_refused(struct gm_adt_call *call, const struct gm_command_answer *answer)
{
    const struct gm_problems *problems = answer->problems;
    size_t count = problems != NULL ? problems->n : 0;
    struct gm_adt_detail *details = gm_arena_alloc(call->arena, (count + 1) * sizeof(*details));
    count = details != NULL ? count : 0;
    for (size_t i = 0; i < count; i++) {
        details[i] = (struct gm_adt_detail){.code_z = GM_COMMAND_PROBLEM_CODE,
                                            .message = problems->at[i].message,
                                            .target = problems->at[i].path};
    }
    if (answer->status == 429 || answer->status == 503) {
        gm_adt_reply_header(call, "Retry-After", GM_STR("1"));
    }
    gm_adt_refuse_detailed(call, &(struct gm_adt_refusal){.status = answer->status,
                                                          .code_z = answer->code_z,
                                                          .message = answer->message,
                                                          .details = details,
                                                          .detail_count = count});
}

static void answer_command(struct gm_adt_call *call)
{
    const struct command_call *own = call->data;
    const struct gm_command_answer *answer = &own->command->answer;
    if (answer->version >= 0) {
        gm_adt_reply_header(call, "ETag",
                            gm_arena_format(call->arena, "\"%lld\"", (long long)answer->version));
    }
    if (answer->repeated) {
        gm_adt_reply_header(call, "Idempotency-Replayed", GM_STR("true"));
    }
    if (answer->rc != GM_OK) {
        gm_adt_fail(call, answer->rc, &answer->err);
    } else if (answer->code_z != NULL) {
        answer_refused(call, answer);
    } else {
        gm_command_write_answer(answer, &call->http->reply.body);
        gm_adt_answer(call, answer->status);
    }
}

/* ---- the way of a command ---- */

static void attempt(struct gm_adt_call *call);

/* On the stream's writer. */
static void committed(void *ctx, gm_rc rc, const struct gm_err *err)
{
    struct gm_adt_call *call = ctx;
    const struct command_call *own = call->data;
    if (gm_command_call_settle(own->command, rc, err)) {
        gm_adt_work(call, attempt);
    } else {
        answer_command(call);
    }
}

static void attempt(struct gm_adt_call *call)
{
    const struct command_call *own = call->data;
    struct gm_command_call *command = own->command;
    struct gm_err err = {0};
    if (!gm_command_call_prepare(command)) {
        answer_command(call);
        return;
    }
    command->append.done = committed;
    command->append.ctx = call;
    gm_rc rc = gm_stream_submit(command->stream, &command->append, &err);
    if (rc != GM_OK) {
        bool again = gm_command_call_settle(command, rc, &err);
        GM_ASSERT(!again); /* nothing was appended */
        answer_command(call);
    }
}

static void begin(struct gm_adt_call *call)
{
    const struct gm_streams_api *api = call->mount;
    struct command_call *own = call->data;
    own->command = gm_command_call_new(api->options.commands, &own->ask, call->arena);
    if (own->command == NULL) {
        gm_adt_refuse(call, 413, "RequestEntityTooLarge", "The command is too large.");
        return;
    }
    attempt(call);
}

void gm_commands_op_do(struct gm_adt_call *call)
{
    struct command_call *own = gm_arena_zalloc(call->arena, sizeof(*own));
    struct gm_err err = {0};
    GM_ASSERT(own != NULL); /* the arena takes far more than a body */
    const char *once_z = gm_adt_header_z(call, "Idempotency-Key");
    own->ask = (struct gm_command_ask){.name = call->parts[0],
                                       .body = call->http->body,
                                       .who = call->identity,
                                       .once = gm_str_z(once_z)};
    if (gm_streams_expected(call, &own->ask.expects, &own->ask.expected, &err) != GM_OK) {
        gm_adt_refuse(call, 400, GM_STREAMS_INVALID, "%s", err.text);
    } else if (once_z != NULL && own->ask.once.n == 0) {
        gm_adt_refuse(call, 400, GM_STREAMS_INVALID, "The Idempotency-Key is empty.");
    } else {
        call->data = own;
        gm_adt_work(call, begin);
    }
}
