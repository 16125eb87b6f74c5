/* Models: uploads, decommissioning, deletions. */
#include "store/model_service.h"

#include "base/mem.h"
#include "base/vec.h"
#include "store/inside.h"
#include "twin/models.h"

static bool is_gone(const struct gm_model *model)
{
    return model->uploaded == GM_MODEL_GONE;
}

/* Appends an id to a list of them. False: no room. */
static void add_id(struct gm_buf *list, struct gm_str id)
{
    gm_buf_add(list, list->n > 0 ? GM_STR(", ") : GM_STR(""));
    gm_buf_add(list, id);
}

/* Ends a list of ids: an outcome when there are any. */
static gm_rc take_ids(struct gm_buf *list, enum gm_model_outcome outcome,
                      struct gm_model_answer *answer, struct gm_err *err)
{
    gm_rc rc = GM_OK;
    if (list->n > 0) {
        answer->outcome = outcome;
        answer->detail = gm_arena_dup(answer->arena, gm_buf_str(list));
        rc = answer->detail.p != NULL ? GM_OK : gm_fail(err, GM_E_LIMIT, "no room for model ids");
    }
    gm_buf_deinit(list);
    return rc;
}

enum { IDS_SIZE_MAX = 4 << 20, ERRORS_SIZE_MAX = 1 << 20 };

/* ---- adding ---- */

/* The gone models that come back with these interfaces. */
static bool comes_back(void *ctx, const struct gm_model *model)
{
    const struct gm_store_interfaces *given = ctx;
    if (!is_gone(model)) {
        return false;
    }
    for (size_t i = 0; i < given->count; i++) {
        yyjson_mut_val *item = given->at[i];
        size_t index, max;
        yyjson_mut_val *one;
        if (gm_str_eq(gm_json_member_str(item, "@id"), model->id)) {
            return true;
        }
        if (!yyjson_mut_is_arr(item)) {
            continue;
        }
        yyjson_mut_arr_foreach(item, index, max, one)
        {
            if (gm_str_eq(gm_json_member_str(one, "@id"), model->id)) {
                return true;
            }
        }
    }
    return false;
}

/* `old` and the interfaces, where gone ones come back under their old numbers. */
gm_rc gm_store_models_with(const struct gm_models *old, struct gm_store_interfaces *given,
                           gm_ns now, struct gm_models **out_models, struct gm_err *err)
{
    size_t back = 0;
    for (size_t i = 0; i < gm_models_count(old); i++) {
        back += comes_back(given, gm_models_at(old, i));
    }
    if (back == 0) {
        struct gm_models_request request = {
            .old = old, .interfaces = given->at, .count = given->count, .errors = given->errors};
        return gm_models_make(&request, out_models, &given->added, err);
    }
    struct gm_models_rebuild rebuild = {.old = old,
                                        .left_out = comes_back,
                                        .ctx = given,
                                        .interfaces = given->at,
                                        .count = given->count,
                                        .errors = given->errors};
    GM_TRY(gm_models_rebuild(&rebuild, out_models, err));
    for (size_t i = 0; i < gm_models_count(old); i++) {
        const struct gm_model *model = gm_models_at(old, i);
        if (comes_back(given, model)) {
            (void)gm_models_set_stored(*out_models, model->id, model->num, now, false);
        }
    }
    given->added = gm_models_count(*out_models) - gm_models_count(old) + back;
    return GM_OK;
}

/* On the writer's thread. */
gm_rc gm_store_write_models(struct gm_db *db, const struct gm_models *old, struct gm_models *models,
                            gm_ns now, struct gm_err *err)
{
    GM_TRY(gm_models_store(models, db, now, err));
    for (size_t i = 0; i < gm_models_count(old); i++) {
        const struct gm_model *then = gm_models_at(old, i);
        const struct gm_model *model = is_gone(then) ? gm_models_by_num(models, then->num) : NULL;
        if (model != NULL && !is_gone(model)) {
            GM_TRY(gm_model_replace_row(db, model, err));
        }
    }
    return GM_OK;
}

