#include "command/commands.h"

#include <stdarg.h>

#include "base/mem.h"
#include "command/plan.h"
#include "command/twins.h"
#include "stream/entity.h"

/* How long a command waits for room in its stream. */
#define ROOM_TIME (30 * GM_SECOND)

struct gm_commands {
    struct gm_commands_options options;
    struct gm_command_plan **plans; /* options.commands->n of them, once it is open */
    struct gm_command_twins *twins; /* NULL: no command refers to any */
};

/* ---- life ---- */

static gm_rc open_plan(struct gm_commands *commands, size_t index, struct gm_err *err)
{
    const struct gm_conf_map_entry *entry = &commands->options.commands->at[index];
    const struct gm_command_conf *conf = entry->value;
    const struct gm_hub_stream *stream = gm_hub_find(commands->options.hub, gm_str_z(conf->stream));
    GM_ASSERT(stream != NULL); /* the configuration was checked */
    GM_TRY(gm_command_plan_new(entry, stream->conf, &commands->plans[index], err));
    bool refers = false;
    const struct gm_command_refer_conf *refer = conf->refers.at;
    for (size_t i = 0; i < conf->refers.n; i++) {
        refers = refers || refer[i].twin != NULL;
    }
    return refers && commands->twins == NULL
               ? gm_command_twins_new(commands->options.store, &commands->twins, err)
               : GM_OK;
}

gm_rc gm_commands_open(const struct gm_commands_options *options, struct gm_commands **out_commands,
                       struct gm_err *err)
{
    struct gm_commands *commands = gm_alloc(sizeof(*commands));
    gm_rc rc = GM_OK;
    commands->options = *options;
    commands->plans = gm_alloc_array(options->commands->n + 1, sizeof(commands->plans[0]));
    for (size_t i = 0; i < options->commands->n && rc == GM_OK; i++) {
        rc = open_plan(commands, i, err);
        if (rc != GM_OK) {
            rc = gm_fail_within(err, "command `%s`", options->commands->at[i].name_z);
        }
    }
    if (rc != GM_OK) {
        gm_commands_close(commands);
        return rc;
    }
    *out_commands = commands;
    return GM_OK;
}

void gm_commands_close(struct gm_commands *commands)
{
    if (commands != NULL) {
        for (size_t i = 0; i < commands->options.commands->n; i++) {
            gm_command_plan_free(commands->plans[i]);
        }
        gm_command_twins_free(commands->twins);
        gm_free(commands->plans);
        gm_free(commands);
    }
}

void gm_commands_write_list(const struct gm_commands *commands, struct gm_buf *out)
{
    gm_buf_add_z(out, "{\"value\":[");
    for (size_t i = 0; i < commands->options.commands->n; i++) {
        gm_buf_add_z(out, i > 0 ? "," : "");
        gm_command_plan_write(commands->plans[i], out);
    }
    gm_buf_add_z(out, "]}");
}

/* ---- refusals ---- */

static void refuse(struct gm_command_call *command, int status, const char *code_z, const char *fmt,
                   ...) GM_PRINTF(4, 5);
static void refuse(struct gm_command_call *command, int status, const char *code_z, const char *fmt,
                   ...)
{
    struct gm_command_answer *answer = &command->answer;
    va_list args;
    va_start(args, fmt);
    struct gm_str message = gm_arena_vformat(command->arena_, fmt, args);
    va_end(args);
    answer->status = status;
    answer->code_z = code_z;
    answer->message = message.p != NULL ? message : GM_STR("The command is refused.");
}

static void refuse_body(struct gm_command_call *command, const struct gm_problems *problems)
{
    command->answer.problems = problems;
    refuse(command, 400, "InvalidCommand",
           "The body of %s has %zu %s; nothing was done. Put right what is listed in `details`, "
           "and send it again.",
           command->plan_->name_z, problems->count, problems->count == 1 ? "problem" : "problems");
}

/* A failure that is not the caller's. */
static void fail(struct gm_command_call *command, gm_rc rc, const struct gm_err *err)
{
    if (rc == GM_E_RETRY || rc == GM_E_CANCELLED) {
        refuse(command, 429, "TooManyRequests", "%s", err->text);
        return;
    }
    command->answer.rc = rc;
    command->answer.err = *err;
    refuse(command, 500, "InternalError", "%s", err->text);
}

static void refuse_moved(struct gm_command_call *command, int64_t version)
{
    command->answer.version = version;
    refuse(command, 409, "VersionConflict",
           "The entity " GM_STR_FMT " has version %lld, not %lld. Read it again, decide again, and "
           "send the command with its version now.",
           GM_STR_ARG(command->event_.key), (long long)version, (long long)command->ask_->expected);
}

