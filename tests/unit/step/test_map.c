#include "fixture.h"

static const char shop_models[] =
    "[{'@id':'dtmi:shop:Dims;1','@type':'Interface','@context':'dtmi:dtdl:context;3','contents':["
    "  {'@type':'Property','name':'width','schema':'double'},"
    "  {'@type':'Property','name':'colour','schema':'string'}]},"
    " {'@id':'dtmi:shop:Supplier;1','@type':'Interface','@context':'dtmi:dtdl:context;3','contents'"
    ":["
    "  {'@type':'Property','name':'name','schema':'string'}]},"
    " {'@id':'dtmi:shop:Product;1','@type':'Interface','@context':'dtmi:dtdl:context;3','contents':"
    "["
    "  {'@type':'Property','name':'name','schema':'string'},"
    "  {'@type':'Property','name':'unitPrice','schema':'double'},"
    "  {'@type':'Property','name':'rating','schema':'float'},"
    "  {'@type':'Property','name':'stock','schema':'integer'},"
    "  {'@type':'Property','name':'ean','schema':'long'},"
    "  {'@type':'Property','name':'discontinued','schema':'boolean'},"
    "  {'@type':'Property','name':'since','schema':'date'},"
    "  {'@type':'Property','name':'changed','schema':'dateTime'},"
    "  {'@type':'Property','name':'opens','schema':'time'},"
    "  {'@type':'Property','name':'lead','schema':'duration'},"
    "  {'@type':'Property','name':'place','schema':'point'},"
    "  "
    "{'@type':'Property','name':'status','schema':{'@type':'Enum','valueSchema':'string','"
    "enumValues':["
    "     {'name':'active','enumValue':'active'},{'name':'ended','enumValue':'ended'}]}},"
    "  "
    "{'@type':'Property','name':'level','schema':{'@type':'Enum','valueSchema':'integer','"
    "enumValues':["
    "     {'name':'low','enumValue':1},{'name':'high','enumValue':2}]}},"
    "  {'@type':'Property','name':'address','schema':{'@type':'Object','fields':["
    "     "
    "{'name':'city','schema':'string'},{'name':'zip','schema':'string'},{'name':'floor','schema':'"
    "integer'}]}},"
    "  "
    "{'@type':'Property','name':'labels','schema':{'@type':'Map','mapKey':{'name':'k','schema':'"
    "string'},"
    "     'mapValue':{'name':'v','schema':'integer'}}},"
    "  {'@type':'Property','name':'tags','schema':{'@type':'Array','elementSchema':'string'}},"
    "  {'@type':'Property','name':'sizes','schema':{'@type':'Array','elementSchema':'double'}},"
    "  {'@type':'Component','name':'dims','schema':'dtmi:shop:Dims;1'},"
    "  {'@type':'Telemetry','name':'temperature','schema':'double'},"
    "  {'@type':'Relationship','name':'suppliedBy','target':'dtmi:shop:Supplier;1','properties':["
    "     "
    "{'@type':'Property','name':'from','schema':'date'},{'@type':'Property','name':'share','schema'"
    ":'double'}]}]}]";

#define HEAD "map:\n  $dtId: \"p-{id}\"\n  $model: \"dtmi:shop:Product;1\"\n"
#define BODY "{'$dtId':'p-1','$metadata':{'$model':'dtmi:shop:Product;1'}"

/* One property mapped from column v: what becomes of a value. */
static void with_property(struct fixture *f, const char *property_z)
{
    if (f->models == NULL) {
        with_models(f, shop_models);
    }
    char *yaml = gm_format_z(HEAD "  %s\n", property_z);
    compiled(f, yaml);
    gm_free(yaml);
    with_columns(f, "id,v");
}

static void expect_mapped(struct fixture *f, const char *value_z, const char *expected_z)
{
    char *values = gm_format_z("[1, %s]", value_z);
    struct gm_record *record = row(f, values);
    const char *got = outcome(f, record);
    if (record->rc == GM_OK) {
        static const char head[] = BODY ",";
        assert_true(strncmp(got, head, sizeof(head) - 1) == 0);
        got = strchr(got + sizeof(head) - 1, ':') + 1;
        char *end = f->out.p + f->out.n - 1;
        *end = '\0';
    }
    assert_string_equal(got, expected_z);
    gm_free(values);
}