struct upload {
    struct gm_store *store;
    struct gm_model_upload *given;
    struct gm_model_answer *answer;
    const struct gm_models *old;
    gm_ns now;
};

static gm_rc refuse_too_many(struct upload *upload, size_t count, size_t max, const char *where_z)
{
    upload->answer->outcome = GM_MODEL_TOO_MANY;
    (void)gm_fail(&upload->answer->why, GM_E_INVALID, "%zu models %s; at most %zu", count, where_z,
                  max);
    return GM_OK;
}

/* DTDL v2 and v3. What names no language at all is the parser's to judge. */
static bool bad_version(yyjson_mut_val *interface, struct gm_model_answer *answer)
{
    static const struct gm_str prefix = {"dtmi:dtdl:context;", sizeof("dtmi:dtdl:context;") - 1};
    yyjson_mut_val *context = gm_json_member(interface, GM_STR("@context"));
    struct gm_str name =
        gm_json_str(yyjson_mut_is_arr(context) ? yyjson_mut_arr_get_first(context) : context);
    if (!gm_str_starts(name, prefix) || gm_str_is(name, "dtmi:dtdl:context;2") ||
        gm_str_is(name, "dtmi:dtdl:context;3")) {
        return false;
    }
    answer->outcome = GM_MODEL_BAD_VERSION;
    (void)gm_fail(&answer->why, GM_E_INVALID,
                  "%.*s: its @context is " GM_STR_FMT "; DTDL versions 2 and 3 are supported",
                  GM_STR_ARG(gm_json_member_str(interface, "@id")), GM_STR_ARG(name));
    return true;
}

/* What can be told without the store. */
static gm_rc check_call(struct upload *upload)
{
    const struct gm_model_limits *limits = upload->given->limits;
    yyjson_mut_val *list = upload->given->interfaces;
    size_t count = yyjson_mut_arr_size(list), index, max;
    yyjson_mut_val *item;
    if (count == 0) {
        upload->answer->outcome = GM_MODEL_NOTHING;
        return GM_OK;
    }
    if (limits != NULL && limits->per_call_max != 0 && count > limits->per_call_max) {
        return refuse_too_many(upload, count, limits->per_call_max, "in one call");
    }
    yyjson_mut_arr_foreach(list, index, max, item)
    {
        if (!yyjson_mut_is_obj(item)) {
            upload->answer->outcome = GM_MODEL_NOTHING;
            return GM_OK;
        }
        if (bad_version(item, upload->answer)) {
            return GM_OK;
        }
    }
    return GM_OK;
}

/* The same id twice in one call. */
static bool is_repeated(yyjson_mut_val *list, yyjson_mut_val *item)
{
    struct gm_str id = gm_json_member_str(item, "@id");
    size_t index, max;
    yyjson_mut_val *other;
    yyjson_mut_arr_foreach(list, index, max, other)
    {
        if (other == item) {
            return false;
        }
        if (id.p != NULL && gm_str_eq(gm_json_member_str(other, "@id"), id)) {
            return true;
        }
    }
    return false;
}

static gm_rc check_ids(struct upload *upload, struct gm_err *err)
{
    struct gm_buf ids;
    yyjson_mut_val *list = upload->given->interfaces;
    size_t index, max;
    yyjson_mut_val *item;
    gm_buf_init(&ids, IDS_SIZE_MAX);
    yyjson_mut_arr_foreach(list, index, max, item)
    {
        struct gm_str id = gm_json_member_str(item, "@id");
        if (id.p != NULL && !upload->given->skip_equal && gm_models_find(upload->old, id) != NULL) {
            add_id(&ids, id);
        }
        if (is_repeated(list, item)) {
            upload->answer->outcome = GM_MODEL_INVALID;
            (void)gm_fail(&upload->answer->why, GM_E_INVALID,
                          GM_STR_FMT ": it comes twice in this call", GM_STR_ARG(id));
        }
    }
    return take_ids(&ids, GM_MODEL_EXISTS, upload->answer, err);
}

