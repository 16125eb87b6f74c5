/* Public models, twins and parser cases, read from the folder in GEMEL_TEST_SHARED; skipped when it
 * is not there. */
#include <time.h>

#include "base/buf.h"
#include "fixture.h"
#include "os/file.h"
#include "support/check.h"

static const char *shared_z;

static const char *shared_path(struct fixture *f, const char *name_z)
{
    return gm_arena_format(f->arena, "%s/%s", shared_z, name_z).p;
}

static bool missing(struct fixture *f, const char *name_z)
{
    struct gm_file_info info = {.type = GM_FILE_MISSING};
    return shared_z == NULL || gm_file_info(shared_path(f, name_z), &info, &f->err) != GM_OK ||
           info.type == GM_FILE_MISSING;
}

static size_t read_folder(struct fixture *f, const char *name_z, yyjson_mut_val ***out_interfaces)
{
    size_t count = 0;
    check_ok(gm_models_read_folder(f->doc, shared_path(f, name_z), out_interfaces, &count, &f->err),
             f->err);
    return count;
}

static const char *const ontologies[] = {"dtdl/realestatecore", "dtdl/building", "dtdl/energygrid",
                                         "dtdl/isa95"};

static void every_public_ontology_loads(void **state)
{
    struct fixture *f = *state;
    static const size_t counts[] = {1364, 767, 113, 180};
    for (size_t i = 0; i < GM_ARRAY_COUNT(ontologies); i++) {
        if (missing(f, ontologies[i])) {
            skip();
        }
        yyjson_mut_val **interfaces;
        size_t count = read_folder(f, ontologies[i], &interfaces);
        assert_int_equal(count, counts[i]);
        struct gm_models *models = NULL;
        check_ok(gm_models_extend(NULL, interfaces, count, &models, &f->added, &f->err), f->err);
        assert_int_equal(gm_models_count(models), count);
        /* All at once, in another order, with those there are: nothing changes. */
        for (size_t a = 0, b = count - 1; a < b; a++, b--) {
            yyjson_mut_val *swapped = interfaces[a];
            interfaces[a] = interfaces[b];
            interfaces[b] = swapped;
        }
        struct gm_models *all = NULL;
        check_ok(gm_models_extend(f->models, interfaces, count, &all, &f->added, &f->err), f->err);
        assert_int_equal(f->added, count);
        for (size_t j = 0; j < count; j++) {
            const struct gm_model *model = gm_models_at(models, j);
            const struct gm_model *same = gm_models_find(all, model->id);
            assert_true(gm_str_eq(model->text, same->text));
            assert_int_equal(model->content_count, same->content_count);
            assert_int_equal(model->base_count, same->base_count);
        }
        gm_models_free(models);
        gm_models_free(f->models);
        f->models = all;
    }
}

static void more_than_a_thousand_models_load_in_a_second(void **state)
{
    struct fixture *f = *state;
    if (missing(f, ontologies[0])) {
        skip();
    }
    yyjson_mut_val **interfaces;
    size_t count = read_folder(f, ontologies[0], &interfaces);
    clock_t start = clock(); /* of the processor: others may use the machine */
    struct gm_models *models;
    check_ok(gm_models_extend(NULL, interfaces, count, &models, &f->added, &f->err), f->err);
    double took = (double)(clock() - start) / CLOCKS_PER_SEC;
    gm_models_free(models);
    assert_true(took < 1.0);
}

/* Reads a file of one JSON value a line. */
static yyjson_mut_val *read_lines(struct fixture *f, const char *name_z)
{
    struct gm_buf buf;
    gm_buf_init(&buf, 64 << 20);
    check_ok(gm_file_read_all(shared_path(f, name_z), &buf, &f->err), f->err);
    yyjson_mut_val *lines = yyjson_mut_arr(f->doc);
    struct gm_str rest = gm_buf_str(&buf);
    while (rest.n > 0) {
        struct gm_str line;
        (void)gm_str_cut(rest, '\n', &line, &rest);
        yyjson_mut_val *value;
        if (gm_str_trim(line).n > 0) {
            check_ok(gm_json_parse(f->doc, line, &value, &f->err), f->err);
            yyjson_mut_arr_append(lines, value);
        }
    }
    gm_buf_deinit(&buf);
    return lines;
}