/* ---- the twin ---- */

static void a_row_becomes_a_twin_with_its_relationships(void **state)
{
    struct fixture *f = *state;
    with_models(f, shop_models);
    compiled(f, HEAD "  name: Name\n"
                     "  unitPrice: { from: Price, type: double }\n"
                     "  relationships:\n"
                     "    - { name: suppliedBy, target: \"s-{Supplier}\", properties: { share: 1, "
                     "from: Since } }\n");
    with_columns(f, "id,Name,Price,Supplier,Since,1");
    expect_row(f, "[1, 'Chai', 18, 7, '2020-01-02', 0.5]",
               BODY ",'$relationships':[{'$relationshipName':'suppliedBy','$targetId':'s-7','from':"
                    "'2020-01-02','share':0.5}],"
                    "'name':'Chai','unitPrice':18.0}");
    expect_row(f, "[1, null, null, null, null, null]",
               BODY ",'$relationships':[],'name':null,'unitPrice':null}");
}

static void members_stand_in_byte_order(void **state)
{
    struct fixture *f = *state;
    compiled(f, "map:\n  b: v\n  $model: \"dtmi:x;1\"\n  Z: v\n  $dtId: \"{id}\"\n  a: { object: { "
                "y: v, x: v } }\n");
    with_columns(f, "id,v");
    expect_row(f, "['t', 1]",
               "{'$dtId':'t','$metadata':{'$model':'dtmi:x;1'},'Z':1,'a':{'x':1,'y':1},'b':1}");
}

static void a_null_id_names_the_column(void **state)
{
    struct fixture *f = *state;
    with_property(f, "name: v");
    expect_row(f, "[null, 'x']", "$dtId: column `id`: expected a value, found null");
}

static void json_records_are_mapped_by_path(void **state)
{
    struct fixture *f = *state;
    with_models(f, shop_models);
    compiled(f, HEAD "  name: a.b.0\n  unitPrice: c\n  stock: nothing.there\n");
    expect_body(f, "{'id':1,'a':{'b':['x']},'c':'2.5'}",
                BODY ",'name':'x','stock':null,'unitPrice':2.5}");
    expect_body(f, "{'id':1,'c':'2,5'}", "member `c`: expected double, found `2,5`");
}

static void a_patch_leaves_out_what_is_absent(void **state)
{
    struct fixture *f = *state;
    with_models(f, shop_models);
    compiled(
        f, HEAD
        "  name: { from: a, default: x }\n  unitPrice: b\n  address: { object: { city: c } }\n");
    struct gm_record *record = body(f, "{'id':1,'b':null}");
    record->kind = GM_RECORD_PATCH;
    assert_string_equal(outcome(f, record), BODY ",'unitPrice':null}");
}

