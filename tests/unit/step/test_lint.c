#include "fixture.h"

static const char models_text[] =
    "[{'@id':'dtmi:shop:Dims;1','@type':'Interface','@context':'dtmi:dtdl:context;3','contents':["
    "  {'@type':'Property','name':'width','schema':'double'}]},"
    " {'@id':'dtmi:shop:Product;1','@type':'Interface','@context':'dtmi:dtdl:context;3','contents':"
    "["
    "  {'@type':'Property','name':'name','schema':'string'},"
    "  {'@type':'Property','name':'unitPrice','schema':'double'},"
    "  "
    "{'@type':'Property','name':'status','schema':{'@type':'Enum','valueSchema':'string','"
    "enumValues':["
    "     {'name':'active','enumValue':'active'}]}},"
    "  "
    "{'@type':'Property','name':'address','schema':{'@type':'Object','fields':[{'name':'city','"
    "schema':'string'}]}},"
    "  {'@type':'Property','name':'tags','schema':{'@type':'Array','elementSchema':'string'}},"
    "  {'@type':'Component','name':'dims','schema':'dtmi:shop:Dims;1'},"
    "  {'@type':'Telemetry','name':'temperature','schema':'double'},"
    "  "
    "{'@type':'Relationship','name':'suppliedBy','properties':[{'@type':'Property','name':'share','"
    "schema':'double'}]}]},"
    " {'@id':'dtmi:shop:Special;1','@type':'Interface','@context':'dtmi:dtdl:context;3','extends':'"
    "dtmi:shop:Product;1'}]";

#define HEAD "map:\n  $dtId: \"p-{id}\"\n  $model: \"dtmi:shop:Product;1\"\n"

static void every_error_is_reported_with_its_place(void **state)
{
    struct fixture *f = *state;
    expect_errors(
        f,
        "steps: 7\nmap:\n  $dtid: x\n  unit price: A\n  a: [1]\n  b: \"{A}\"\n  c:\n  d: { form: A "
        "}\n  e: {}\n"
        "  f: { from: A, value: 1 }\n  relationships: { name: x }\n",
        "1:8: `steps` is a list, as in - filter: \"UnitPrice > 0\"\n"
        "3:3: `$dtId` is missing: the twin's id, as in $dtId: \"product-{ProductID}\"\n"
        "3:3: `$model` is missing: the twin's model, as in $model: \"dtmi:shop:Product;1\"\n"
        "3:3: `$dtid` is not known in a map; did you mean `$dtId`?\n"
        "4:3: `unit price` cannot be a property's name: it takes letters, digits and `_`, and a "
        "letter first\n"
        "5:6: `a`: expected a column, or { from: COLUMN, … }, { template: … }, { value: … }, { "
        "object: … }\n"
        "6:6: `b`: a column is written without braces; text with columns in it is { template: "
        "\"…{Column}…\" }\n"
        "7:3: `c`: expected a column, or { from: COLUMN, … }, { template: … }, { value: … }, { "
        "object: … }\n"
        "8:8: unknown setting `map.d.form`; did you mean `from`?\n"
        "9:6: `e`: takes exactly one of from, template, value, object\n"
        "10:6: `f`: takes exactly one of from, template, value, object\n"
        "11:18: `relationships` is a list, as in - { name: suppliedBy, target: "
        "\"supplier-{SupplierID}\" }\n");
}