/* ---- the import file of an energy grid ---- */

static const struct gm_model *model_of_twin(struct fixture *f, const yyjson_mut_val *twins,
                                            struct gm_str id)
{
    const yyjson_mut_val *twin = gm_json_member(twins, id);
    assert_non_null(twin);
    struct gm_str model = gm_json_member_str(gm_json_member(twin, GM_STR("$metadata")), "$model");
    const struct gm_model *found = gm_models_find(f->models, model);
    assert_non_null(found);
    return found;
}

static void check_twin(struct fixture *f, const yyjson_mut_val *twins, yyjson_mut_val *twin)
{
    struct gm_str id = gm_json_member_str(twin, "$dtId");
    const struct gm_model *model = model_of_twin(f, twins, id);
    yyjson_mut_val *body = gm_json_copy(f->doc, twin);
    gm_json_remove(body, GM_STR("$dtId"));
    gm_json_remove(body, GM_STR("$metadata"));
    check_ok(gm_twin_id_check(id, &f->err), f->err);
    check_ok(gm_model_check_body(model, body, &f->err), f->err);
}

static void the_twins_of_an_import_file_fit_their_models(void **state)
{
    struct fixture *f = *state;
    if (missing(f, "graph/energy-grid-import.ndjson")) {
        skip();
    }
    yyjson_mut_val *lines = read_lines(f, "graph/energy-grid-import.ndjson");
    yyjson_mut_val *models = yyjson_mut_arr(f->doc);
    yyjson_mut_val *twins = yyjson_mut_obj(f->doc);
    size_t i, n, twin_count = 0, relationship_count = 0;
    yyjson_mut_val *line;
    yyjson_mut_arr_foreach(lines, i, n, line)
    {
        if (gm_json_member(line, GM_STR("@id")) != NULL) {
            yyjson_mut_arr_append(models, gm_json_copy(f->doc, line));
        } else if (gm_json_member(line, GM_STR("$metadata")) != NULL) {
            gm_json_set(f->doc, twins, gm_json_member_str(line, "$dtId"),
                        gm_json_copy(f->doc, line));
        }
    }
    check_ok(gm_models_extend(NULL, &models, 1, &f->models, &f->added, &f->err), f->err);
    assert_int_equal(f->added, 13);
    yyjson_mut_arr_foreach(lines, i, n, line)
    {
        if (gm_json_member(line, GM_STR("$metadata")) != NULL) {
            check_twin(f, twins, line);
            twin_count++;
        } else if (gm_json_member(line, GM_STR("$relationshipId")) != NULL) {
            check_ok(gm_model_check_relationship(
                         model_of_twin(f, twins, gm_json_member_str(line, "$dtId")),
                         gm_json_member_str(line, "$relationshipName"), f->models,
                         model_of_twin(f, twins, gm_json_member_str(line, "$targetId")), NULL,
                         &f->err),
                     f->err);
            relationship_count++;
        }
    }
    assert_int_equal(twin_count, 49);
    assert_int_equal(relationship_count, 50);
}

/* ---- the DTDL parser's instances ---- */