static void a_patch_leaves_relationships_alone_of_which_it_says_nothing(void **state)
{
    struct fixture *f = *state;
    with_models(f, shop_models);
    compiled(f, HEAD "  relationships:\n"
                     "  - { name: suppliedBy, target: \"s-{a}\", id: a }\n"
                     "  - { name: suppliedBy, target: \"t-{b}\", id: b }\n");
    static const char *const cases[][2] = {
        {"{'id':1}", BODY "}"},
        {"{'id':1,'a':null}", BODY ",'$relationships':[],'$relationshipsKept':['suppliedBy']}"},
        {"{'id':1,'a':null,'b':null}", BODY ",'$relationships':[]}"},
        {"{'id':1,'a':2}", BODY ",'$relationships':[{'$relationshipId':'a','$relationshipName':"
                                "'suppliedBy','$targetId':'s-2'}],"
                                "'$relationshipsKept':['suppliedBy']}"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_record *record = body(f, cases[i][0]);
        record->kind = GM_RECORD_PATCH;
        assert_string_equal(outcome(f, record), cases[i][1]);
    }
    expect_body(f, "{'id':1}", BODY ",'$relationships':[]}");
}

static void a_model_from_a_column_leaves_types_to_the_configuration(void **state)
{
    struct fixture *f = *state;
    with_models(f, shop_models);
    compiled(f, "map:\n  $dtId: \"{id}\"\n  $model: \"dtmi:shop:{kind};1\"\n  a: v\n  b: { from: "
                "v, type: double }\n"
                "  c: { from: v, type: string }\n  d: { from: j, type: json }\n  e: { from: l, "
                "split: \",\", type: integer }\n");
    with_columns(f, "id,kind,v,j,l");
    expect_row(f, "['t', 'Product', 3, '{\\'x\\':[1]}', '1, 2,,3']",
               "{'$dtId':'t','$metadata':{'$model':'dtmi:shop:Product;1'},'a':3,'b':3.0,'c':'3','d'"
               ":{'x':[1]},'e':[1,2,3]}");
    expect_row(f, "['t', null, 3, null, null]",
               "$model: column `kind`: expected a value, found null");
    expect_row(f, "['t', 'P', 3, '{', null]",
               "column `j`: the text is no JSON: line 1, column 2: unexpected end of data");
}

/* ---- values ---- */

static void numbers_are_read_strictly(void **state)
{
    struct fixture *f = *state;
    with_property(f, "unitPrice: v");
    expect_mapped(f, "18", "18.0");
    expect_mapped(f, "18.25", "18.25");
    expect_mapped(f, "'1.5e3'", "1500.0");
    expect_mapped(f, "'12,50'", "column `v`: expected double, found `12,50`");
    expect_mapped(f, "' 1'", "column `v`: expected double, found ` 1`");
    expect_mapped(f, "''", "column `v`: expected double, found ``");
    expect_mapped(f, "true", "column `v`: expected double, found `true`");
    expect_mapped(f, "[1]", "column `v`: expected double, found an array");
    expect_mapped(
        f, "9007199254740993",
        "column `v`: expected a number that a double holds exactly, found `9007199254740993`");
    with_property(f, "rating: v");
    expect_mapped(f, "1e39", "column `v`: expected float, found `1e39`");
    with_property(f, "stock: v");
    expect_mapped(f, "-3", "-3");
    expect_mapped(f, "3.0", "3");
    expect_mapped(f, "'7'", "7");
    expect_mapped(f, "'7.0'", "7");
    expect_mapped(f, "3.5", "column `v`: expected integer, found `3.5`");
    expect_mapped(f, "2147483648",
                  "column `v`: expected integer of 32 bits (the model's type; long has 64), found "
                  "`2147483648`");
    with_property(f, "ean: v");
    expect_mapped(f, "9223372036854775807", "9223372036854775807");
    expect_mapped(f, "1e17", "column `v`: expected long, found `1e17`");
}

static void truth_values_have_three_spellings(void **state)
{
    struct fixture *f = *state;
    with_property(f, "discontinued: v");
    static const char *const trues[] = {"true", "1", "'1'", "'true'", "'TRUE'", "'Yes'"};
    static const char *const falses[] = {"false", "0", "'0'", "'false'", "'no'"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(trues); i++) {
        expect_mapped(f, trues[i], "true");
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(falses); i++) {
        expect_mapped(f, falses[i], "false");
    }
    expect_mapped(f, "2", "column `v`: expected boolean, found `2`");
    expect_mapped(f, "'on'", "column `v`: expected boolean, found `on`");
}

static void strings_take_scalars_and_refuse_what_is_no_text(void **state)
{
    struct fixture *f = *state;
    with_property(f, "name: v");
    expect_mapped(f, "'Söhne'", "'Söhne'");
    expect_mapped(f, "''", "''");
    expect_mapped(f, "7", "'7'");
    expect_mapped(f, "7.0", "'7.0'");
    expect_mapped(f, "true", "'true'");
    expect_mapped(f, "{}", "column `v`: expected string, found an object");
    expect_mapped(f, "'a\\u0000b'", "column `v`: byte 2 is NUL, which text must not hold");
    struct gm_record *record = row(f, "[1, 'ab']");
    static const struct gm_cell bad[] = {{.type = GM_CELL_INT, .as.i = 1},
                                         {.type = GM_CELL_TEXT, .as.s = {"a\xE9", 2}}};
    record->cells = bad;
    assert_string_equal(outcome(f, record), "column `v`: byte 2 (0xe9) is not UTF-8");
}

static void dates_and_times_keep_their_text_when_it_is_valid(void **state)
{
    struct fixture *f = *state;
    with_property(f, "since: v");
    expect_mapped(f, "'2020-02-29'", "'2020-02-29'");
    expect_mapped(f, "'2016-07-04 00:00:00.000'", "'2016-07-04'");
    expect_mapped(f, "'2016-07-04 01:00:00'",
                  "column `v`: expected date, found `2016-07-04 01:00:00`");
    expect_mapped(f, "'29.02.2020'", "column `v`: expected date, found `29.02.2020`");
    with_property(f, "changed: v");
    expect_mapped(f, "'2016-07-04T10:00:00.5+02:00'", "'2016-07-04T10:00:00.5+02:00'");
    expect_mapped(f, "'2016-07-04 00:00:00'", "'2016-07-04T00:00:00Z'");
    expect_mapped(f, "'2016-07-04'", "'2016-07-04T00:00:00Z'");
    expect_mapped(f, "'2016-07-04 00:00:00.125+02'", "'2016-07-04T00:00:00.125+02:00'");
    expect_mapped(f, "'2016-07-04 00:00:00-0530'", "'2016-07-04T00:00:00-05:30'");
    expect_mapped(f, "'2016-07-04 00:00:00Z'", "'2016-07-04T00:00:00Z'");
    expect_mapped(f, "'9999-12-31 23:59:59.9999999'", "'9999-12-31T23:59:59.9999999Z'");
    expect_mapped(f, "'2016-07-04 24:61'",
                  "column `v`: expected dateTime, found `2016-07-04 24:61`");
    expect_mapped(f, "1467590400", "column `v`: expected dateTime, found `1467590400`");
    with_property(f, "opens: v");
    expect_mapped(f, "'08:30:00'", "'08:30:00Z'");
    expect_mapped(f, "'08:30:00.5+01:00'", "'08:30:00.5+01:00'");
    expect_mapped(f, "'8:30'", "column `v`: expected time, found `8:30`");
    with_property(f, "lead: v");
    expect_mapped(f, "'P1DT2H'", "'P1DT2H'");
    expect_mapped(f, "'1 day'", "column `v`: expected duration, found `1 day`");
}

static void enums_are_checked(void **state)
{
    struct fixture *f = *state;
    with_property(f, "status: v");
    expect_mapped(f, "'active'", "'active'");
    expect_mapped(f, "'Active'", "column `v`: expected one of `active`, `ended`, found `Active`");
    with_property(f, "level: v");
    expect_mapped(f, "2", "2");
    expect_mapped(f, "'1'", "1");
    expect_mapped(f, "3", "column `v`: expected one of `1`, `2`, found `3`");
}

static void source_values_are_translated(void **state)
{
    struct fixture *f = *state;
    with_property(f, "status: { from: v, values: { A: active, D: ended, '0': active, X: null }, "
                     "default: ended }");
    expect_mapped(f, "'A'", "'active'");
    expect_mapped(f, "0", "'active'");
    expect_mapped(f, "'X'", "null");
    expect_mapped(f, "null", "'ended'");
    expect_mapped(f, "'a'", "column `v`: expected a value that `values` names, found `a`");
    with_property(f, "unitPrice: { from: v, values: { cheap: 1, dear: 99.5 } }");
    expect_mapped(f, "'cheap'", "1.0");
}

static void defaults_stand_in_for_null_only(void **state)
{
    struct fixture *f = *state;
    with_property(f, "unitPrice: { from: v, default: 0 }");
    expect_mapped(f, "null", "0.0");
    expect_mapped(f, "1", "1.0");
    expect_mapped(f, "''", "column `v`: expected double, found ``");
    with_property(f, "name: { from: v, default: 007 }");
    expect_mapped(f, "null", "'007'");
}

static void constants_take_any_shape(void **state)
{
    struct fixture *f = *state;
    with_property(f, "name: { value: erp }");
    expect_mapped(f, "1", "'erp'");
    with_property(f, "name: { value: null }");
    expect_mapped(f, "1", "null");
    with_property(f, "sizes: { value: [1, 2.5] }");
    expect_mapped(f, "1", "[1.0,2.5]");
    expect_mapped(f, "2", "[1.0,2.5]");
    with_property(f, "labels: { value: { b: 2, a: 1 } }");
    expect_mapped(f, "1", "{'a':1,'b':2}");
}

static void templates_make_text(void **state)
{
    struct fixture *f = *state;
    with_property(f, "name: { template: \"{v} ({id}) {{x}}\" }");
    expect_mapped(f, "'Chai'", "'Chai (1) {x}'");
    expect_mapped(f, "2.5", "'2.5 (1) {x}'");
    expect_mapped(f, "null", "null");
    expect_mapped(f, "{}", "column `v`: expected text or a number, found an object");
    with_property(f, "name: { template: \"{v}\", default: none }");
    expect_mapped(f, "null", "'none'");
    with_property(f, "changed: { template: \"{v}T00:00:00Z\" }");
    expect_mapped(f, "'2020-01-01'", "'2020-01-01T00:00:00Z'");
    expect_mapped(f, "'x'", "`changed`: expected dateTime, found `xT00:00:00Z`");
    with_property(f, "discontinued: { template: \"{v}\", values: { J: true, N: false } }");
    expect_mapped(f, "'J'", "true");
}

static void slugs_make_ids_of_any_text(void **state)
{
    struct fixture *f = *state;
    with_property(f, "name: { template: \"{ v | slug }-{[[id]]|slug}\" }");
    expect_mapped(f, "'Chef Anton\\u2019s  Gumbo-Mix! '", "'chef-anton-s-gumbo-mix-1'");
    expect_mapped(f, "12.5", "'12-5-1'");
    expect_mapped(f, "'\\u00e9'",
                  "column `v`: expected ASCII letters or digits for a slug, found `é`");
}

/* ---- structures ---- */

static void objects_are_made_of_columns_or_of_json(void **state)
{
    struct fixture *f = *state;
    with_property(f, "address: { object: { zip: { from: v, type: string }, city: id } }");
    expect_mapped(f, "70173", "{'city':'1','zip':'70173'}");
    expect_mapped(f, "null", "{'city':'1'}");
    with_property(f, "address: { object: { zip: v } }");
    expect_mapped(f, "null", "null");
    with_property(f, "address: v");
    expect_mapped(f, "{'zip':1,'city':null,'floor':'3'}", "{'floor':3,'zip':'1'}");
    expect_mapped(f, "'{\\'zip\\':\\'x\\'}'", "{'zip':'x'}");
    expect_mapped(f, "{'zap':1}", "column `v`: `zap` is not in the model; did you mean `zip`?");
    expect_mapped(f, "{'floor':'x'}", "column `v`: `floor`: expected integer, found `x`");
    expect_mapped(f, "'Ulm'", "column `v`: expected object, found `Ulm`");
    expect_mapped(f, "[]", "column `v`: expected object, found an array");
    expect_mapped(f, "null", "null");
}

static void maps_have_any_names_and_values_of_one_type(void **state)
{
    struct fixture *f = *state;
    with_property(f, "labels: v");
    expect_mapped(f, "{'b':'2','a':1,'c':null}", "{'a':1,'b':2}");
    expect_mapped(f, "{'b':'x'}", "column `v`: `b`: expected integer, found `x`");
    with_property(f, "labels: { object: { any: v, other: { value: 7 } } }");
    expect_mapped(f, "'1'", "{'any':1,'other':7}");
}

static void arrays_come_from_json_or_from_split_text(void **state)
{
    struct fixture *f = *state;
    with_property(f, "tags: { from: v, split: ',' }");
    expect_mapped(f, "'a, b ,,c'", "['a','b','c']");
    expect_mapped(f, "''", "[]");
    expect_mapped(f, "['x']", "['x']");
    expect_mapped(f, "null", "null");
    with_property(f, "sizes: { from: v, split: ' | ' }");
    expect_mapped(f, "'1 | 2.5'", "[1.0,2.5]");
    expect_mapped(f, "'1 | x'", "column `v`: expected double, found `x`");
    with_property(f, "sizes: v");
    expect_mapped(f, "[1, '2']", "[1.0,2.0]");
    expect_mapped(f, "'[1, 2]'", "[1.0,2.0]");
    expect_mapped(f, "[1, null]", "column `v`: item 1: expected a value, found null");
    expect_mapped(f, "'1'", "column `v`: expected array, found `1`");
}

static void points_are_checked(void **state)
{
    struct fixture *f = *state;
    with_property(f, "place: v");
    expect_mapped(f, "{'type':'Point','coordinates':[1.5,2]}",
                  "{'coordinates':[1.5,2],'type':'Point'}");
    struct gm_record *record = row(f, "[1, {'type':'Line'}]");
    (void)outcome(f, record);
    assert_int_equal(record->rc, GM_E_INVALID);
}

static void components_carry_their_metadata(void **state)
{
    struct fixture *f = *state;
    with_property(f, "dims: { object: { width: v } }");
    expect_mapped(f, "'2'", "{'$metadata':{},'width':2.0}");
    expect_mapped(f, "null", "{'$metadata':{},'width':null}");
    with_property(f, "dims: v");
    expect_mapped(f, "{'width':2,'colour':null,'$metadata':{}}", "{'$metadata':{},'width':2.0}");
    expect_mapped(f, "{'wide':2}", "column `v`: `wide` is not in the model; did you mean `width`?");
    expect_row(f, "[1, null]", BODY "}");
}

static void one_value_serves_several_properties(void **state)
{
    struct fixture *f = *state;
    compiled(f, "map:\n  $dtId: \"{id}\"\n  $model: \"dtmi:x;1\"\n  a: v\n  b: v\n  c: v.x\n");
    expect_body(f, "{'id':'t','v':{'x':[1,2]}}",
                "{'$dtId':'t','$metadata':{'$model':'dtmi:x;1'},'a':{'x':[1,2]},'b':{'x':[1,2]},'c'"
                ":[1,2]}");
}

/* ---- relationships ---- */

static void a_join_table_becomes_relationships(void **state)
{
    struct fixture *f = *state;
    with_models(f, shop_models);
    compiled(f, "map:\n  relationship: { name: suppliedBy, source: \"p-{p}\", target: \"s-{s}\", "
                "id: \"{p}-{s}\","
                " properties: { share: share } }\n");
    with_columns(f, "p,s,share");
    expect_row(f, "[1, 2, '0.5']",
               "{'$relationshipId':'1-2','$relationshipName':'suppliedBy','$sourceId':'p-1','$"
               "targetId':'s-2','share':0.5}");
    expect_row(f, "[1, null, null]", "filtered");
    expect_row(f, "[null, 1, null]", "$sourceId: column `p`: expected a value, found null");
    const struct gm_str *names;
    size_t count;
    bool open;
    gm_steps_targets(f->steps, &names, &count, &open);
    assert_int_equal(count, 0);
    assert_false(open);
}

static void wrong_values_of_relationships_name_them(void **state)
{
    struct fixture *f = *state;
    with_models(f, shop_models);
    compiled(f, HEAD "  relationships: [{ name: suppliedBy, target: \"{s}\", id: \"{i}\", "
                     "properties: { share: v } }]\n");
    with_columns(f, "id,s,i,v");
    expect_row(f, "[1, 's', 'i', 'x']",
               "relationship `suppliedBy`: column `v`: expected double, found `x`");
    expect_row(
        f, "[1, 's', null, 1]",
        "relationship `suppliedBy`: $relationshipId: column `i`: expected a value, found null");
    expect_row(f, "[1, null, null, 1]", BODY ",'$relationships':[]}");
}

/* ---- what a map writes, and bounds ---- */

static void targets_are_told(void **state)
{
    struct fixture *f = *state;
    with_models(f, shop_models);
    compiled(f, HEAD "  unitPrice: a\n  name: b\n  relationships:\n"
                     "    - { name: suppliedBy, target: \"{a}\" }\n    - { name: suppliedBy, "
                     "target: \"{b}\" }\n");
    const struct gm_str *names;
    size_t count;
    bool open;
    gm_steps_targets(f->steps, &names, &count, &open);
    assert_int_equal(count, 3);
    assert_false(open);
    check_str(names[0], "name");
    check_str(names[1], "suppliedBy");
    check_str(names[2], "unitPrice");
    compiled(f, "steps: []\n");
    gm_steps_targets(f->steps, &names, &count, &open);
    assert_int_equal(count, 0);
    assert_true(open);
}

static void without_a_map_rows_become_objects_and_json_stays(void **state)
{
    struct fixture *f = *state;
    compiled(f, "steps:\n");
    with_columns(f, "$dtId,b");
    expect_row(f, "['x', 1]", "{'$dtId':'x','b':1}");
    expect_body(f, "{'b':1}", "{'b':1}");
}

static void where_any_body_will_do_a_map_makes_plain_objects(void **state)
{
    struct fixture *f = *state;
    f->steps_conf.any_body = true;
    compiled(f, "map: { id: id, total: { from: v, type: double }, at: { object: { x: v } } }\n");
    with_columns(f, "id,v");
    expect_row(f, "['x', 1]", "{'at':{'x':1},'id':'x','total':1.0}");
    compiled(f, "map: { $dtId: 't-{id}', $model: 'dtmi:x:Y;1', v: v }\n");
    expect_row(f, "['x', 1]", "{'$dtId':'t-x','$metadata':{'$model':'dtmi:x:Y;1'},'v':1}");
    f->steps_conf.any_body = false;
    expect_errors(f, "map: { id: id }\n",
                  "1:6: `$dtId` is missing: the twin's id, as in $dtId: \"product-{ProductID}\"\n"
                  "1:6: `$model` is missing: the twin's model, as in $model: "
                  "\"dtmi:shop:Product;1\"\n");
}

static void a_missing_column_stops_the_pipeline(void **state)
{
    struct fixture *f = *state;
    with_property(f, "unitPrice: UnitPrize");
    with_columns(f, "id,UnitPrice");
    check_rc(gm_steps_apply(f->steps, f->batch, row(f, "[1, 2]"), &f->err), GM_E_CONFIG, f->err);
    assert_string_equal(f->err.text,
                        "map: `UnitPrize`: no such column in Products; did you mean `UnitPrice`?");
}

static void deleted_and_failed_records_are_left_alone(void **state)
{
    struct fixture *f = *state;
    with_property(f, "name: v");
    struct gm_record *deleted = row(f, "[1, 'x']");
    deleted->kind = GM_RECORD_DELETE;
    struct gm_record *failed = row(f, "[1, 'x']");
    gm_record_fail(f->batch, failed, GM_E_INVALID, "of the source");
    check_ok(gm_steps_apply(f->steps, f->batch, deleted, &f->err), f->err);
    check_ok(gm_steps_apply(f->steps, f->batch, failed, &f->err), f->err);
    assert_null(deleted->body);
    assert_null(failed->body);
    check_str(failed->error, "of the source");
}

/* Applies the steps to one row in an arena of `limit` bytes. */
static gm_rc apply_within(struct fixture *f, struct gm_record row, size_t limit)
{
    struct gm_arena *kept = f->batch->arena;
    yyjson_mut_doc *kept_doc = f->batch->doc;
    f->batch->arena = gm_arena_new(limit);
    f->batch->doc = gm_json_doc_new(f->batch->arena);
    gm_rc rc = GM_E_LIMIT;
    if (f->batch->doc != NULL) {
        rc = gm_steps_apply(f->steps, f->batch, &row, &f->err);
        assert_true(rc == GM_OK || rc == GM_E_LIMIT);
        assert_int_equal(row.rc, GM_OK);
        assert_true(rc == GM_OK || row.body == NULL);
    }
    gm_arena_free(f->batch->arena);
    f->batch->arena = kept;
    f->batch->doc = kept_doc;
    return rc;
}

static void sweep_limits(struct fixture *f, const char *yaml_z, const char *values_z)
{
    compiled(f, yaml_z);
    struct gm_record *record = row(f, values_z);
    size_t refused = 0;
    size_t limit = 0;
    while (apply_within(f, *record, limit) != GM_OK) {
        refused++;
        limit += 16;
        assert_true(limit < 1 << 20);
    }
    assert_true(refused > 50);
}

static void memory_that_runs_out_is_told_wherever_it_does(void **state)
{
    struct fixture *f = *state;
    with_models(f, shop_models);
    with_columns(f, "id,text,json,list,when,s");
    static const char values[] =
        "[1, 'some text', {'zip':7,'city':'Ulm'}, '1, 2, 3', '2016-07-04 00:00:00+02', 7.5]";
    sweep_limits(f,
                 HEAD "  name: { template: \"{text|slug}-{s}\" }\n  address: json\n  sizes: { "
                      "from: list, split: ',' }\n"
                      "  changed: when\n  dims: { object: { width: s, colour: text } }\n  labels: "
                      "{ value: { a: 1, b: 2 } }\n"
                      "  status: { from: s, values: { '7.5': active } }\n"
                      "  relationships: [{ name: suppliedBy, target: \"s-{s}\", id: \"r-{s}\", "
                      "properties: { share: s } }]\n",
                 values);
    sweep_limits(f,
                 "steps:\n  - jq: '. + {a: [1, {b: .text}]}'\nmap:\n  $dtId: \"p-{id}\"\n  $model: "
                 "\"dtmi:{s}\"\n  a: a\n  j: json\n",
                 values);
    sweep_limits(f, "steps: []\n", values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_row_becomes_a_twin_with_its_relationships),
        TEST(members_stand_in_byte_order),
        TEST(a_null_id_names_the_column),
        TEST(json_records_are_mapped_by_path),
        TEST(a_patch_leaves_out_what_is_absent),
        TEST(a_patch_leaves_relationships_alone_of_which_it_says_nothing),
        TEST(a_model_from_a_column_leaves_types_to_the_configuration),
        TEST(numbers_are_read_strictly),
        TEST(truth_values_have_three_spellings),
        TEST(strings_take_scalars_and_refuse_what_is_no_text),
        TEST(dates_and_times_keep_their_text_when_it_is_valid),
        TEST(enums_are_checked),
        TEST(source_values_are_translated),
        TEST(defaults_stand_in_for_null_only),
        TEST(constants_take_any_shape),
        TEST(templates_make_text),
        TEST(slugs_make_ids_of_any_text),
        TEST(objects_are_made_of_columns_or_of_json),
        TEST(maps_have_any_names_and_values_of_one_type),
        TEST(arrays_come_from_json_or_from_split_text),
        TEST(points_are_checked),
        TEST(components_carry_their_metadata),
        TEST(one_value_serves_several_properties),
        TEST(a_join_table_becomes_relationships),
        TEST(wrong_values_of_relationships_name_them),
        TEST(targets_are_told),
        TEST(without_a_map_rows_become_objects_and_json_stays),
        TEST(where_any_body_will_do_a_map_makes_plain_objects),
        TEST(a_missing_column_stops_the_pipeline),
        TEST(deleted_and_failed_records_are_left_alone),
        TEST(memory_that_runs_out_is_told_wherever_it_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
