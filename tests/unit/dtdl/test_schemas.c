/* Schemas: built-in ones, complex ones, references, cotypes with their units. */
#include "fixture.h"

/* An interface of one property with this schema, in JSON. */
static const char *with_schema(struct fixture *f, const char *schema_z)
{
    struct gm_str text = gm_arena_format(
        f->arena,
        "{'@id':'dtmi:t:A;1','@type':'Interface','contents':[{'@type':'Property','name':'p',"
        "'schema':%s}]}",
        schema_z);
    return text.p;
}

static void forget(struct fixture *f)
{
    gm_models_free(f->models);
    f->models = NULL;
}

static const struct gm_schema *schema_of(struct fixture *f, const char *schema_z)
{
    forget(f);
    expect_models(f, with_schema(f, schema_z));
    return content_of(f, "dtmi:t:A;1", "p")->schema;
}

static void every_primitive_schema_has_a_name_and_an_id(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name_z;
        enum gm_schema_type type;
    } cases[] = {
        {"boolean", GM_SCHEMA_BOOLEAN}, {"integer", GM_SCHEMA_INTEGER},
        {"long", GM_SCHEMA_LONG},       {"float", GM_SCHEMA_FLOAT},
        {"double", GM_SCHEMA_DOUBLE},   {"string", GM_SCHEMA_STRING},
        {"date", GM_SCHEMA_DATE},       {"dateTime", GM_SCHEMA_DATETIME},
        {"time", GM_SCHEMA_TIME},       {"duration", GM_SCHEMA_DURATION},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_str term = gm_arena_format(f->arena, "'%s'", cases[i].name_z);
        assert_int_equal(schema_of(f, term.p)->type, cases[i].type);
        for (int version = 2; version <= 3; version++) {
            struct gm_str id = gm_arena_format(f->arena, "'dtmi:dtdl:instance:Schema:%s;%d'",
                                               cases[i].name_z, version);
            const struct gm_schema *schema = schema_of(f, id.p);
            assert_int_equal(schema->type, cases[i].type);
            assert_str_equal(schema->name, cases[i].name_z);
        }
    }
}