static size_t live_count(const struct gm_models *models)
{
    size_t count = 0;
    for (size_t i = 0; i < gm_models_count(models); i++) {
        count += !is_gone(gm_models_at(models, i));
    }
    return count;
}

/* What is wrong: all of it, a line each. */
static struct gm_str errors_text(const struct gm_model_errors *errors, struct gm_arena *arena)
{
    size_t count = gm_model_errors_count(errors);
    size_t more = gm_model_errors_total(errors) - count;
    struct gm_buf text;
    gm_buf_init(&text, ERRORS_SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        gm_buf_add_z(&text, i > 0 ? "\n" : "");
        gm_buf_add(&text, gm_model_errors_at(errors, i)->text);
    }
    if (more > 0) {
        gm_buf_addf(&text, "\nand %zu more", more);
    }
    struct gm_str copy = gm_arena_dup(arena, gm_buf_str(&text));
    gm_buf_deinit(&text);
    return copy;
}

/* The set with the upload; errors in definitions are an outcome. */
static gm_rc make_with(struct upload *upload, struct gm_store_interfaces *given,
                       struct gm_models **out_models, struct gm_err *err)
{
    struct gm_model_answer *answer = upload->answer;
    given->errors = gm_model_errors_new();
    gm_rc rc = gm_store_models_with(upload->old, given, upload->now, out_models, err);
    if (rc == GM_E_INVALID || rc == GM_E_CONFLICT) {
        answer->outcome = GM_MODEL_INVALID;
        answer->why = *err;
        if (gm_model_errors_count(given->errors) > 0) {
            answer->detail = errors_text(given->errors, answer->arena);
        }
        rc = GM_OK;
    }
    gm_model_errors_free(given->errors);
    return rc;
}

static gm_rc make_upload(void *ctx, const struct gm_models *old, struct gm_models **out_models,
                         struct gm_err *err)
{
    struct upload *upload = ctx;
    const struct gm_model_limits *limits = upload->given->limits;
    struct gm_store_interfaces given = {.at = &upload->given->interfaces, .count = 1};
    struct gm_models *models = NULL;
    *out_models = NULL;
    upload->old = old;
    GM_TRY(check_ids(upload, err));
    if (upload->answer->outcome != GM_MODEL_DONE) {
        return GM_OK;
    }
    GM_TRY(make_with(upload, &given, &models, err));
    if (upload->answer->outcome != GM_MODEL_DONE) {
        return GM_OK;
    }
    upload->given->added = given.added;
    size_t count = live_count(models);
    if (limits != NULL && limits->total_max != 0 && count > limits->total_max) {
        gm_models_free(models);
        return refuse_too_many(upload, count, limits->total_max, "in all");
    }
    if (upload->given->added == 0) {
        gm_models_free(models);
        return GM_OK;
    }
    *out_models = models;
    return GM_OK;
}

static gm_rc store_upload(void *ctx, struct gm_db *db, struct gm_models *models, struct gm_err *err)
{
    struct upload *upload = ctx;
    return gm_store_write_models(db, upload->old, models, upload->now, err);
}

gm_rc gm_store_upload_models(struct gm_store *store, struct gm_model_upload *upload,
                             struct gm_model_answer *answer, struct gm_err *err)
{
    const struct gm_clock *clock = gm_store_clock(store);
    struct upload work = {
        .store = store, .given = upload, .answer = answer, .now = clock->wall(clock)};
    struct gm_store_models_change change = {&work, make_upload, store_upload};
    answer->outcome = GM_MODEL_DONE;
    upload->added = 0;
    GM_TRY(check_call(&work));
    return answer->outcome == GM_MODEL_DONE ? gm_store_change_models(store, &change, err) : GM_OK;
}

/* ---- who needs what ---- */

