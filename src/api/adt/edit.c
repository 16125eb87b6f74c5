/* Writes of single twins and relationships: from the request to the edit, from its outcome to the
 * answer. */
#include "api/adt/edit.h"

/* What the call carries from the serving thread to the writer's. */
struct edit_job {
    struct gm_edit edit;
    struct gm_edit_limits limits;
};

struct gm_edit *gm_adt_edit_new(struct gm_adt_call *call, enum gm_edit_kind kind)
{
    const struct gm_api_limits_conf *limits = &call->adt->conf->limits;
    struct edit_job *job = gm_arena_zalloc(call->arena, sizeof(*job));
    GM_ASSERT(job != NULL); /* the arena is all but empty yet */
    job->limits = (struct gm_edit_limits){
        .twin_size_max = (size_t)limits->twin_size,
        .relationships_max = (size_t)limits->twin_relationships,
    };
    job->edit = (struct gm_edit){
        .kind = kind, .twin = call->parts[0], .doc = call->doc, .limits = &job->limits};
    if (kind == GM_EDIT_PATCH_COMPONENT) {
        job->edit.component = call->parts[1];
    } else {
        job->edit.relationship = call->parts[1];
    }
    call->data = job;
    return &job->edit;
}

/* ---- preconditions ---- */

/* RFC 9110, section 8.8.3: [W/]"…". */
static bool is_etag(struct gm_str text)
{
    if (gm_str_starts(text, GM_STR("W/"))) {
        text = (struct gm_str){text.p + 2, text.n - 2};
    }
    return text.n >= 2 && text.p[0] == '"' && text.p[text.n - 1] == '"' &&
           memchr(text.p + 1, '"', text.n - 2) == NULL;
}

static bool is_put(enum gm_edit_kind kind)
{
    return kind == GM_EDIT_PUT_TWIN || kind == GM_EDIT_PUT_RELATIONSHIP;
}

bool gm_adt_condition(struct gm_adt_call *call, struct gm_edit *edit)
{
    const char *none_match_z = gm_adt_header_z(call, "If-None-Match");
    const char *match_z = gm_adt_header_z(call, "If-Match");
    struct gm_str etag = gm_str_trim(gm_str_z(match_z));
    if (is_put(edit->kind) && none_match_z != NULL) {
        if (!gm_str_is(gm_str_trim(gm_str_z(none_match_z)), "*")) {
            gm_adt_refuse(call, 400, "InvalidArgument",
                          "Invalid If-None-Match header value. Allowed value(s): If-None-Match: *");
            return false;
        }
        edit->condition.kind = GM_IF_ABSENT;
        return true;
    }
    if (match_z == NULL) {
        return true;
    }
    if (!gm_str_is(etag, "*") && !is_etag(etag)) {
        gm_adt_refuse(call, 400, "InvalidArgument",
                      "Invalid If-Match header value. Allowed value(s): If-Match: {etag} or "
                      "If-Match: *");
        return false;
    }
    edit->condition.kind = GM_IF_MATCH;
    edit->condition.etag = etag;
    return true;
}

/* ---- the writer's thread ---- */

/* Others make twins too, so what is left is counted anew before somebody is refused; not for each
 * of many that are. */
#define RECOUNT_PERIOD (10 * GM_SECOND)

static gm_rc count_room(struct gm_adt *adt, struct gm_adt_room *room, struct gm_db *db,
                        struct gm_err *err)
{
    const struct gm_api_limits_conf *limits = &adt->conf->limits;
    gm_ns now = adt->clock->mono(adt->clock);
    int64_t count;
    if (room->counted != 0 && (room->left > 0 || now - room->counted < RECOUNT_PERIOD)) {
        return GM_OK;
    }
    bool twins = room == &adt->twins;
    GM_TRY(twins ? gm_graph_twin_count(db, &count, err)
                 : gm_graph_relationship_count(db, &count, err));
    room->left = (twins ? limits->twins : limits->relationships) - count;
    room->counted = now;
    return GM_OK;
}

/* NULL: it is not bounded. */
static struct gm_adt_room *room_for(struct gm_adt *adt, enum gm_edit_kind kind)
{
    const struct gm_api_limits_conf *limits = &adt->conf->limits;
    bool twin = kind == GM_EDIT_PUT_TWIN || kind == GM_EDIT_DELETE_TWIN;
    bool link = kind == GM_EDIT_PUT_RELATIONSHIP || kind == GM_EDIT_DELETE_RELATIONSHIP;
    if (twin && limits->twins > 0) {
        return &adt->twins;
    }
    return link && limits->relationships > 0 ? &adt->relationships : NULL;
}

/* Failing undoes the edit alone. */
static gm_rc take_room(struct gm_adt_call *call, struct gm_adt_room *room, struct gm_err *err)
{
    const struct edit_job *job = call->data;
    if (room == NULL || job->edit.outcome != GM_EDIT_DONE) {
        return GM_OK;
    }
    if (!is_put(job->edit.kind)) {
        room->left++;
        return GM_OK;
    }
    if (job->edit.created && room->left <= 0) {
        call->undone = true;
        return gm_fail(err, GM_E_LIMIT, "there is no room for more");
    }
    room->left -= job->edit.created ? 1 : 0;
    return GM_OK;
}

