/* The models as a service: uploads, decommissioning, deletions with and without twins, lists. */
#include <stdio.h>

#include "base/mem.h"
#include "store/model_service.h"
#include "support/check.h"
#include "support/faultvfs.h"
#include "support/tmp.h"
#include "twin/edit.h"
#include "twin/models.h"
#include "twin/twin_json.h"

enum { ARENA_SIZE = 16 << 20 };

struct place {
    struct tmp *tmp;
    struct gm_store *store;
    struct gm_arena *arena;
    yyjson_mut_doc *doc;
    struct gm_err err;
    struct gm_model_answer answer;
};

static void open_store(struct place *place)
{
    GM_AUTO_FREE char *folder_z = gm_strdup_z(tmp_path(place->tmp, "data"));
    check_ok(
        gm_store_open(&(struct gm_store_options){.folder_z = folder_z}, &place->store, &place->err),
        place->err);
}

static int setup(void **state)
{
    struct place *place = gm_alloc(sizeof(*place));
    place->tmp = tmp_new();
    place->arena = gm_arena_new(ARENA_SIZE);
    place->doc = gm_json_doc_new(place->arena);
    place->answer.arena = place->arena;
    open_store(place);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    gm_store_close(place->store);
    gm_arena_free(place->arena);
    tmp_free(place->tmp);
    gm_free(place);
    return 0;
}

static yyjson_mut_val *json(struct place *place, const char *text_z)
{
    struct gm_str copy = gm_arena_dup(place->arena, gm_str_z(text_z));
    char *text = gm_arena_alloc(place->arena, copy.n + 1);
    for (size_t i = 0; i <= copy.n; i++) {
        text[i] = copy.p[i] == '\'' ? '"' : copy.p[i];
    }
    yyjson_mut_val *value;
    check_ok(gm_json_parse(place->doc, (struct gm_str){text, copy.n}, &value, &place->err),
             place->err);
    return value;
}

#define INTERFACE(id, rest)                                                                        \
    "{'@context':'dtmi:dtdl:context;3','@id':'dtmi:t:" id ";1','@type':'Interface'" rest "}"
#define BASE INTERFACE("Base", ",'contents':[{'@type':'Property','name':'n','schema':'integer'}]")
#define PART INTERFACE("Part", "")
#define WHOLE                                                                                      \
    INTERFACE("Whole", ",'extends':'dtmi:t:Base;1','displayName':'Whole','contents':[{'@type':"    \
                       "'Component','name':'part','schema':'dtmi:t:Part;1'},{'@type':"             \
                       "'Relationship','name':'knows','target':'dtmi:t:Other;1'}]")
#define OTHER INTERFACE("Other", "")

static const struct gm_model_limits no_limits = {0, 0};

static enum gm_model_outcome upload(struct place *place, const char *text_z)
{
    struct gm_model_upload upload = {.interfaces = json(place, text_z), .limits = &no_limits};
    check_ok(gm_store_upload_models(place->store, &upload, &place->answer, &place->err),
             place->err);
    return place->answer.outcome;
}

static enum gm_model_outcome remove_model(struct place *place, const char *id_z)
{
    check_ok(gm_store_delete_model(place->store, gm_str_z(id_z), &place->answer, &place->err),
             place->err);
    return place->answer.outcome;
}

static enum gm_model_outcome decommission(struct place *place, const char *id_z,
                                          bool decommissioned)
{
    check_ok(gm_store_decommission_model(place->store, gm_str_z(id_z), decommissioned,
                                         &place->answer, &place->err),
             place->err);
    return place->answer.outcome;
}

