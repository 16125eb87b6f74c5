/* Relationships: operations 11-16. */
#include "api/adt/edit.h"
#include "base/coding.h"
#include "base/num.h"

enum {
    PAGE_COUNT = 10, /* unless the client says otherwise: as many as the service has */
    TOKEN_SIZE_MAX = 2048,
};

/* ---- reading one ---- */

/* GM_E_END: no such relationship or, with *out_twin left alone, no such twin. */
static gm_rc read_relationship(struct gm_adt_call *call, struct gm_adt_reader *reader,
                               bool *out_twin, yyjson_mut_val **out_value, struct gm_err *err)
{
    struct gm_twin twin;
    struct gm_relationship relationship;
    GM_TRY(gm_twin_by_id(reader->twins, call->parts[0], &twin, err));
    *out_twin = true;
    GM_TRY(gm_relationship_read(reader->relationships, &twin, call->parts[1], &relationship, err));
    return gm_relationship_json(call->doc, &relationship, out_value, err);
}

void gm_adt_relationship_get(struct gm_adt_call *call)
{
    struct gm_err err = {0};
    yyjson_mut_val *value = NULL;
    bool twin = false;
    struct gm_adt_reader *reader = gm_adt_reader_take(call);
    if (reader == NULL) {
        return;
    }
    gm_rc rc = read_relationship(call, reader, &twin, &value, &err);
    gm_adt_reader_give(call->adt, reader);
    if (rc == GM_E_END && !twin) {
        gm_adt_refuse_no_twin(call);
    } else if (rc == GM_E_END) {
        gm_adt_refuse_no_relationship(call);
    } else if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
    } else {
        gm_adt_reply_header(call, "ETag", gm_json_member_str(value, "$etag"));
        gm_adt_answer_json(call, 200, value);
    }
}

/* ---- pages ---- */

struct listing {
    struct gm_adt_call *call;
    struct gm_adt_page page;
    struct gm_relationships_page wanted;
    yyjson_mut_val *items;
    struct gm_buf next; /* where the page ended; of a full one that is to be gone on from */
    bool more;
    gm_rc (*read)(struct gm_relationship_reader *reader, const struct gm_relationships_page *page,
                  struct gm_err *err);
};

static gm_rc no_room(struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "the page is too large; ask for fewer items a page");
}

/* True: the page is full, and this is the first item behind it. */
static bool is_behind(struct listing *listing)
{
    listing->more = yyjson_mut_arr_size(listing->items) == listing->page.count_max;
    return listing->more;
}

static gm_rc add_outgoing(void *ctx, const struct gm_relationship *relationship, struct gm_err *err)
{
    struct listing *listing = ctx;
    yyjson_mut_val *value;
    if (is_behind(listing)) {
        return GM_OK;
    }
    GM_TRY(gm_relationship_json(listing->call->doc, relationship, &value, err));
    gm_buf_reset(&listing->next);
    gm_buf_add(&listing->next, relationship->id);
    return yyjson_mut_arr_append(listing->items, value) ? GM_OK : no_room(err);
}

static bool add_text(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *name_z,
                     struct gm_str text)
{
    return gm_json_set(doc, object, gm_str_z(name_z), gm_json_strcpy(doc, text));
}

static gm_rc add_incoming(void *ctx, const struct gm_relationship *relationship, struct gm_err *err)
{
    struct listing *listing = ctx;
    yyjson_mut_doc *doc = listing->call->doc;
    if (is_behind(listing)) {
        return GM_OK;
    }
    yyjson_mut_val *item = yyjson_mut_obj(doc);
    struct gm_buf link;
    gm_buf_init(&link, TOKEN_SIZE_MAX);
    gm_buf_add_z(&link, "/digitaltwins/");
    gm_percent_add(&link, relationship->source_id);
    gm_buf_add_z(&link, "/relationships/");
    gm_percent_add(&link, relationship->id);
    bool ok = item != NULL && add_text(doc, item, "$relationshipId", relationship->id) &&
              add_text(doc, item, "$sourceId", relationship->source_id) &&
              add_text(doc, item, "$relationshipName", relationship->name) &&
              add_text(doc, item, "$relationshipLink", gm_buf_str(&link)) &&
              yyjson_mut_arr_append(listing->items, item);
    gm_buf_deinit(&link);
    gm_buf_reset(&listing->next);
    gm_buf_addf(&listing->next, GM_STR_FMT "/%lld/" GM_STR_FMT, GM_STR_ARG(relationship->name),
                (long long)relationship->source, GM_STR_ARG(relationship->id));
    return ok ? GM_OK : no_room(err);
}