static gm_rc write_edit(struct gm_adt_call *call, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct edit_job *job = call->data;
    struct gm_adt_room *room = room_for(call->adt, job->edit.kind);
    struct gm_cause cause = {.actor = call->identity, .now = call->now};
    if (room != NULL) {
        GM_TRY(count_room(call->adt, room, tx->db, err));
    }
    GM_TRY(gm_graph_begin(tx->graph, &cause, err));
    GM_TRY(gm_graph_edit(tx->graph, &job->edit, err));
    GM_TRY(take_room(call, room, err));
    return gm_graph_end(tx->graph, err);
}

/* ---- outcomes ---- */

#define NO_TWIN                                                                                    \
    "There is no digital twin instance that exists with the ID " GM_STR_FMT                        \
    ". Please verify that the twin id is valid and ensure that the twin is not deleted. See "      \
    "section on querying the twins https://aka.ms/adtv2query."
#define NO_RELATIONSHIP                                                                            \
    "Relationship " GM_STR_FMT " not found on twin " GM_STR_FMT                                    \
    ". Please verify that the relationship id is valid and ensure that the relationship is not "   \
    "deleted. See section on listing relationships in the documentation "                          \
    "https://aka.ms/adtv2twins."
#define NO_COMPONENT                                                                               \
    GM_STR_FMT " does not have component " GM_STR_FMT                                              \
               " Please verify that the component path is correct. You can get components by "     \
               "getting the twin, See example https://aka.ms/TwinGetSwSmpl."
#define HAS_RELATIONSHIPS                                                                          \
    "Twin " GM_STR_FMT " has active relationships. Cannot delete a twin unless all the "           \
    "relationships are deleted. Please ensure that the active relationships on the twin are "      \
    "deleted. See section on retrieving relationships https://aka.ms/adtv2twins."

void gm_adt_refuse_no_twin(struct gm_adt_call *call)
{
    gm_adt_refuse(call, 404, "DigitalTwinNotFound", NO_TWIN, GM_STR_ARG(call->parts[0]));
}

void gm_adt_refuse_no_relationship(struct gm_adt_call *call)
{
    gm_adt_refuse(call, 404, "RelationshipNotFound", NO_RELATIONSHIP, GM_STR_ARG(call->parts[1]),
                  GM_STR_ARG(call->parts[0]));
}

void gm_adt_refuse_no_component(struct gm_adt_call *call)
{
    gm_adt_refuse(call, 404, "ComponentNotFound", NO_COMPONENT, GM_STR_ARG(call->parts[0]),
                  GM_STR_ARG(call->parts[1]));
}

static bool is_relationship(enum gm_edit_kind kind)
{
    return kind == GM_EDIT_PUT_RELATIONSHIP || kind == GM_EDIT_PATCH_RELATIONSHIP ||
           kind == GM_EDIT_DELETE_RELATIONSHIP;
}

/* One sentence for what is wrong, what exactly behind it. */
static void refuse_value(struct gm_adt_call *call, const char *message_z, struct gm_str why)
{
    gm_adt_refuse_detailed(
        call, &(struct gm_adt_refusal){
                  .status = 400,
                  .code_z = "ValidationFailed",
                  .message = gm_str_z(message_z),
                  .details = &(struct gm_adt_detail){.code_z = "ValidationFailed", .message = why},
                  .detail_count = 1});
}

static void refuse_exists(struct gm_adt_call *call, const struct gm_edit *edit)
{
    const char *kind_z = is_relationship(edit->kind) ? "relationship" : "twin";
    struct gm_str id = is_relationship(edit->kind) ? edit->relationship : edit->twin;
    gm_adt_refuse(call, 412, "PreconditionFailed",
                  "If-None-Match: * header was specified but a %s with the id " GM_STR_FMT
                  " was found. Please specify a different %s id.",
                  kind_z, GM_STR_ARG(id), kind_z);
}

static void refuse_moved(struct gm_adt_call *call, const struct gm_edit *edit)
{
    bool relationship = is_relationship(edit->kind);
    gm_adt_refuse(call, 412, "PreconditionFailed",
                  "If-Match: " GM_STR_FMT " header was specified but the %s with the id " GM_STR_FMT
                  " has another etag, or does not exist. Please get it again.",
                  GM_STR_ARG(edit->condition.etag), relationship ? "relationship" : "twin",
                  GM_STR_ARG(relationship ? edit->relationship : edit->twin));
}

static void refuse_no_model(struct gm_adt_call *call, const struct gm_edit *edit)
{
    refuse_value(call, "Invalid twin specified",
                 gm_arena_format(call->arena,
                                 GM_STR_FMT " or one of its dependencies does not exist.",
                                 GM_STR_ARG(edit->detail)));
}