/* The ids of a list, with blanks between. */
static const char *listed(struct place *place, const char *for_z)
{
    struct gm_str id = gm_str_z(for_z), missing;
    struct gm_model_list list;
    const struct gm_models *models = gm_store_models_hold(place->store);
    struct gm_buf text;
    gm_buf_init(&text, 1 << 20);
    gm_buf_add_z(&text, "");
    assert_int_equal(gm_models_list(models, (struct gm_strs){&id, for_z != NULL ? 1 : 0},
                                    place->arena, &list, &missing),
                     GM_OK);
    for (size_t i = 0; i < list.count; i++) {
        struct gm_str name = list.at[i]->id;
        gm_buf_addf(&text, "%s" GM_STR_FMT, i > 0 ? " " : "", (int)name.n - 9, name.p + 7);
    }
    gm_store_models_release(place->store, models);
    struct gm_str copy = gm_arena_dup(place->arena, text.n > 0 ? gm_buf_str(&text) : GM_STR(""));
    gm_buf_deinit(&text);
    return copy.p;
}

struct edit_job {
    struct gm_edit edit;
};

static gm_rc run_edit(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct edit_job *job = ctx;
    struct gm_cause cause = {.actor = GM_STR("test"), .now = 1000};
    GM_TRY(gm_graph_begin(tx->graph, &cause, err));
    GM_TRY(gm_graph_edit(tx->graph, &job->edit, err));
    return gm_graph_end(tx->graph, err);
}

static enum gm_edit_outcome edit(struct place *place, enum gm_edit_kind kind, const char *twin_z,
                                 const char *value_z)
{
    struct edit_job job = {.edit = {.kind = kind, .twin = gm_str_z(twin_z), .doc = place->doc}};
    job.edit.value = value_z != NULL ? json(place, value_z) : NULL;
    check_ok(gm_store_write(place->store, run_edit, &job, &place->err), place->err);
    return job.edit.outcome;
}

#define TWIN(model, rest) "{'$metadata':{'$model':'dtmi:t:" model ";1'}" rest "}"

/* ---- uploads ---- */

static void an_upload_is_all_or_nothing(void **state)
{
    struct place *place = *state;
    assert_int_equal(upload(place, "[" WHOLE "," PART "," BASE "]"), GM_MODEL_DONE);
    assert_string_equal(listed(place, NULL), "Whole Part Base");
    assert_int_equal(upload(place, "[" OTHER "," PART "," BASE "]"), GM_MODEL_EXISTS);
    check_str(place->answer.detail, "dtmi:t:Part;1, dtmi:t:Base;1");
    assert_int_equal(
        upload(place, "[" OTHER "," INTERFACE("Bad", ",'extends':'dtmi:t:None;1'") "]"),
        GM_MODEL_INVALID);
    check_err_says(place->answer.why, "dtmi:t:None;1");
    assert_int_equal(upload(place, "[" OTHER "," OTHER "]"), GM_MODEL_INVALID);
    assert_int_equal(upload(place, "[]"), GM_MODEL_NOTHING);
    assert_int_equal(upload(place, "{}"), GM_MODEL_NOTHING);
    assert_int_equal(upload(place, "[1]"), GM_MODEL_NOTHING);
    assert_int_equal(upload(place, "[{'@context':'dtmi:dtdl:context;4','@id':'dtmi:t:V;1','@type':"
                                   "'Interface'}]"),
                     GM_MODEL_BAD_VERSION);
    assert_string_equal(listed(place, NULL), "Whole Part Base");
}

static void limits_are_of_a_call_and_of_all(void **state)
{
    struct place *place = *state;
    struct gm_model_limits limits = {.per_call_max = 2, .total_max = 2};
    struct gm_model_upload upload = {.interfaces = json(place, "[" BASE "," PART "," OTHER "]"),
                                     .limits = &limits};
    check_ok(gm_store_upload_models(place->store, &upload, &place->answer, &place->err),
             place->err);
    assert_int_equal(place->answer.outcome, GM_MODEL_TOO_MANY);
    upload.interfaces = json(place, "[" BASE "," PART "]");
    check_ok(gm_store_upload_models(place->store, &upload, &place->answer, &place->err),
             place->err);
    assert_int_equal(place->answer.outcome, GM_MODEL_DONE);
    upload.interfaces = json(place, "[" OTHER "]");
    check_ok(gm_store_upload_models(place->store, &upload, &place->answer, &place->err),
             place->err);
    assert_int_equal(place->answer.outcome, GM_MODEL_TOO_MANY);
    check_err_says(place->answer.why, "in all");
}