/* ---- the body ---- */

static const struct gm_hub_stream *stream_of(const struct gm_command_call *command)
{
    return gm_hub_find(command->commands_->options.hub, gm_str_z(command->plan_->conf->stream));
}

/* n 0: a path of it leads to nothing. p NULL: it is too long. */
static struct gm_str expand(struct gm_command_call *command, const struct gm_pattern *template)
{
    char text[GM_EVENT_TEXT_SIZE_MAX + 1];
    size_t n = 0;
    for (size_t i = 0; i <= template->count; i++) {
        char digits[GM_NUM_TEXT_SIZE];
        struct gm_str value =
            i < template->count
                ? gm_scalar_text(gm_path_in(&template->paths[i], command->read_), digits)
                : GM_STR("");
        if (i < template->count && (value.n == 0 || value.p == NULL)) {
            return GM_STR("");
        }
        const struct gm_str parts[] = {template->literals[i], value};
        for (size_t k = 0; k < GM_ARRAY_COUNT(parts); k++) {
            if (parts[k].n > GM_EVENT_TEXT_SIZE_MAX - n) {
                return (struct gm_str){NULL, 1};
            }
            if (parts[k].n > 0) {
                memcpy(text + n, parts[k].p, parts[k].n);
            }
            n += parts[k].n;
        }
    }
    return gm_arena_dup(command->arena_, (struct gm_str){text, n});
}

/* True: it is JSON, and body_ and read_ are set. */
static bool read_body(struct gm_command_call *command, struct gm_problems *problems)
{
    struct gm_err err = {0};
    struct gm_str text = gm_str_trim(command->ask_->body);
    yyjson_alc memory = gm_json_memory(command->arena_);
    gm_rc rc =
        text.n <= GM_EVENT_BODY_SIZE_MAX
            ? gm_json_parse(command->doc_, text.n > 0 ? text : GM_STR("{}"), &command->body_, &err)
            : gm_fail(&err, GM_E_INVALID, "it has more than %d bytes", GM_EVENT_BODY_SIZE_MAX);
    yyjson_doc *doc = rc == GM_OK ? yyjson_mut_val_imut_copy(command->body_, &memory) : NULL;
    if (doc == NULL) {
        gm_problem_add(problems, GM_STR(""), "%s",
                       rc != GM_OK ? err.text : "there is no memory for it");
        return false;
    }
    command->read_ = yyjson_doc_get_root(doc);
    return true;
}

static bool keep(struct gm_arena *arena, struct gm_str *text)
{
    *text = gm_arena_dup(arena, *text);
    return text->p != NULL;
}

/* What the stream's settings find in the body (time, origin, …), and what the command says. */
static void make_event(struct gm_command_call *command, struct gm_problems *problems)
{
    enum { TEXTS_SIZE_MAX = 8 << 20 };
    const struct gm_command_conf *conf = command->plan_->conf;
    struct gm_decoded *decoded = gm_decoded_new(TEXTS_SIZE_MAX);
    const struct gm_event known = {
        .key = command->event_.key, .type = gm_str_z(conf->event), .origin = command->ask_->who};
    struct gm_str text = gm_str_trim(command->ask_->body);
    gm_decode_one(stream_of(command)->decoder, text.n > 0 ? text : GM_STR("{}"), &known, decoded);
    for (size_t i = 0; i < decoded->wrong.n; i++) {
        gm_problem_add(problems, GM_STR(""), GM_STR_FMT, GM_STR_ARG(decoded->wrong.at[i].reason));
    }
    if (decoded->events.n == 1) {
        struct gm_event *event = &command->event_;
        *event = decoded->events.at[0];
        event->key = known.key;
        event->type = known.type;
        if (!keep(command->arena_, &event->body) || !keep(command->arena_, &event->origin) ||
            !keep(command->arena_, &event->id)) {
            gm_problem_add(problems, GM_STR(""), "there is no memory for it");
        }
    }
    gm_decoded_free(decoded);
}