static gm_rc read_page(struct listing *listing, struct gm_adt_reader *reader, struct gm_err *err)
{
    struct gm_twin twin;
    struct gm_relationships_page *wanted = &listing->wanted;
    GM_TRY(gm_twin_by_id(reader->twins, listing->call->parts[0], &twin, err));
    wanted->twin = twin.num;
    wanted->id = twin.id;
    wanted->count_max = listing->page.count_max + 1; /* whether there are more */
    wanted->ctx = listing;
    return listing->read(reader->relationships, wanted, err);
}

static void answer_listing(struct gm_adt_call *call)
{
    struct listing *listing = call->data;
    struct gm_err err = {0};
    struct gm_adt_reader *reader = gm_adt_reader_take(call);
    if (reader == NULL) {
        return;
    }
    gm_buf_init(&listing->next, TOKEN_SIZE_MAX);
    gm_rc rc = read_page(listing, reader, &err);
    gm_adt_reader_give(call->adt, reader);
    struct gm_str next = gm_arena_dup(call->arena, gm_buf_str(&listing->next));
    gm_buf_deinit(&listing->next);
    if (rc == GM_E_END) {
        gm_adt_refuse_no_twin(call);
    } else if (rc == GM_E_LIMIT) {
        gm_adt_refuse(call, 400, "LimitExceeded", "%s", err.text);
    } else if (rc != GM_OK) {
        gm_adt_fail(call, rc, &err);
    } else {
        gm_adt_answer_page(call, listing->items, listing->more ? next : (struct gm_str){NULL, 0});
    }
}

/* NULL: the call is ended. */
static struct listing *new_listing(struct gm_adt_call *call)
{
    struct gm_adt_page page;
    if (!gm_adt_page(call, PAGE_COUNT, (size_t)call->adt->conf->limits.query_page, &page)) {
        return NULL;
    }
    struct listing *listing = gm_arena_zalloc(call->arena, sizeof(*listing));
    GM_ASSERT(listing != NULL); /* the arena is all but empty yet */
    listing->call = call;
    listing->page = page;
    listing->items = yyjson_mut_arr(call->doc);
    GM_ASSERT(listing->items != NULL);
    call->data = listing;
    return listing;
}

void gm_adt_relationships_list(struct gm_adt_call *call)
{
    struct listing *listing = new_listing(call);
    if (listing == NULL) {
        return;
    }
    listing->read = gm_relationships_out;
    listing->wanted.fn = add_outgoing;
    listing->wanted.after_id = listing->page.after;
    listing->wanted.name = gm_adt_param(call, "relationshipName");
    gm_adt_work(call, answer_listing);
}

void gm_adt_incoming_list(struct gm_adt_call *call)
{
    struct listing *listing = new_listing(call);
    if (listing == NULL) {
        return;
    }
    struct gm_str source, rest;
    struct gm_relationships_page *wanted = &listing->wanted;
    listing->read = gm_relationships_in;
    wanted->fn = add_incoming;
    if (listing->page.after.p != NULL &&
        !(gm_str_cut(listing->page.after, '/', &wanted->after_name, &rest) &&
          gm_str_cut(rest, '/', &source, &wanted->after_id) &&
          gm_parse_i64(source, &wanted->after_source))) {
        gm_adt_refuse(call, 400, "InvalidArgument",
                      "The continuation token is invalid: it is one of another listing.");
        return;
    }
    gm_adt_work(call, answer_listing);
}

/* ---- writing ---- */

static void edit_with_body(struct gm_adt_call *call, enum gm_edit_kind kind)
{
    struct gm_edit *edit = gm_adt_edit_new(call, kind);
    if (gm_adt_condition(call, edit) && (edit->value = gm_adt_body(call)) != NULL) {
        gm_adt_edit(call, edit);
    }
}

void gm_adt_relationship_put(struct gm_adt_call *call)
{
    edit_with_body(call, GM_EDIT_PUT_RELATIONSHIP);
}

void gm_adt_relationship_patch(struct gm_adt_call *call)
{
    edit_with_body(call, GM_EDIT_PATCH_RELATIONSHIP);
}

void gm_adt_relationship_delete(struct gm_adt_call *call)
{
    struct gm_edit *edit = gm_adt_edit_new(call, GM_EDIT_DELETE_RELATIONSHIP);
    if (gm_adt_condition(call, edit)) {
        gm_adt_edit(call, edit);
    }
}