static void a_model_is_shown_as_the_service_shows_it(void **state)
{
    struct place *place = *state;
    (void)upload(place, "[" WHOLE "," PART "," BASE "]");
    const struct gm_models *models = gm_store_models_hold(place->store);
    yyjson_mut_val *value =
        gm_model_json(place->doc, gm_models_find(models, GM_STR("dtmi:t:Whole;1")), false);
    struct gm_buf text;
    gm_buf_init(&text, 1 << 16);
    (void)gm_json_set(place->doc, value, GM_STR("uploadTime"), yyjson_mut_null(place->doc));
    gm_json_write(value, &text);
    check_str(gm_buf_str(&text), "{\"id\":\"dtmi:t:Whole;1\",\"description\":{},\"displayName\":{"
                                 "\"en\":\"Whole\"},\"decommissioned\":false,\"uploadTime\":null}");
    gm_buf_deinit(&text);
    gm_store_models_release(place->store, models);
}

static void a_list_of_dependencies_has_bases_and_components(void **state)
{
    struct place *place = *state;
    (void)upload(place, "[" OTHER "," BASE "," WHOLE "," PART "]");
    assert_string_equal(listed(place, "dtmi:t:Whole;1"), "Base Whole Part");
    assert_string_equal(listed(place, "dtmi:t:Part;1"), "Part");
}

/* ---- decommissioning ---- */

static void a_model_is_decommissioned_after_those_that_need_it(void **state)
{
    struct place *place = *state;
    (void)upload(place, "[" WHOLE "," PART "," BASE "]");
    assert_int_equal(decommission(place, "dtmi:t:None;1", true), GM_MODEL_NOT_FOUND);
    assert_int_equal(decommission(place, "dtmi:t:Base;1", true), GM_MODEL_REFERENCED);
    check_str(place->answer.detail, "dtmi:t:Whole;1");
    assert_int_equal(decommission(place, "dtmi:t:Whole;1", true), GM_MODEL_DONE);
    assert_int_equal(decommission(place, "dtmi:t:Base;1", true), GM_MODEL_DONE);
    assert_int_equal(edit(place, GM_EDIT_PUT_TWIN, "a", TWIN("Base", "")), GM_EDIT_DECOMMISSIONED);
    gm_store_close(place->store);
    open_store(place);
    assert_int_equal(edit(place, GM_EDIT_PUT_TWIN, "a", TWIN("Base", "")), GM_EDIT_DECOMMISSIONED);
    assert_int_equal(decommission(place, "dtmi:t:Base;1", false), GM_MODEL_DONE);
    assert_int_equal(edit(place, GM_EDIT_PUT_TWIN, "a", TWIN("Base", "")), GM_EDIT_DONE);
}

/* ---- deletions ---- */

static void a_model_that_others_need_is_not_deleted(void **state)
{
    struct place *place = *state;
    (void)upload(place, "[" WHOLE "," PART "," BASE "," OTHER "]");
    assert_int_equal(remove_model(place, "dtmi:t:Part;1"), GM_MODEL_REFERENCED);
    check_str(place->answer.detail, "dtmi:t:Whole;1");
    assert_int_equal(remove_model(place, "dtmi:t:Other;1"), GM_MODEL_DONE);
    assert_int_equal(remove_model(place, "dtmi:t:Other;1"), GM_MODEL_NOT_FOUND);
    assert_int_equal(remove_model(place, "dtmi:t:Whole;1"), GM_MODEL_DONE);
    assert_int_equal(remove_model(place, "dtmi:t:Part;1"), GM_MODEL_DONE);
    assert_string_equal(listed(place, NULL), "Base");
    assert_int_equal(upload(place, "[" PART "]"), GM_MODEL_DONE);
    const struct gm_models *models = gm_store_models_hold(place->store);
    assert_int_equal(gm_models_find(models, GM_STR("dtmi:t:Part;1"))->num, 5); /* a new number */
    gm_store_models_release(place->store, models);
}