/* Those that need it, but for the gone and for those that `passes` lets pass (NULL: none). */
static gm_rc check_references(const struct gm_models *models, const struct gm_model *model,
                              bool (*passes)(const struct gm_model *by),
                              struct gm_model_answer *answer, struct gm_err *err)
{
    struct gm_buf ids;
    gm_buf_init(&ids, IDS_SIZE_MAX);
    for (size_t i = 0; i < gm_models_count(models); i++) {
        const struct gm_model *by = gm_models_at(models, i);
        if (!is_gone(by) && !(passes != NULL && passes(by)) && gm_model_needs(by, model)) {
            add_id(&ids, by->id);
        }
    }
    return take_ids(&ids, GM_MODEL_REFERENCED, answer, err);
}

static const struct gm_model *find(const struct gm_models *models, struct gm_str id,
                                   struct gm_model_answer *answer)
{
    const struct gm_model *model = gm_models_find(models, id);
    if (model == NULL) {
        answer->outcome = GM_MODEL_NOT_FOUND;
        answer->detail = id;
    }
    return model;
}

/* ---- decommissioning ---- */

struct decommission {
    struct gm_str id;
    bool decommissioned;
    struct gm_model_answer *answer;
};

static bool is_decommissioned(const struct gm_model *model)
{
    return model->decommissioned;
}

static gm_rc make_decommission(void *ctx, const struct gm_models *old,
                               struct gm_models **out_models, struct gm_err *err)
{
    struct decommission *work = ctx;
    *out_models = NULL;
    const struct gm_model *model = find(old, work->id, work->answer);
    if (model == NULL || model->decommissioned == work->decommissioned) {
        return GM_OK;
    }
    if (work->decommissioned) {
        GM_TRY(check_references(old, model, is_decommissioned, work->answer, err));
    }
    if (work->answer->outcome != GM_MODEL_DONE) {
        return GM_OK;
    }
    size_t added;
    GM_TRY(gm_models_extend(old, NULL, 0, out_models, &added, err));
    (void)gm_models_set_stored(*out_models, model->id, model->num, model->uploaded,
                               work->decommissioned);
    return GM_OK;
}

static gm_rc store_decommission(void *ctx, struct gm_db *db, struct gm_models *models,
                                struct gm_err *err)
{
    const struct decommission *work = ctx;
    return gm_model_update_row(db, gm_models_find(models, work->id), err);
}

gm_rc gm_store_decommission_model(struct gm_store *store, struct gm_str id, bool decommissioned,
                                  struct gm_model_answer *answer, struct gm_err *err)
{
    struct decommission work = {id, decommissioned, answer};
    struct gm_store_models_change change = {&work, make_decommission, store_decommission};
    answer->outcome = GM_MODEL_DONE;
    return gm_store_change_models(store, &change, err);
}

/* ---- deleting ---- */

enum fate { FATE_STAYS, FATE_GONE, FATE_DELETED };

struct deletion {
    struct gm_store *store;
    struct gm_str id; /* p NULL: all */
    struct gm_model_answer *answer;
    const struct gm_models *old;
    enum fate *fates; /* in the order of `old`; owned */
};

/* Its place in the set: by number. */
static size_t place_of(const struct gm_models *models, const struct gm_model *model)
{
    size_t low = 0, high = gm_models_count(models);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (gm_models_at(models, middle)->num < model->num) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    GM_ASSERT(gm_models_at(models, low) == model);
    return low;
}

/* Calls `reach` for what the model needs directly or by inheritance; true from it: go on from
 * there. */
typedef GM_VEC(const struct gm_model *) model_stack;
struct walk {
    const struct gm_models *models;
    bool (*reach)(void *ctx, size_t place);
    void *ctx;
    model_stack stack;
};

static void walk_to(struct walk *walk, const struct gm_model *model)
{
    if (walk->reach(walk->ctx, place_of(walk->models, model))) {
        *gm_vec_push(&walk->stack) = model;
    }
}

/* From the models on the stack to all that they need. */
static void walk_needed(struct walk *walk)
{
    while (walk->stack.n > 0) {
        const struct gm_model *model = walk->stack.at[--walk->stack.n];
        for (size_t i = 0; i < model->base_count; i++) {
            walk_to(walk, model->bases[i]);
        }
        for (size_t i = 0; i < model->content_count; i++) {
            if (model->contents[i].type == GM_CONTENT_COMPONENT) {
                walk_to(walk, model->contents[i].component);
            }
        }
    }
    gm_vec_deinit(&walk->stack);
}