static void refuse_patch(struct gm_adt_call *call, const struct gm_edit *edit)
{
    struct gm_str why = gm_str_z(edit->why.text);
    gm_adt_refuse(call, 400, "JsonPatchInvalid",
                  GM_STR_FMT "%s Please provide a valid patch document. See section on update apis "
                             "in the documentation https://aka.ms/adtv2twins.",
                  GM_STR_ARG(why), gm_str_ends(why, GM_STR(".")) ? "" : ".");
}

static void refuse_edit(struct gm_adt_call *call, const struct gm_edit *edit)
{
    struct gm_str why = gm_str_z(edit->why.text);
    switch (edit->outcome) {
    case GM_EDIT_DONE:
        return; /* not refused */
    case GM_EDIT_NO_TWIN:
        gm_adt_refuse_no_twin(call);
        return;
    case GM_EDIT_NO_RELATIONSHIP:
        gm_adt_refuse_no_relationship(call);
        return;
    case GM_EDIT_NO_TARGET:
        gm_adt_refuse(call, 404, "TargetDigitalTwinNotFound",
                      "The target digital twin is invalid or does not exist. Please verify that "
                      "the target twin id is valid and ensure that the twin is not deleted. See "
                      "section on querying the twins https://aka.ms/adtv2query.");
        return;
    case GM_EDIT_NO_COMPONENT:
        gm_adt_refuse_no_component(call);
        return;
    case GM_EDIT_NO_MODEL:
        refuse_no_model(call, edit);
        return;
    case GM_EDIT_DECOMMISSIONED:
        gm_adt_refuse(call, 400, "ModelDecommissioned",
                      "The model " GM_STR_FMT " is decommissioned: no twins can be created of it.",
                      GM_STR_ARG(edit->detail));
        return;
    case GM_EDIT_EXISTS:
        refuse_exists(call, edit);
        return;
    case GM_EDIT_MOVED:
        refuse_moved(call, edit);
        return;
    case GM_EDIT_INVALID:
        refuse_value(call,
                     is_relationship(edit->kind) ? "Invalid relationship specified"
                                                 : "Invalid twin specified",
                     why);
        return;
    case GM_EDIT_BAD_ID:
        gm_adt_refuse(call, 400, "InvalidArgument", GM_STR_FMT, GM_STR_ARG(why));
        return;
    case GM_EDIT_BAD_RELATIONSHIP:
        gm_adt_refuse(call, 400, "InvalidRelationship", GM_STR_FMT, GM_STR_ARG(why));
        return;
    case GM_EDIT_SELF:
        gm_adt_refuse(call, 400, "OperationNotAllowed",
                      "A relationship from twin " GM_STR_FMT " to itself is not allowed.",
                      GM_STR_ARG(edit->twin));
        return;
    case GM_EDIT_BAD_PATCH:
        refuse_patch(call, edit);
        return;
    case GM_EDIT_HAS_RELATIONSHIPS:
        gm_adt_refuse(call, 400, "RelationshipsNotDeleted", HAS_RELATIONSHIPS,
                      GM_STR_ARG(edit->twin));
        return;
    case GM_EDIT_TOO_LARGE:
        gm_adt_refuse(call, 400, "LimitExceeded", "%s",
                      why.n > 0 ? edit->why.text
                                : "The twin would be larger than is allowed (api.limits).");
        return;
    }
}

static void refuse_full(struct gm_adt_call *call, enum gm_edit_kind kind)
{
    const struct gm_api_limits_conf *limits = &call->adt->conf->limits;
    if (is_relationship(kind)) {
        gm_adt_refuse(call, 400, "LimitExceeded",
                      "There are %lld relationships, the most that are allowed.",
                      (long long)limits->relationships);
    } else {
        gm_adt_refuse(call, 400, "TwinLimitReached",
                      "There are %lld twins, the most that are allowed.", (long long)limits->twins);
    }
}

static void answer_edit(struct gm_adt_call *call)
{
    const struct edit_job *job = call->data;
    const struct gm_edit *edit = &job->edit;
    if (call->undone) { /* there are as many of the kind as there may be */
        refuse_full(call, edit->kind);
        return;
    }
    if (edit->outcome != GM_EDIT_DONE) {
        refuse_edit(call, edit);
        return;
    }
    if (edit->kind != GM_EDIT_DELETE_TWIN && edit->kind != GM_EDIT_DELETE_RELATIONSHIP) {
        gm_adt_reply_header(call, "ETag", gm_str_z(edit->etag));
    }
    if (is_put(edit->kind)) {
        gm_adt_answer_json(call, 200, edit->result);
    } else {
        gm_adt_answer(call, 204);
    }
}

void gm_adt_edit(struct gm_adt_call *call, struct gm_edit *edit)
{
    GM_ASSERT(edit == &((struct edit_job *)call->data)->edit);
    gm_adt_write(call, write_edit, answer_edit);
}