static void names_are_checked_against_the_model(void **state)
{
    struct fixture *f = *state;
    with_models(f, models_text);
    expect_errors(
        f,
        HEAD
        "  unitPrize: a\n  temperature: a\n  suppliedBy: a\n  address: { object: { town: a } }\n"
        "  dims: { object: { widht: a } }\n  relationships:\n    - { name: suppliedby, target: "
        "\"{a}\" }\n"
        "    - { name: suppliedBy, target: \"{a}\", properties: { shares: a } }\n",
        "4:3: `unitPrize` is no property of dtmi:shop:Product;1; did you mean `unitPrice`?\n"
        "5:3: `temperature` of dtmi:shop:Product;1 is telemetry\n"
        "6:3: `suppliedBy` of dtmi:shop:Product;1 is a relationship; it goes under "
        "`relationships:`\n"
        "7:24: `town` is no property of address\n"
        "8:21: `widht` is no property of dtmi:shop:Dims;1; did you mean `width`?\n"
        "10:15: `suppliedby` is no relationship of dtmi:shop:Product;1; did you mean "
        "`suppliedBy`?\n"
        "11:56: `shares` is no property of suppliedBy; did you mean `share`?\n");
    expect_errors(f, "map:\n  $dtId: x\n  $model: dtmi:shop:Produkt;1\n",
                  "3:11: `$model`: there is no model dtmi:shop:Produkt;1; did you mean "
                  "`dtmi:shop:Product;1`?\n");
    expect_errors(
        f, "map:\n  $dtId: x\n  $model: Product\n",
        "3:11: `$model`: expected a model's id, as in \"dtmi:shop:Product;1\", found `Product`\n");
}

static void what_is_inherited_is_known(void **state)
{
    struct fixture *f = *state;
    with_models(f, models_text);
    expect_errors(
        f,
        "map:\n  $dtId: x\n  $model: dtmi:shop:Special;1\n  unitPrice: a\n  dims: a\n"
        "  relationships: [{ name: suppliedBy, target: \"{a}\", properties: { share: a } }]\n",
        "");
    expect_errors(f,
                  "map:\n  relationship: { name: suppliedBy, source: \"{a}\", target: \"{b}\", "
                  "properties: { share: a } }\n",
                  "");
}

static void types_are_checked_against_the_model(void **state)
{
    struct fixture *f = *state;
    with_models(f, models_text);
    expect_errors(
        f,
        HEAD
        "  unitPrice: { from: a, type: string }\n  name: { from: a, split: ',' }\n"
        "  status: { from: a, values: { A: actif }, default: none }\n  tags: { object: { a: b } }\n"
        "  dims: { value: 1 }\n  address: { value: { city: 1, town: 2 } }\n",
        "4:31: `unitPrice`: the model says double, not string; leave `type` away\n"
        "5:27: `name`: the model says string; `split` makes an array\n"
        "6:35: `status`: values: expected one of `active`, found `actif`\n"
        "7:19: `tags`: the model says Array, not an object\n"
        "8:9: `dims`: is a component: write { object: … }, or { from: COLUMN } where that holds "
        "JSON objects\n"
        "9:21: `address`: value: `town` is not in the model\n");
    expect_errors(
        f,
        HEAD "  name: { from: a, type: string }\n  tags: { from: a, split: ';', type: string }\n",
        "");
}

static void settings_that_contradict_each_other_are_refused(void **state)
{
    struct fixture *f = *state;
    expect_errors(
        f,
        "map:\n  $dtId: x\n  $model: dtmi:x;1\n  a: { from: v, values: { a: b }, split: ',' }\n  "
        "b: { value: 1, default: 2 }\n"
        "  c: { template: x, split: ',' }\n  d: { object: { x: y }, type: double }\n  e: { from: "
        "v, values: [] }\n"
        "  f: { from: v, type: doubel }\n  g: { from: v, split: '' }\n  h: { from: v, type: "
        "double, default: x }\n",
        "4:25: `a`: `values` and `split` cannot stand together\n"
        "5:27: `b`: `default` needs `from` or `template`\n"
        "6:28: `c`: `split` needs `from`\n"
        "7:32: `d`: `type` is for single values; the members of `object` have types of their own\n"
        "8:25: `e`: `values` translates, as in { A: active, D: discontinued }\n"
        "9:23: `f`: there is no type `doubel`; did you mean `double`?\n"
        "10:24: `g`: `split` is the text between the pieces, such as \",\"\n"
        "11:40: `h`: default: expected double, found `x`\n");
}