/* Its key makes the event's id, and the name of its receipt: of this caller, of this command. */
static void name_event(struct gm_command_call *command, struct gm_problems *problems)
{
    const struct gm_command_ask *ask = command->ask_;
    struct gm_event *event = &command->event_;
    struct gm_buf text;
    if (ask->once.n == 0) {
        return;
    }
    if (ask->once.n > GM_COMMAND_ONCE_MAX || !gm_utf8_valid(ask->once, NULL)) {
        gm_problem_add(problems, GM_STR("Idempotency-Key"), "it has 1 to %d bytes of UTF-8",
                       GM_COMMAND_ONCE_MAX);
        return;
    }
    event->origin = ask->who;
    event->sequence = 0;
    event->id = gm_arena_format(command->arena_, "command/%s/" GM_STR_FMT, command->plan_->name_z,
                                GM_STR_ARG(ask->once));
    /* names of callers have no line ends, so no two of them make one name */
    command->receipt_.name = gm_arena_format(command->arena_, GM_STR_FMT "\n" GM_STR_FMT,
                                             GM_STR_ARG(ask->who), GM_STR_ARG(event->id));
    gm_buf_init(&text, (size_t)2 * GM_EVENT_BODY_SIZE_MAX);
    gm_json_canonical(command->doc_, command->body_, &text);
    command->receipt_.hash = gm_hash64(gm_buf_str(&text), 0);
    if (event->id.p == NULL || command->receipt_.name.p == NULL || gm_buf_failed(&text)) {
        gm_problem_add(problems, GM_STR(""), "there is no memory for it");
    }
    gm_buf_deinit(&text);
}

/* Everything that can be told of the body alone. */
static void read_command(struct gm_command_call *command)
{
    struct gm_problems *problems = gm_arena_zalloc(command->arena_, sizeof(*problems));
    if (problems == NULL) {
        refuse(command, 413, "RequestEntityTooLarge", "The command is too large.");
        return;
    }
    problems->arena = command->arena_;
    if (read_body(command, problems)) {
        gm_fields_check(command->plan_->fields, command->read_, problems);
    }
    if (problems->count == 0) {
        command->event_.key = expand(command, &command->plan_->key);
        if (command->event_.key.n == 0 || command->event_.key.p == NULL) {
            gm_problem_add(problems, command->plan_->key.paths[0].text,
                           "it makes the key, which has 1 to %d bytes", GM_EVENT_TEXT_SIZE_MAX);
        } else {
            make_event(command, problems);
            name_event(command, problems);
        }
    }
    if (command->ask_->expects && !stream_of(command)->conf->versions) {
        gm_problem_add(problems, GM_STR("If-Match"), "keys of the stream `%s` have no versions",
                       command->plan_->conf->stream);
    }
    if (problems->count > 0) {
        refuse_body(command, problems);
    }
}

struct gm_command_call *gm_command_call_new(struct gm_commands *commands,
                                            const struct gm_command_ask *ask,
                                            struct gm_arena *arena)
{
    struct gm_command_call *command = gm_arena_zalloc(arena, sizeof(*command));
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    if (command == NULL || doc == NULL) {
        return NULL;
    }
    command->commands_ = commands;
    command->ask_ = ask;
    command->arena_ = arena;
    command->doc_ = doc;
    command->answer.version = command->answer.offset = -1;
    for (size_t i = 0; i < commands->options.commands->n && command->plan_ == NULL; i++) {
        if (gm_str_is(ask->name, commands->plans[i]->name_z)) {
            command->plan_ = commands->plans[i];
        }
    }
    if (command->plan_ == NULL) {
        refuse(command, 404, "CommandNotFound",
               "There is no command " GM_STR_FMT "; GET /commands lists them.",
               GM_STR_ARG(ask->name));
        return command;
    }
    command->stream = stream_of(command)->stream;
    read_command(command);
    return command;
}

/* ---- what has to be so ---- */

/* True: it was done before, and the answer is that of the first time, or a refusal. */
static bool was_done(struct gm_command_call *command)
{
    struct gm_stream_receipt found = command->receipt_;
    struct gm_err err = {0};
    if (found.name.n == 0) {
        return false;
    }
    gm_rc rc = gm_stream_receipt_find(command->stream, command->arena_, &found, &err);
    if (rc == GM_E_END) {
        return false;
    }
    if (rc != GM_OK) {
        fail(command, rc, &err);
    } else if (found.hash != command->receipt_.hash) {
        refuse(command, 422, "IdempotencyKeyReused",
               "A command with this Idempotency-Key, and another body, was done before. A new "
               "command has a new key.");
    } else {
        struct gm_command_answer *answer = &command->answer;
        answer->status = found.version == 1 ? 201 : 200;
        answer->key = found.key;
        answer->version = found.version > 0 ? found.version : -1;
        answer->partition = found.partition;
        answer->offset = found.offset;
        answer->repeated = true;
    }
    return true;
}