static bool shows_model(struct place *place, const char *twin_z, const char *model_z)
{
    struct gm_db *db;
    struct gm_twin_reader *reader;
    struct gm_twin twin;
    yyjson_mut_val *value;
    const struct gm_models *models = gm_store_models_hold(place->store);
    check_ok(gm_store_reader(place->store, &db, &place->err), place->err);
    check_ok(gm_twin_reader_open(db, &reader, &place->err), place->err);
    check_ok(gm_twin_by_id(reader, gm_str_z(twin_z), &twin, &place->err), place->err);
    check_ok(gm_twin_json(place->doc, models, &twin, &value, &place->err), place->err);
    gm_twin_reader_close(reader);
    gm_db_close(db);
    gm_store_models_release(place->store, models);
    return gm_str_is(gm_json_member_str(gm_json_member(value, GM_STR("$metadata")), "$model"),
                     model_z);
}

static void twins_outlive_their_model(void **state)
{
    struct place *place = *state;
    (void)upload(place, "[" WHOLE "," PART "," BASE "]");
    assert_int_equal(edit(place, GM_EDIT_PUT_TWIN, "w", TWIN("Whole", ",'n':1,'part':{}")),
                     GM_EDIT_DONE);
    assert_int_equal(remove_model(place, "dtmi:t:Whole;1"), GM_MODEL_DONE);
    assert_int_equal(remove_model(place, "dtmi:t:Base;1"), GM_MODEL_DONE);
    for (int round = 0; round < 2; round++) {
        assert_string_equal(listed(place, NULL), "Part");
        assert_true(shows_model(place, "w", "dtmi:t:Whole;1"));
        assert_int_equal(edit(place, GM_EDIT_PUT_TWIN, "x", TWIN("Whole", ",'part':{}")),
                         GM_EDIT_NO_MODEL);
        assert_int_equal(
            edit(place, GM_EDIT_PATCH_TWIN, "w", "[{'op':'replace','path':'/n','value':2}]"),
            GM_EDIT_NO_MODEL);
        gm_store_close(place->store);
        open_store(place);
    }
    /* Uploaded anew, it is theirs again. */
    assert_int_equal(upload(place, "[" WHOLE "," BASE "]"), GM_MODEL_DONE);
    assert_int_equal(
        edit(place, GM_EDIT_PATCH_TWIN, "w", "[{'op':'replace','path':'/n','value':2}]"),
        GM_EDIT_DONE);
    assert_int_equal(remove_model(place, "dtmi:t:Whole;1"), GM_MODEL_DONE);
    (void)upload(place, "[" OTHER "]");
    assert_int_equal(edit(place, GM_EDIT_PATCH_TWIN, "w",
                          "[{'op':'replace','path':'/$metadata/$model','value':'dtmi:t:Other;1'},"
                          "{'op':'remove','path':'/n'},{'op':'remove','path':'/part'}]"),
                     GM_EDIT_DONE);
    assert_true(shows_model(place, "w", "dtmi:t:Other;1"));
    /* With the last twin the model goes for good: at the next deletion. */
    assert_int_equal(remove_model(place, "dtmi:t:Base;1"), GM_MODEL_DONE);
    const struct gm_models *models = gm_store_models_hold(place->store);
    assert_int_equal(gm_models_count(models), 2);
    gm_store_models_release(place->store, models);
}

static void all_models_are_deleted_at_once(void **state)
{
    struct place *place = *state;
    (void)upload(place, "[" WHOLE "," PART "," BASE "," OTHER "]");
    assert_int_equal(edit(place, GM_EDIT_PUT_TWIN, "o", TWIN("Other", "")), GM_EDIT_DONE);
    check_ok(gm_store_delete_models(place->store, &place->err), place->err);
    assert_string_equal(listed(place, NULL), "");
    assert_int_equal(edit(place, GM_EDIT_DELETE_TWIN, "o", NULL), GM_EDIT_DONE);
    check_ok(gm_store_delete_models(place->store, &place->err), place->err);
    const struct gm_models *models = gm_store_models_hold(place->store);
    assert_int_equal(gm_models_count(models), 0);
    gm_store_models_release(place->store, models);
    assert_int_equal(upload(place, "[" WHOLE "," PART "," BASE "," OTHER "]"), GM_MODEL_DONE);
}