static bool keep_for_others(void *ctx, size_t place)
{
    struct deletion *deletion = ctx;
    bool first = deletion->fates[place] == FATE_DELETED;
    deletion->fates[place] = first ? FATE_GONE : deletion->fates[place];
    return first;
}

/* A model goes when no twin is left of it, and no other one that stays for its twins needs it. Gone
 * ones are looked at again. */
static gm_rc find_fates(struct deletion *deletion, struct gm_db *db, struct gm_err *err)
{
    const struct gm_models *old = deletion->old;
    struct walk walk = {.models = old, .reach = keep_for_others, .ctx = deletion};
    gm_rc rc = GM_OK;
    for (size_t i = 0; i < gm_models_count(old) && rc == GM_OK; i++) {
        const struct gm_model *model = gm_models_at(old, i);
        bool any = false;
        if (!is_gone(model) && deletion->id.p != NULL && !gm_str_eq(model->id, deletion->id)) {
            deletion->fates[i] = FATE_STAYS;
            continue;
        }
        rc = gm_model_has_twins(db, model->num, &any, err);
        deletion->fates[i] = any ? FATE_GONE : FATE_DELETED;
        if (any) {
            *gm_vec_push(&walk.stack) = model;
        }
    }
    walk_needed(&walk);
    return rc;
}

static bool is_deleted(void *ctx, const struct gm_model *model)
{
    const struct deletion *deletion = ctx;
    return deletion->fates[place_of(deletion->old, model)] == FATE_DELETED;
}

static gm_rc make_deletion(void *ctx, const struct gm_models *old, struct gm_models **out_models,
                           struct gm_err *err)
{
    struct deletion *deletion = ctx;
    *out_models = NULL;
    deletion->old = old;
    if (deletion->id.p != NULL) {
        const struct gm_model *model = find(old, deletion->id, deletion->answer);
        if (model != NULL) {
            GM_TRY(check_references(old, model, NULL, deletion->answer, err));
        }
        if (deletion->answer->outcome != GM_MODEL_DONE) {
            return GM_OK;
        }
    }
    if (gm_models_count(old) == 0) {
        return GM_OK;
    }
    struct gm_db *db;
    GM_TRY(gm_store_reader(deletion->store, &db, err));
    gm_free(deletion->fates);
    deletion->fates = gm_alloc_array(gm_models_count(old), sizeof(deletion->fates[0]));
    gm_rc rc = find_fates(deletion, db, err);
    gm_db_close(db);
    GM_TRY(rc);
    struct gm_models_rebuild rebuild = {.old = old, .left_out = is_deleted, .ctx = deletion};
    GM_TRY(gm_models_rebuild(&rebuild, out_models, err));
    for (size_t i = 0; i < gm_models_count(old); i++) {
        const struct gm_model *model = gm_models_at(old, i);
        if (deletion->fates[i] == FATE_GONE) {
            (void)gm_models_set_stored(*out_models, model->id, model->num, GM_MODEL_GONE,
                                       model->decommissioned);
        }
    }
    return GM_OK;
}

/* A twin that came since then is a reason to decide anew. */
static gm_rc store_deletion(void *ctx, struct gm_db *db, struct gm_models *models,
                            struct gm_err *err)
{
    const struct deletion *deletion = ctx;
    for (size_t i = 0; i < gm_models_count(deletion->old); i++) {
        const struct gm_model *model = gm_models_at(deletion->old, i);
        bool any = false;
        if (deletion->fates[i] == FATE_DELETED) {
            GM_TRY(gm_model_has_twins(db, model->num, &any, err));
            if (any) {
                return gm_fail(err, GM_E_CONFLICT, "a twin of model " GM_STR_FMT " has just come",
                               GM_STR_ARG(model->id));
            }
            GM_TRY(gm_model_delete_row(db, model->num, err));
        } else if (deletion->fates[i] == FATE_GONE && !is_gone(model)) {
            GM_TRY(gm_model_update_row(db, gm_models_by_num(models, model->num), err));
        }
    }
    return GM_OK;
}