static gm_rc find_refer(struct gm_command_call *command, const struct gm_command_refer *refer,
                        struct gm_str id, struct gm_err *err)
{
    int64_t version;
    struct gm_commands *commands = command->commands_;
    if (refer->conf->twin != NULL) {
        return gm_command_twins_find(commands->twins, id, gm_str_z(refer->conf->model), err);
    }
    const struct gm_hub_stream *stream =
        gm_hub_find(commands->options.hub, gm_str_z(refer->conf->stream));
    GM_TRY(gm_stream_version(stream->stream, id, &version, err));
    return version > 0 ? GM_OK : GM_E_END;
}

/* True: all of them are there. */
static bool check_refers(struct gm_command_call *command)
{
    const struct gm_command_plan *plan = command->plan_;
    for (size_t i = 0; i < plan->conf->refers.n; i++) {
        const struct gm_command_refer_conf *conf = plan->refers[i].conf;
        struct gm_err err = {0};
        struct gm_str id = expand(command, &plan->refers[i].id);
        if (id.n == 0) {
            continue;
        }
        gm_rc rc = id.p != NULL ? find_refer(command, &plan->refers[i], id, &err) : GM_E_END;
        if (rc == GM_E_END && conf->twin != NULL) {
            refuse(command, 409, "ReferenceNotFound",
                   "The twin " GM_STR_FMT "%s%s is not there. It has to be before %s.",
                   GM_STR_ARG(id.p != NULL ? id : GM_STR("")), conf->model != NULL ? ", a " : "",
                   conf->model != NULL ? conf->model : "", plan->name_z);
        } else if (rc == GM_E_END) {
            refuse(command, 409, "ReferenceNotFound",
                   "The entity " GM_STR_FMT " of the stream %s has no events. It has to be before "
                   "%s.",
                   GM_STR_ARG(id.p != NULL ? id : GM_STR("")), conf->stream, plan->name_z);
        } else if (rc != GM_OK) {
            fail(command, rc, &err);
        }
        if (rc != GM_OK) {
            return false;
        }
    }
    return true;
}

/* The state with what is beside it: `$command`, `$entity`. NULL: there is no memory. */
static yyjson_mut_val *make_view(struct gm_command_call *command, const struct gm_entity *entity)
{
    yyjson_mut_doc *doc = command->doc_;
    yyjson_alc memory = gm_json_memory(command->arena_);
    union {
        const char *in;
        char *p; /* it is not written to without YYJSON_READ_INSITU */
    } bytes = {.in = entity->merged.p};
    yyjson_doc *read = entity->merged.n > 0 ? yyjson_read_opts(bytes.p, entity->merged.n,
                                                               YYJSON_READ_NOFLAG, &memory, NULL)
                                            : NULL;
    yyjson_mut_val *view =
        read != NULL ? yyjson_val_mut_copy(doc, yyjson_doc_get_root(read)) : NULL;
    view = yyjson_mut_is_obj(view) ? view : yyjson_mut_obj(doc);
    yyjson_mut_val *own = yyjson_mut_obj(doc);
    bool made = view != NULL && own != NULL &&
                gm_json_set(doc, own, GM_STR("key"), gm_json_strref(doc, command->event_.key)) &&
                gm_json_set(doc, own, GM_STR("version"), yyjson_mut_sint(doc, entity->version)) &&
                gm_json_set(doc, view, GM_STR("$entity"), own) &&
                gm_json_set(doc, view, GM_STR("$command"), gm_json_copy(doc, command->body_));
    return made ? view : NULL;
}

static bool check_require(struct gm_command_call *command, const struct gm_entity *entity)
{
    const struct gm_command_plan *plan = command->plan_;
    if (plan->require == NULL) {
        return true;
    }
    if (entity->version > 0 && entity->merged.n == 0) {
        refuse(command, 409, "StateUnknown",
               "The state of " GM_STR_FMT " cannot be told: it has more than %d bytes, or events "
               "were gone before the stream kept states.",
               GM_STR_ARG(command->event_.key), GM_ENTITY_STATE_SIZE_MAX);
        return false;
    }
    yyjson_mut_val *view = make_view(command, entity);
    if (view == NULL) {
        refuse(command, 413, "RequestEntityTooLarge", "The command is too large.");
        return false;
    }
    if (!gm_condition_holds_mut(plan->require, view)) {
        command->answer.version = entity->version;
        refuse(command, 409, "ConditionFailed",
               "%s wants that %s; of " GM_STR_FMT ", version %lld, that does not hold.",
               plan->name_z, plan->conf->require, GM_STR_ARG(command->event_.key),
               (long long)entity->version);
        return false;
    }
    return true;
}