static void geospatial_schemas_are_known(void **state)
{
    struct fixture *f = *state;
    static const char *const cases[][2] = {
        {"point", "Point"},           {"multiPoint", "MultiPoint"},
        {"lineString", "LineString"}, {"multiLineString", "MultiLineString"},
        {"polygon", "Polygon"},       {"multiPolygon", "MultiPolygon"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_str term = gm_arena_format(f->arena, "'%s'", cases[i][0]);
        const struct gm_schema *schema = schema_of(f, term.p);
        assert_int_equal(schema->type, GM_SCHEMA_GEO);
        assert_str_equal(schema->geo_type, cases[i][1]);
        struct gm_str id =
            gm_arena_format(f->arena, "'dtmi:standard:schema:geospatial:%s;3'", cases[i][0]);
        assert_ptr_equal(schema_of(f, id.p), schema);
    }
}

static void unknown_schemas_are_refused_with_a_hint(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *schema_z, *message_z;
    } cases[] = {
        {"'dubble'", "schema is \"dubble\", which is neither a DTMI nor a term; write the @id of "
                     "an element, or "
                     "a name the language knows; did you mean \"double\"? (and 1 more)"},
        {"'datetime'",
         "schema is \"datetime\", which is neither a DTMI nor a term; write the @id of an element, "
         "or a name the language knows; did you mean \"dateTime\"? (and 1 more)"},
        {"'decimal'",
         "schema is \"decimal\", which is neither a DTMI nor a term; write the @id of an element, "
         "or a name the language knows (and 1 more)"},
        {"'dtmi:t:mood;1'", "schema refers to dtmi:t:mood;1, which is not there; define it in the "
                            "same interface"},
        {"'dtmi:t:A;1'", "schema takes Schema, not an Interface: make this a Component, or a "
                         "Relationship to it; correct @type or the reference"},
        {"'dtmi:dtdl:instance:Schema:double;4'",
         "schema refers to dtmi:dtdl:instance:Schema:double;4, which the language does not have; "
         "correct it"},
        {"7", "schema is neither a string nor an object (and 1 more)"},
        {"['double','string']", "schema has several values; keep one"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_str message =
            gm_arena_format(f->arena, "dtmi:t:A;1: property \"p\": %s", cases[i].message_z);
        expect_refusal(f, with_schema(f, cases[i].schema_z), message.p);
    }
}

static void enums_have_values_of_one_type(void **state)
{
    struct fixture *f = *state;
    const struct gm_schema *schema =
        schema_of(f, "{'@type':'Enum','valueSchema':'string','enumValues':["
                     "{'name':'two','enumValue':'b'},{'name':'one','enumValue':'a'}]}");
    assert_int_equal(schema->type, GM_SCHEMA_ENUM);
    assert_true(schema->enum_of_strings);
    assert_int_equal(schema->enum_count, 2);
    assert_str_equal(schema->enum_strings[0], "a");
    schema = schema_of(f, "{'@type':'Enum','valueSchema':'dtmi:dtdl:instance:Schema:integer;2',"
                          "'enumValues':[{'name':'x','enumValue':7},{'name':'y','enumValue':-7}]}");
    assert_false(schema->enum_of_strings);
    assert_int_equal(schema->enum_integers[0], -7);
    forget(f);
    expect_refusal(f,
                   with_schema(f, "{'@type':'Enum','valueSchema':'integer','enumValues':["
                                  "{'name':'x','enumValue':'7'}]}"),
                   "dtmi:t:A;1: property \"p\": schema: enum value \"x\": enumValue is 7, not an "
                   "integer but a string, "
                   "as \"valueSchema\" of the enum dtmi:t:A:_contents:__p:_schema;1 demands");
    expect_refusal(f,
                   with_schema(f, "{'@type':'Enum','valueSchema':'integer','enumValues':["
                                  "{'name':'x','enumValue':2147483648}]}"),
                   "dtmi:t:A;1: property \"p\": schema: enum value \"x\": enumValue is 2147483648, "
                   "not an integer of 32 bits, as \"valueSchema\" of the enum "
                   "dtmi:t:A:_contents:__p:_schema;1 demands");
    expect_refusal(f,
                   with_schema(f, "{'@type':'Enum','valueSchema':'integer','enumValues':["
                                  "{'name':'x','enumValue':1},{'name':'y','enumValue':1}]}"),
                   "dtmi:t:A;1: property \"p\": schema: two of the enumValues have \"1\" as their "
                   "enumValue; change one");
    expect_refusal(
        f, with_schema(f, "{'@type':'Enum','valueSchema':'double','enumValues':[]}"),
        "dtmi:t:A;1: property \"p\": schema: valueSchema is double; write integer or string");
}

static void objects_maps_and_arrays_hold_schemas(void **state)
{
    struct fixture *f = *state;
    const struct gm_schema *schema = schema_of(
        f, "{'@type':'Object','fields':[{'name':'z','schema':'integer'},"
           "{'name':'a','schema':{'@type':'Map','mapKey':{'name':'k','schema':'string'},"
           "'mapValue':{'name':'v','schema':{'@type':'Array','elementSchema':'date'}}}}]}");
    assert_int_equal(schema->type, GM_SCHEMA_OBJECT);
    assert_int_equal(schema->field_count, 2);
    assert_str_equal(schema->fields[0].name, "a");
    assert_str_equal(schema->fields[1].name, "z");
    const struct gm_schema *map = schema->fields[0].schema;
    assert_int_equal(map->type, GM_SCHEMA_MAP);
    assert_int_equal(map->item->type, GM_SCHEMA_ARRAY);
    assert_int_equal(map->item->item->type, GM_SCHEMA_DATE);
    forget(f);
    expect_refusal(f,
                   with_schema(f, "{'@type':'Map','mapKey':{'name':'k','schema':'integer'},"
                                  "'mapValue':{'name':'v','schema':'string'}}"),
                   "dtmi:t:A;1: property \"p\": schema: mapKey: schema takes String, not "
                   "\"integer\"; correct @type or the reference");
    expect_refusal(f,
                   with_schema(f, "{'@type':'Object','fields':[{'name':'x','schema':'intger'}]}"),
                   "dtmi:t:A;1: property \"p\": schema: field \"x\": schema is \"intger\", which "
                   "is neither a DTMI nor a term; write the @id of an element, or a name the "
                   "language knows; did you mean \"integer\"? (and 1 more)");
    expect_refusal(f,
                   with_schema(f, "{'@type':'Object','fields':[{'name':'x','schema':'date'},"
                                  "{'name':'x','schema':'time'}]}"),
                   "dtmi:t:A;1: property \"p\": schema: two of the fields have \"x\" as their "
                   "name; change one");
}

static const char reused_z[] =
    "{'@id':'dtmi:t:Base;1','@type':'Interface','schemas':["
    "{'@id':'dtmi:t:mood;1','@type':'Enum','valueSchema':'string','enumValues':["
    " {'name':'good','enumValue':'good'}]},"
    "{'@id':'dtmi:t:moods;1','@type':'Array','elementSchema':'dtmi:t:mood;1'}],"
    "'contents':[{'@type':'Property','name':'now','schema':'dtmi:t:mood;1'},"
    "{'@type':'Property','name':'ever','schema':'dtmi:t:moods;1'}]}";

static void reusable_schemas_are_shared_within_an_interface(void **state)
{
    struct fixture *f = *state;
    expect_models(f, reused_z);
    const struct gm_schema *mood = content_of(f, "dtmi:t:Base;1", "now")->schema;
    assert_int_equal(mood->type, GM_SCHEMA_ENUM);
    assert_ptr_equal(content_of(f, "dtmi:t:Base;1", "ever")->schema->item, mood);
    expect_refusal(f,
                   "{'@id':'dtmi:t:B;1','@type':'Interface','extends':'dtmi:t:Base;1','contents':["
                   "{'@type':'Property','name':'p','schema':'dtmi:t:mood;1'}]}",
                   "dtmi:t:B;1: property \"p\": schema refers to dtmi:t:mood;1, which is defined "
                   "inside of dtmi:t:Base;1; define a copy here, with an @id of its own");
}

static void reusable_schemas_need_ids_of_their_own(void **state)
{
    struct fixture *f = *state;
    expect_refusal(f,
                   "{'@id':'dtmi:t:A;1','@type':'Interface','schemas':["
                   "{'@type':'Array','elementSchema':'double'}]}",
                   "dtmi:t:A;1: schemas has an element without \"@id\"; give it one such as "
                   "dtmi:example:Thing;1");
    expect_refusal(f,
                   "{'@id':'dtmi:t:A;1','@type':'Interface','schemas':["
                   "{'@id':'dtmi:t:x;1','@type':'Array','elementSchema':'double'},"
                   "{'@id':'dtmi:t:x;1','@type':'Array','elementSchema':'string'}]}",
                   "dtmi:t:A;1: element dtmi:t:x;1: dtmi:t:x;1 is defined twice; remove one, or "
                   "give it an @id of its own");
}

static void schemas_do_not_contain_themselves(void **state)
{
    struct fixture *f = *state;
    expect_refusal(f,
                   "{'@id':'dtmi:t:A;1','@type':'Interface','schemas':["
                   "{'@id':'dtmi:t:x;1','@type':'Array','elementSchema':'dtmi:t:y;1'},"
                   "{'@id':'dtmi:t:y;1','@type':'Object','fields':["
                   " {'name':'again','schema':'dtmi:t:x;1'}]}]}",
                   "dtmi:t:A;1: object dtmi:t:y;1: field \"again\": the schema contains itself; "
                   "DTDL has no recursion, break the circle (and 1 more)");
}

static const char *nested(struct fixture *f, int levels, const char *inner_z)
{
    struct gm_str text = gm_arena_format(f->arena, "%s", inner_z);
    for (int i = 0; i < levels; i++) {
        text = gm_arena_format(f->arena, "{'@type':'Array','elementSchema':%s}", text.p);
    }
    return text.p;
}

static void schemas_nest_five_levels(void **state)
{
    struct fixture *f = *state;
    static const char enum_z[] = "{'@type':'Enum','valueSchema':'string','enumValues':[]}";
    assert_int_equal(schema_of(f, nested(f, 5, "'double'"))->type, GM_SCHEMA_ARRAY);
    assert_int_equal(schema_of(f, nested(f, 5, enum_z))->type, GM_SCHEMA_ARRAY);
    forget(f);
    assert_int_equal(extend(f, with_schema(f, nested(f, 6, "'double'"))), GM_E_INVALID);
    assert_non_null(strstr(f->err.text, "schemas are nested over more than 5 levels"));
    assert_int_equal(extend(f, with_schema(f, nested(f, 20, "'double'"))), GM_E_INVALID);
    assert_int_equal(extend(f, with_schema(f, nested(f, 90, "'double'"))), GM_E_INVALID);
    assert_non_null(strstr(f->err.text, "nested over more than 64 levels"));
}

static void the_limits_of_dtdl_2_hold(void **state)
{
    struct fixture *f = *state;
    expect_refusal(
        f,
        "{'@id':'dtmi:t:A;1','@context':'dtmi:dtdl:context;2','@type':'Interface',"
        "'contents':[{'@type':'Property','name':'p','schema':{'@type':'Object',"
        "'fields':[{'name':'x','schema':{'@type':'Array','elementSchema':'double'}}]}}]}",
        "dtmi:t:A;1: property \"p\": 'schema' leads to "
        "dtmi:t:A:_contents:__p:_schema:_fields:__x:_schema;1, of class Array, which has no place "
        "here; DTDL 2 has no arrays in properties, use a map, or dtmi:dtdl:context;3");
    expect_models(f, "{'@id':'dtmi:t:B;1','@context':'dtmi:dtdl:context;2','@type':'Interface',"
                     "'contents':[{'@type':'Telemetry','name':'p','schema':"
                     "{'@type':'Array','elementSchema':'double'}}]}");
    expect_refusal(f,
                   "{'@id':'dtmi:t:A;1','@context':'dtmi:dtdl:context;2','@type':'Interface',"
                   "'contents':[{'@type':'Property','name':'p','schema':{'@type':'Object'}}]}",
                   "dtmi:t:A;1: property \"p\": schema: no \"fields\"; add it");
    assert_int_equal(schema_of(f, "{'@type':'Object'}")->field_count, 0);
}

static const char *quantity(struct fixture *f, const char *context_z, const char *members_z)
{
    struct gm_str text =
        gm_arena_format(f->arena,
                        "{'@id':'dtmi:t:A;1','@context':%s,'@type':'Interface','contents':["
                        "{'@type':['Property','Temperature'],'name':'t',%s}]}",
                        context_z, members_z);
    return text.p;
}

static void quantities_are_numbers_with_units(void **state)
{
    struct fixture *f = *state;
    static const char v2_z[] = "'dtmi:dtdl:context;2'";
    static const char v3_z[] = "['dtmi:dtdl:context;3','dtmi:dtdl:extension:quantitativeTypes;1']";
    static const char right_z[] = "'schema':'double','unit':'degreeCelsius'";
    expect_models(f, quantity(f, v2_z, right_z));
    forget(f);
    expect_models(f, quantity(f, v3_z, right_z));
    forget(f);
    expect_models(f, quantity(f, v2_z, "'schema':'float','dtmi:dtdl:property:unit;2':'kelvin'"));
    forget(f);
    expect_refusal(f, quantity(f, "'dtmi:dtdl:context;3'", right_z),
                   "dtmi:t:A;1: property \"t\": @type \"Temperature\" is not known; it belongs to "
                   "dtmi:dtdl:extension:quantitativeTypes;1, add that to @context");
    expect_refusal(f, quantity(f, v3_z, "'schema':'double'"),
                   "dtmi:t:A;1: property \"t\": @type Temperature needs \"unit\"; add it");
    expect_refusal(f, quantity(f, v3_z, "'schema':'double','unit':'metre'"),
                   "dtmi:t:A;1: property \"t\": unit is metre; it takes one of TemperatureUnit, "
                   "such as degreeCelsius");
    expect_refusal(f, quantity(f, v3_z, "'schema':'string','unit':'kelvin'"),
                   "dtmi:t:A;1: property \"t\": schema is string; NumericSchema is needed here");
    expect_refusal(f,
                   "{'@id':'dtmi:t:A;1','@type':'Interface','contents':[{'@type':'Property',"
                   "'name':'p','schema':'double','unit':'metre'}]}",
                   "dtmi:t:A;1: property \"p\": \"unit\" is not known; correct its name or remove "
                   "it; a type such as AccelerationVector brings it, from an extension");
}

static void features_of_extensions_are_accepted(void **state)
{
    struct fixture *f = *state;
    expect_models(
        f, "{'@id':'dtmi:t:A;1','@type':'Interface','@context':['dtmi:dtdl:context;3',"
           "'dtmi:dtdl:extension:quantitativeTypes;1','dtmi:dtdl:extension:annotation;2',"
           "'dtmi:dtdl:extension:historization;1','dtmi:dtdl:extension:overriding;2',"
           "'dtmi:dtdl:extension:initialization;1'],'contents':["
           "{'@type':['Property','Temperature','Historized'],'name':'t','schema':'double',"
           " 'unit':'kelvin'},"
           "{'@type':['Property','ValueAnnotation','Override'],'name':'unit','annotates':'t',"
           " 'overrides':'unit','schema':'TemperatureUnit'},"
           "{'@type':['Property','ValueAnnotation'],'name':'age','annotates':'t',"
           " 'schema':'duration'},"
           "{'@type':['Property','Initialized'],'name':'n','schema':'integer','initialValue':3}]}");
    const struct gm_schema *unit = content_of(f, "dtmi:t:A;1", "unit")->schema;
    assert_int_equal(unit->type, GM_SCHEMA_ENUM);
    assert_int_equal(unit->enum_count, 3);
    assert_str_equal(unit->enum_strings[2], "kelvin");
    expect_refusal(f,
                   "{'@id':'dtmi:t:B;1','@type':'Interface','@context':['dtmi:dtdl:context;3',"
                   "'dtmi:foo:bar;1']}",
                   "dtmi:t:B;1: @context \"dtmi:foo:bar;1\" is no extension that is known; remove "
                   "it or correct its name");
    /* v2 lets unknown ones be. */
    expect_models(f, "{'@id':'dtmi:t:B;1','@type':'Interface','@context':['dtmi:dtdl:context;2',"
                     "'dtmi:foo:bar;1'],'contents':[{'@type':['Property','Foo'],'name':'p',"
                     "'schema':'double','fooBar':{}}]}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_primitive_schema_has_a_name_and_an_id),
        TEST(geospatial_schemas_are_known),
        TEST(unknown_schemas_are_refused_with_a_hint),
        TEST(enums_have_values_of_one_type),
        TEST(objects_maps_and_arrays_hold_schemas),
        TEST(reusable_schemas_are_shared_within_an_interface),
        TEST(reusable_schemas_need_ids_of_their_own),
        TEST(schemas_do_not_contain_themselves),
        TEST(schemas_nest_five_levels),
        TEST(the_limits_of_dtdl_2_hold),
        TEST(quantities_are_numbers_with_units),
        TEST(features_of_extensions_are_accepted),
    };
    return cmocka_run_group_tests_name("dtdl/schemas", tests, NULL, NULL);
}
