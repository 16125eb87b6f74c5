/* Commands as JSON, for people and programs. */
#include "command/commands.h"
#include "command/plan.h"
#include "json/json.h"

static void add_member(struct gm_buf *out, const char *name_z, const char *text_z)
{
    if (text_z != NULL) {
        gm_buf_addf(out, ",\"%s\":", name_z);
        gm_json_quote(out, gm_str_z(text_z));
    }
}

static void write_refer(const struct gm_command_refer_conf *refer, struct gm_buf *out)
{
    gm_buf_add_z(out, refer->twin != NULL ? "{\"twin\":" : "{\"entity\":");
    gm_json_quote(out, gm_str_z(refer->twin != NULL ? refer->twin : refer->entity));
    add_member(out, "model", refer->model);
    add_member(out, "stream", refer->stream);
    gm_buf_add_char(out, '}');
}

void gm_command_plan_write(const struct gm_command_plan *plan, struct gm_buf *out)
{
    static const char *const whens[] = {
        [GM_COMMAND_ANY] = "any", [GM_COMMAND_NEW] = "new", [GM_COMMAND_EXISTING] = "existing"};
    const struct gm_command_conf *conf = plan->conf;
    gm_buf_add_z(out, "{\"name\":");
    gm_json_quote(out, gm_str_z(plan->name_z));
    add_member(out, "help", conf->help);
    add_member(out, "stream", conf->stream);
    add_member(out, "event", conf->event);
    add_member(out, "key", conf->key);
    add_member(out, "when", whens[conf->when]);
    add_member(out, "require", conf->require);
    for (size_t i = 0; i < conf->refers.n; i++) {
        gm_buf_add_z(out, i == 0 ? ",\"refers\":[" : ",");
        write_refer(plan->refers[i].conf, out);
        gm_buf_add_z(out, i + 1 == conf->refers.n ? "]" : "");
    }
    gm_buf_add_z(out, ",\"schema\":");
    gm_fields_write_schema(plan->fields, out);
    gm_buf_add_char(out, '}');
}

static gm_rc describe_one(const struct gm_conf_map_entry *entry, const struct gm_conf_map *streams,
                          struct gm_buf *out, struct gm_err *err)
{
    const struct gm_command_conf *conf = entry->value;
    struct gm_command_plan *plan;
    for (size_t i = 0; i < streams->n; i++) {
        if (gm_str_is(gm_str_z(streams->at[i].name_z), conf->stream)) {
            GM_TRY(gm_command_plan_new(entry, streams->at[i].value, &plan, err));
            gm_command_plan_write(plan, out);
            gm_command_plan_free(plan);
        }
    }
    return GM_OK;
}

gm_rc gm_commands_describe(const struct gm_conf_map *commands, const struct gm_conf_map *streams,
                           struct gm_buf *out, struct gm_err *err)
{
    gm_buf_add_z(out, "{\"value\":[");
    for (size_t i = 0; i < commands->n; i++) {
        gm_buf_add_z(out, i > 0 ? "," : "");
        GM_TRY(describe_one(&commands->at[i], streams, out, err));
    }
    gm_buf_add_z(out, "]}");
    return GM_OK;
}

static void write_refusal(const struct gm_command_answer *answer, struct gm_buf *out)
{
    const struct gm_problems *problems = answer->problems;
    gm_buf_addf(out, "{\"error\":{\"code\":\"%s\",\"message\":", answer->code_z);
    gm_json_quote(out, answer->message);
    for (size_t i = 0; problems != NULL && i < problems->n; i++) {
        gm_buf_addf(out, "%s{\"code\":\"%s\",\"target\":", i == 0 ? ",\"details\":[" : ",",
                    GM_COMMAND_PROBLEM_CODE);
        gm_json_quote(out, problems->at[i].path);
        gm_buf_add_z(out, ",\"message\":");
        gm_json_quote(out, problems->at[i].message);
        gm_buf_add_z(out, i + 1 == problems->n ? "}]" : "}");
    }
    gm_buf_add_z(out, "}}");
}

void gm_command_write_answer(const struct gm_command_answer *answer, struct gm_buf *out)
{
    if (answer->code_z != NULL) {
        write_refusal(answer, out);
        return;
    }
    gm_buf_add_z(out, "{\"key\":");
    gm_json_quote(out, answer->key);
    if (answer->version >= 0) {
        gm_buf_addf(out, ",\"version\":%lld", (long long)answer->version);
    }
    if (answer->offset >= 0) {
        gm_buf_addf(out, ",\"partition\":%d,\"offset\":%lld", answer->partition,
                    (long long)answer->offset);
    }
    gm_buf_add_char(out, '}');
}