/* The entity is as the command wants it. */
static bool check_entity(struct gm_command_call *command, const struct gm_entity *entity)
{
    const struct gm_command_ask *ask = command->ask_;
    enum gm_command_when when = (enum gm_command_when)command->plan_->conf->when;
    struct gm_str key = command->event_.key;
    if (ask->expects && entity->version != ask->expected) {
        refuse_moved(command, entity->version);
        return false;
    }
    if (when == GM_COMMAND_NEW && entity->version > 0) {
        command->answer.version = entity->version;
        refuse(command, 409, "EntityExists",
               GM_STR_FMT " is there already, with version %lld; %s is for what is new.",
               GM_STR_ARG(key), (long long)entity->version, command->plan_->name_z);
        return false;
    }
    if (when == GM_COMMAND_EXISTING && entity->version == 0) {
        refuse(command, 404, "EntityNotFound",
               "There is no " GM_STR_FMT " yet; %s is for what is there.", GM_STR_ARG(key),
               command->plan_->name_z);
        return false;
    }
    return check_require(command, entity);
}

/* True: it is as the command wants it, at the version that the append names. */
static bool look_at_entity(struct gm_command_call *command)
{
    const struct gm_command_plan *plan = command->plan_;
    const struct gm_command_ask *ask = command->ask_;
    struct gm_err err = {0};
    struct gm_entity *entity;
    bool looks = plan->conf->when != GM_COMMAND_ANY || plan->require != NULL;
    command->append.expects = looks || ask->expects;
    command->append.expected = ask->expected;
    if (!looks) {
        return true;
    }
    const struct gm_entity_query query = {
        .key = command->event_.key, .limit = 0, .bare = plan->require == NULL};
    gm_rc rc = gm_entity_open(command->stream, &query, &entity, &err);
    if (rc != GM_OK) {
        fail(command, rc, &err);
        return false;
    }
    command->append.expected = entity->version;
    bool fine = check_entity(command, entity);
    gm_entity_close(entity);
    return fine;
}

bool gm_command_call_prepare(struct gm_command_call *command)
{
    if (command->answer.status != 0) {
        return false; /* it was refused when it was read */
    }
    command->tries_++;
    command->append = (struct gm_append){
        .events = &command->event_, .count = 1, .checked = true, .offsets = &command->offset_};
    if (command->receipt_.name.n > 0) {
        command->append.receipt = &command->receipt_;
    }
    return !was_done(command) && check_refers(command) && look_at_entity(command);
}

/* ---- behind the append ---- */

static void answer_done(struct gm_command_call *command)
{
    struct gm_command_answer *answer = &command->answer;
    bool versions = stream_of(command)->conf->versions;
    answer->key = command->event_.key;
    answer->version = versions ? command->append.version : -1;
    answer->status = versions && command->append.appended > 0 && answer->version == 1 ? 201 : 200;
    answer->partition = gm_stream_partition(command->stream, answer->key);
    answer->offset = command->offset_;
    answer->repeated = command->append.appended == 0;
}

bool gm_command_call_settle(struct gm_command_call *command, gm_rc rc, const struct gm_err *err)
{
    bool moved = command->append.moved;
    /* Somebody else has just sent the same: the receipt says what became of it. */
    bool repeated = command->append.appended == 0 && command->append.receipt != NULL;
    if (rc != GM_OK) {
        fail(command, rc, err);
    } else if (moved && command->ask_->expects) {
        refuse_moved(command, command->append.version);
    } else if ((moved || repeated) && command->tries_ < GM_COMMAND_TRIES_MAX) {
        return true;
    } else if (moved) {
        refuse(command, 503, "EntityBusy",
               "Others changed " GM_STR_FMT " %d times meanwhile; nothing was done. Send the "
               "command again in a moment.",
               GM_STR_ARG(command->event_.key), GM_COMMAND_TRIES_MAX);
    } else {
        answer_done(command);
    }
    return false;
}

void gm_command_call_run(struct gm_command_call *command)
{
    bool again = gm_command_call_prepare(command);
    while (again) {
        struct gm_err err = {0};
        const struct gm_deadline deadline = gm_deadline_in(ROOM_TIME, NULL);
        gm_rc rc = gm_stream_append(command->stream, &command->append, &deadline, &err);
        again = gm_command_call_settle(command, rc, &err) && gm_command_call_prepare(command);
    }
}
