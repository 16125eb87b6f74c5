/* Commands: what may be asked of entities, validated and appended as events. Queries read twins and
 * views; commands write streams, and never both.
 *
 *     struct gm_commands_options options = {
 *         .commands = &root->commands, .hub = hub, .store = store};
 *     GM_TRY(gm_commands_open(&options, &commands, err));
 *     struct gm_command_ask ask = {.name = GM_STR("register_machine"), .body = text, .who = who};
 *     struct gm_command_call *call = gm_command_call_new(commands, &ask, arena);
 *     gm_command_call_run(call);                           // waits for the commit
 *     … call->answer …
 *     gm_commands_close(commands);
 *
 * or, where no thread is to wait for a commit,
 *
 *     if (gm_command_call_prepare(call)) {                 // reads; false: call->answer is set
 *         … gm_stream_submit(call->stream, &call->append) …
 *         again = gm_command_call_settle(call, rc, &err);   // behind it; true: prepare anew
 *     }
 *
 * A command is checked whole: every problem of its body is told. Then what it refers to has to be
 * there, the entity has to be new or not, and the condition over its state has to hold. All of that
 * is looked at in the entity as of one version, and the append names that version: when somebody
 * else moved it in between, the command looks again, GM_COMMAND_TRIES_MAX times, unless it named
 * the version it wants itself. What a command refers to is looked at before, and may go after it.
 *
 * Once. A command with a key of its own (`once`) is appended once per caller, and answered as the
 * first time, for as long as receipts are kept (stream/receipt.h). What was refused is looked at
 * anew. The same key with another body is refused.
 *
 * Thread rule: commands are shared by any threads; one call has one owner at a time. Reads
 * block, and are for threads that may. */
#ifndef GM_COMMAND_COMMANDS_H
#define GM_COMMAND_COMMANDS_H

#include "command/conf.h"
#include "hub/hub.h"
#include "store/store.h"
#include "stream/receipt.h"

enum {
    GM_COMMAND_TRIES_MAX = 32,
    GM_COMMAND_ONCE_MAX = 200, /* bytes of a key */
    GM_COMMAND_ARENA_SIZE = 64 << 20,
};

struct gm_commands_options {
    const struct gm_conf_map *commands; /* of struct gm_command_conf; kept */
    const struct gm_hub *hub;           /* kept */
    struct gm_store *store;             /* kept; for twins that are referred to */
};
struct gm_commands;
gm_rc gm_commands_open(const struct gm_commands_options *options, struct gm_commands **out_commands,
                       struct gm_err *err) GM_MUST_CHECK;
void gm_commands_close(struct gm_commands *commands); /* NULL is fine */

/* Who asks with a command of the same user: the origin of its events. */
#define GM_COMMAND_LOCAL "gemel command"

/* {"value":[{"name","help","stream","event","key","when","require","refers","schema"}, …]} */
void gm_commands_write_list(const struct gm_commands *commands, struct gm_buf *out);
/* The same of a configuration alone. */
gm_rc gm_commands_describe(const struct gm_conf_map *commands, const struct gm_conf_map *streams,
                           struct gm_buf *out, struct gm_err *err) GM_MUST_CHECK;

struct gm_command_ask {
    struct gm_str name;
    struct gm_str body; /* JSON; kept until the command is settled */
    struct gm_str who;  /* the events' origin */
    struct gm_str once; /* n 0: none */
    bool expects;
    int64_t expected; /* the entity's version */
};

struct gm_command_plan;
struct gm_problems; /* command/fields.h */
#define GM_COMMAND_PROBLEM_CODE "InvalidMember"
/* What became of it, in the terms of HTTP. */
struct gm_command_answer {
    int status;         /* 200, 201: done */
    const char *code_z; /* of a refusal: "InvalidCommand", "EntityExists", … */
    struct gm_str message;
    const struct gm_problems *problems; /* of InvalidCommand */
    struct gm_str key;
    int64_t version; /* the entity's now; -1: not known, or none */
    int partition;
    int64_t offset; /* of the event; -1: not known */
    bool repeated;  /* it is the answer of the first time */
    gm_rc rc;       /* GM_OK; else `err` is a failure of ours */
    struct gm_err err;
};
struct gm_command_call {
    struct gm_command_answer answer;
    struct gm_stream *stream; /* what the append is for */
    struct gm_append append;
    /* Private, and what follows. */
    struct gm_commands *commands_;
    const struct gm_command_plan *plan_;
    const struct gm_command_ask *ask_;
    struct gm_arena *arena_;
    yyjson_mut_doc *doc_;
    yyjson_mut_val *body_;
    yyjson_val *read_; /* the same, as the schema's checks want it */
    struct gm_event event_;
    struct gm_stream_receipt receipt_;
    int64_t offset_;
    int tries_;
};
/* Lives in the arena, as everything of it does; `ask` and its texts are kept. NULL: the arena is
 * full. */
struct gm_command_call *gm_command_call_new(struct gm_commands *commands,
                                            const struct gm_command_ask *ask,
                                            struct gm_arena *arena);
bool gm_command_call_prepare(struct gm_command_call *command);
/* `rc` and `err` of the append. */
bool gm_command_call_settle(struct gm_command_call *command, gm_rc rc, const struct gm_err *err);
void gm_command_call_run(struct gm_command_call *command);
/* {"key","version","partition","offset"}, or {"error":{"code","message","details":[…]}}. */
void gm_command_write_answer(const struct gm_command_answer *answer, struct gm_buf *out);

#endif