static void templates_are_checked(void **state)
{
    struct fixture *f = *state;
    expect_errors(f,
                  "map:\n  $dtId: \"product {a}\"\n  $model: \"{m\"\n  a: { template: \"x}\" }\n  "
                  "b: { template: \"{ }\" }\n"
                  "  c: { template: \"{a|slugg}\" }\n  d: { template: \"{a..b}\" }\n  e: { "
                  "template: \"{a|slug\" }\n  f: { template: '' }\n",
                  "2:10: `$dtId`: the twin id \"product \" has a character that ids cannot have; "
                  "they take letters, digits and -.+%_#*?!(),=@$'\n"
                  "3:11: `$model`: `{` is not closed; a brace itself is written `{{`\n"
                  "4:18: `a`: `}` without `{`; a brace itself is written `}}`\n"
                  "5:18: `b`: there is no column between `{` and `}`; the braces themselves are "
                  "written `{{` and `}}`\n"
                  "6:18: `c`: behind `|` stands `slug`\n"
                  "7:18: path `a..b`: write names with '.' between them; a name that contains dots "
                  "goes into [[ ]]\n"
                  "8:18: `e`: `{` is not closed; a brace itself is written `{{`\n"
                  "9:18: `f`: expected text, as in \"product-{ProductID}\"\n");
}

static void a_map_makes_twins_or_relationships(void **state)
{
    struct fixture *f = *state;
    expect_errors(
        f, "map:\n  relationship: { name: x, source: \"{a}\", target: \"{b}\" }\n  $dtId: x\n",
        "3:3: `$dtId`: a map with `relationship` makes relationships only; twins come from a "
        "pipeline of their own, and "
        "their relationships stand under `relationships`\n");
    expect_errors(
        f, "map:\n  relationship: { name: x, target: \"{b}\" }\n",
        "2:3: `map.relationship.source` is missing; write `source: \"employee-{EmployeeID}\"`\n");
    expect_errors(f, "map: x\n",
                  "1:6: `map` has members: $dtId, $model, and the twin's properties\n");
}

static void compiling_joins_the_errors(void **state)
{
    struct fixture *f = *state;
    check_rc(
        gm_steps_compile(
            configured(
                f, "map:\n  $dtId: x\n  $model: dtmi:x;1\n  a: []\n  b: { value: 1, from: a }\n"),
            NULL, &f->steps, &f->err),
        GM_E_CONFIG, f->err);
    assert_string_equal(f->err.text, "t.yaml:4:6: error: `a`: expected a column, or { from: "
                                     "COLUMN, … }, { template: … }, { value: … }, "
                                     "{ object: … }; t.yaml:5:6: error: `b`: takes exactly one of "
                                     "from, template, value, object");
    assert_null(f->steps);
}

static void sizes_are_bounded(void **state)
{
    struct fixture *f = *state;
    struct gm_buf yaml;
    gm_buf_init(&yaml, 4 << 20);
    gm_buf_add_z(&yaml, "map:\n  $dtId: x\n  $model: dtmi:x;1\n");
    for (int i = 0; i < 20001; i++) {
        gm_buf_addf(&yaml, "  a%d: v\n", i);
    }
    gm_buf_add_z(&yaml, "");
    expect_errors(f, yaml.p, "20004:11: more than 20000 values in one map\n");
    gm_buf_reset(&yaml);
    gm_buf_add_z(&yaml, "map:\n  $model: dtmi:x;1\n  $dtId: \"");
    for (int i = 0; i < 33; i++) {
        gm_buf_add_z(&yaml, "{a}");
    }
    gm_buf_add_z(&yaml, "\"\n");
    expect_errors(f, yaml.p, "3:10: `$dtId`: too many parts\n");
    gm_buf_deinit(&yaml);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_error_is_reported_with_its_place),
        TEST(names_are_checked_against_the_model),
        TEST(what_is_inherited_is_known),
        TEST(types_are_checked_against_the_model),
        TEST(settings_that_contradict_each_other_are_refused),
        TEST(templates_are_checked),
        TEST(a_map_makes_twins_or_relationships),
        TEST(compiling_joins_the_errors),
        TEST(sizes_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