/* ---- the disk ---- */

enum { STEPS = 5 };

/* One change after the other; the outcome is one of the store, which may fail. */
static gm_rc do_step(struct place *place, int step)
{
    struct gm_model_upload upload = {.limits = &no_limits};
    switch (step) {
    case 0:
        upload.interfaces = json(place, "[" WHOLE "," PART "," BASE "]");
        return gm_store_upload_models(place->store, &upload, &place->answer, &place->err);
    case 1:
        return gm_store_decommission_model(place->store, GM_STR("dtmi:t:Whole;1"), true,
                                           &place->answer, &place->err);
    case 2:
        return gm_store_delete_model(place->store, GM_STR("dtmi:t:Whole;1"), &place->answer,
                                     &place->err);
    case 3:
        upload.interfaces = json(place, "[" OTHER "," WHOLE "]");
        return gm_store_upload_models(place->store, &upload, &place->answer, &place->err);
    default:
        return gm_store_delete_models(place->store, &place->err);
    }
}

static const char *state_of(struct place *place)
{
    const struct gm_models *models = gm_store_models_hold(place->store);
    const struct gm_model *whole = gm_models_find(models, GM_STR("dtmi:t:Whole;1"));
    bool decommissioned = whole != NULL && whole->decommissioned;
    gm_store_models_release(place->store, models);
    return gm_arena_format(place->arena, "%s%s", listed(place, NULL), decommissioned ? " -" : "").p;
}

static void a_disk_that_fails_leaves_what_was_before_a_change_or_behind_it(void **state)
{
    static const char *const states[] = {"",          "Whole Part Base",       "Whole Part Base -",
                                         "Part Base", "Part Base Other Whole", ""};
    bool happened = true;
    (void)state;
    for (uint64_t at = 1; happened; at++) {
        struct place *place = gm_alloc(sizeof(*place));
        struct faultvfs *disk = faultvfs_new("gemel-models-disk");
        place->tmp = tmp_new();
        place->arena = gm_arena_new(ARENA_SIZE);
        place->doc = gm_json_doc_new(place->arena);
        place->answer.arena = place->arena;
        GM_AUTO_FREE char *folder_z = gm_strdup_z(tmp_path(place->tmp, "data"));
        struct gm_store_options options = {.folder_z = folder_z, .vfs_z = "gemel-models-disk"};
        check_ok(gm_store_open(&options, &place->store, &place->err), place->err);
        faultvfs_fail_at(disk, at, FAULTVFS_IO_ERROR);
        int done = 0;
        while (done < STEPS && do_step(place, done) == GM_OK) {
            assert_int_equal(place->answer.outcome, GM_MODEL_DONE);
            done++;
        }
        happened = faultvfs_happened(disk);
        assert_string_equal(state_of(place), states[done]); /* nothing that is not committed */
        gm_store_close(place->store);
        faultvfs_free(disk);
        open_store(place);
        const char *after_z = state_of(place);
        assert_true(strcmp(after_z, states[done]) == 0 ||
                    (done < STEPS && strcmp(after_z, states[done + 1]) == 0));
        assert_true(at > 1 || happened);
        void *again = place;
        teardown(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_upload_is_all_or_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_are_of_a_call_and_of_all, setup, teardown),
        cmocka_unit_test_setup_teardown(a_model_is_shown_as_the_service_shows_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_list_of_dependencies_has_bases_and_components, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_model_is_decommissioned_after_those_that_need_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_model_that_others_need_is_not_deleted, setup, teardown),
        cmocka_unit_test_setup_teardown(twins_outlive_their_model, setup, teardown),
        cmocka_unit_test_setup_teardown(all_models_are_deleted_at_once, setup, teardown),
        cmocka_unit_test(a_disk_that_fails_leaves_what_was_before_a_change_or_behind_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