static gm_rc run_deletion(struct gm_store *store, struct gm_str id, struct gm_model_answer *answer,
                          struct gm_err *err)
{
    struct deletion deletion = {.store = store, .id = id, .answer = answer};
    struct gm_store_models_change change = {&deletion, make_deletion, store_deletion};
    answer->outcome = GM_MODEL_DONE;
    gm_rc rc = gm_store_change_models(store, &change, err);
    gm_free(deletion.fates);
    return rc;
}

gm_rc gm_store_delete_model(struct gm_store *store, struct gm_str id,
                            struct gm_model_answer *answer, struct gm_err *err)
{
    GM_ASSERT(id.p != NULL);
    return run_deletion(store, id, answer, err);
}

gm_rc gm_store_delete_models(struct gm_store *store, struct gm_err *err)
{
    struct gm_model_answer answer = {.arena = NULL};
    return run_deletion(store, (struct gm_str){NULL, 0}, &answer, err);
}

gm_rc gm_model_answer_error(const struct gm_model_answer *answer, struct gm_err *err)
{
    struct gm_str detail = answer->detail;
    switch (answer->outcome) {
    case GM_MODEL_DONE:
        return GM_OK;
    case GM_MODEL_NOTHING:
        return gm_fail(err, GM_E_INVALID, "no models were given; expected DTDL interfaces");
    case GM_MODEL_EXISTS:
        return gm_fail(err, GM_E_CONFLICT, "there already: " GM_STR_FMT, GM_STR_ARG(detail));
    case GM_MODEL_NOT_FOUND:
        return gm_fail(err, GM_E_INVALID, "there is no model `" GM_STR_FMT "`", GM_STR_ARG(detail));
    case GM_MODEL_REFERENCED:
        return gm_fail(err, GM_E_CONFLICT, "these models need it, and come first: " GM_STR_FMT,
                       GM_STR_ARG(detail));
    case GM_MODEL_TOO_MANY:
    case GM_MODEL_BAD_VERSION:
    case GM_MODEL_INVALID:
        break;
    }
    return gm_fail(err, GM_E_INVALID, "%s", answer->why.text);
}

/* ---- listing ---- */

static bool mark(void *ctx, size_t place)
{
    bool *marked = ctx;
    bool first = !marked[place];
    marked[place] = true;
    return first;
}

static gm_rc mark_wanted(const struct gm_models *models, struct gm_strs ids, bool *marked,
                         struct gm_str *out_missing)
{
    struct walk walk = {.models = models, .reach = mark, .ctx = marked};
    gm_rc rc = GM_OK;
    for (size_t i = 0; i < ids.n && rc == GM_OK; i++) {
        const struct gm_model *model = gm_models_find(models, ids.at[i]);
        if (model != NULL) {
            walk_to(&walk, model);
        } else {
            *out_missing = ids.at[i];
            rc = GM_E_END;
        }
    }
    walk_needed(&walk);
    return rc;
}

gm_rc gm_models_list(const struct gm_models *models, struct gm_strs ids, struct gm_arena *arena,
                     struct gm_model_list *out_list, struct gm_str *out_missing)
{
    size_t count = gm_models_count(models);
    bool *marked = gm_arena_zalloc(arena, count + 1);
    *out_list = (struct gm_model_list){gm_arena_alloc(arena, (count + 1) * sizeof(void *)), 0};
    if (marked == NULL || out_list->at == NULL) {
        return GM_E_LIMIT;
    }
    if (ids.n > 0) {
        GM_TRY(mark_wanted(models, ids, marked, out_missing));
    }
    for (size_t i = 0; i < count; i++) {
        const struct gm_model *model = gm_models_at(models, i);
        if ((ids.n == 0 || marked[i]) && !is_gone(model)) {
            out_list->at[out_list->count++] = model;
        }
    }
    return GM_OK;
}