/* The interfaces of a case with those its resolver would have brought. */
static yyjson_mut_val *input_of(struct fixture *f, const yyjson_mut_val *one)
{
    yyjson_mut_val *all = yyjson_mut_arr(f->doc);
    static const char *const sources[] = {"/input", "/resolution/0/response",
                                          "/resolution/1/response"};
    yyjson_mut_val *copy = gm_json_copy(f->doc, one);
    for (size_t s = 0; s < GM_ARRAY_COUNT(sources); s++) {
        yyjson_mut_val *from = gm_json_pointer(copy, gm_str_z(sources[s]));
        size_t i, n;
        yyjson_mut_val *item;
        yyjson_mut_arr_foreach(from, i, n, item)
        {
            if (gm_json_type(item) == YYJSON_TYPE_ARR) {
                yyjson_mut_val *first = gm_json_copy(f->doc, item);
                size_t j, m;
                yyjson_mut_val *inner;
                yyjson_mut_arr_foreach(first, j, m, inner)
                {
                    yyjson_mut_arr_append(all, gm_json_copy(f->doc, inner));
                }
            } else {
                yyjson_mut_arr_append(all, gm_json_copy(f->doc, item));
            }
        }
    }
    return all;
}

/* Telemetry of the schema under test, added to the interface that has the schema. */
static const struct gm_schema *schema_under_test(struct fixture *f, yyjson_mut_val *one,
                                                 struct gm_str subject)
{
    yyjson_mut_val *input = input_of(f, one);
    yyjson_mut_val *first = yyjson_mut_arr_get_first(input);
    yyjson_mut_val *probe = parsed(f, "{'@type':'Telemetry','name':'probe'}");
    gm_json_set(f->doc, probe, GM_STR("schema"), gm_json_strcpy(f->doc, subject));
    yyjson_mut_val *contents = gm_json_pointer(first, GM_STR("/contents"));
    if (gm_json_type(contents) != YYJSON_TYPE_ARR) {
        contents = yyjson_mut_arr(f->doc);
        gm_json_set(f->doc, first, GM_STR("contents"), contents);
    }
    yyjson_mut_arr_append(contents, probe);
    gm_models_free(f->models);
    f->models = NULL;
    check_ok(gm_models_extend(NULL, &input, 1, &f->models, &f->added, &f->err), f->err);
    struct gm_str id = gm_arena_dup(f->arena, gm_json_member_str(first, "@id"));
    return content_of(f, id.p, "probe")->schema;
}

static size_t check_instances(struct fixture *f, yyjson_mut_val *one)
{
    size_t i, n, count = 0;
    yyjson_mut_val *instance;
    yyjson_mut_arr_foreach(gm_json_member(one, GM_STR("instances")), i, n, instance)
    {
        yyjson_mut_val *conforms = gm_json_member(instance, GM_STR("conforms"));
        if (conforms == NULL) {
            continue; /* subjects that are no schemas */
        }
        struct gm_str subject = gm_json_member_str(instance, "subject");
        struct gm_str text = gm_json_member_str(instance, "submit");
        const struct gm_schema *schema = schema_under_test(f, one, subject);
        yyjson_mut_val *value;
        bool fits = gm_json_parse(f->doc, text, &value, &f->err) == GM_OK &&
                    gm_schema_check(schema, value, &f->err) == GM_OK;
        if (fits != yyjson_mut_get_bool(conforms)) {
            fail_msg(GM_STR_FMT ": " GM_STR_FMT " was %s", GM_STR_ARG(subject), GM_STR_ARG(text),
                     fits ? "accepted" : "refused");
        }
        count++;
    }
    return count;
}

static void the_parsers_instances_fit_as_expected(void **state)
{
    struct fixture *f = *state;
    if (missing(f, "dtdl/cases-generated.ndjson")) {
        skip();
    }
    size_t i, n, count = 0;
    yyjson_mut_val *one;
    yyjson_mut_arr_foreach(read_lines(f, "dtdl/cases-generated.ndjson"), i, n, one)
    {
        count += check_instances(f, one);
    }
    assert_in_range(count, 800, 2000);
}

int main(void)
{
    shared_z = getenv("GEMEL_TEST_SHARED");
    const struct CMUnitTest tests[] = {
        TEST(every_public_ontology_loads),
        TEST(more_than_a_thousand_models_load_in_a_second),
        TEST(the_twins_of_an_import_file_fit_their_models),
        TEST(the_parsers_instances_fit_as_expected),
    };
    return cmocka_run_group_tests_name("dtdl/public", tests, NULL, NULL);
}
