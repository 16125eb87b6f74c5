/* Values, bodies and relationships against their models; ids. */
#include "dtdl/dtmi.h"
#include "fixture.h"

static const char home_z[] =
    "[{'@id':'dtmi:t:Home;1','@type':'Interface','contents':["
    "{'@type':'Property','name':'aBoolean','schema':'boolean'},"
    "{'@type':'Property','name':'aDate','schema':'date'},"
    "{'@type':'Property','name':'aDateTime','schema':'dateTime'},"
    "{'@type':'Property','name':'aDouble','schema':'double'},"
    "{'@type':'Property','name':'aDuration','schema':'duration'},"
    "{'@type':'Property','name':'aFloat','schema':'float'},"
    "{'@type':'Property','name':'aLong','schema':'long'},"
    "{'@type':'Property','name':'aPoint','schema':'point'},"
    "{'@type':'Property','name':'aLine','schema':'lineString'},"
    "{'@type':'Property','name':'anArea','schema':'polygon'},"
    "{'@type':'Property','name':'areas','schema':'multiPolygon'},"
    "{'@type':'Property','name':'aString','schema':'string'},"
    "{'@type':'Property','name':'aTime','schema':'time'},"
    "{'@type':'Property','name':'anInteger','schema':'integer'},"
    "{'@type':'Property','name':'mood','schema':{'@type':'Enum','valueSchema':'string',"
    " 'enumValues':[{'name':'a','enumValue':'good'},{'name':'b','enumValue':'bad'}]}},"
    "{'@type':'Property','name':'level','schema':{'@type':'Enum','valueSchema':'integer',"
    " 'enumValues':[{'name':'a','enumValue':1},{'name':'b','enumValue':-2}]}},"
    "{'@type':'Property','name':'address','schema':{'@type':'Object','fields':["
    " {'name':'street','schema':'string'},{'name':'number','schema':'integer'}]}},"
    "{'@type':'Property','name':'sizes','schema':{'@type':'Map','mapKey':{'name':'k',"
    " 'schema':'string'},'mapValue':{'name':'v','schema':'double'}}},"
    "{'@type':'Property','name':'tags','schema':{'@type':'Array','elementSchema':'string'}},"
    "{'@type':'Telemetry','name':'heat','schema':'double'},"
    "{'@type':'Command','name':'lock'},"
    "{'@type':'Relationship','name':'next'},"
    "{'@type':'Relationship','name':'owner','target':'dtmi:t:Person;1','properties':["
    " {'@type':'Property','name':'since','schema':'date'}]},"
    "{'@type':'Relationship','name':'ghost','target':'dtmi:t:Ghost;1'},"
    "{'@type':'Component','name':'door','schema':'dtmi:t:Door;1'}]},"
    "{'@id':'dtmi:t:Door;1','@type':'Interface','contents':["
    "{'@type':'Property','name':'open','schema':'boolean'},"
    "{'@type':'Telemetry','name':'knock','schema':'boolean'}]},"
    "{'@id':'dtmi:t:Person;1','@type':'Interface'},"
    "{'@id':'dtmi:t:Child;1','@type':'Interface','extends':'dtmi:t:Person;1'}]";

static void expect_fit(struct fixture *f, const char *name_z, const char *value_z)
{
    const struct gm_schema *schema = content_of(f, "dtmi:t:Home;1", name_z)->schema;
    if (gm_schema_check(schema, parsed(f, value_z), &f->err) != GM_OK) {
        fail_msg("%s refused %s: %s", name_z, value_z, f->err.text);
    }
}

static void expect_misfit(struct fixture *f, const char *name_z, const char *value_z,
                          const char *message_z)
{
    const struct gm_schema *schema = content_of(f, "dtmi:t:Home;1", name_z)->schema;
    if (gm_schema_check(schema, parsed(f, value_z), &f->err) != GM_E_INVALID) {
        fail_msg("%s accepted %s", name_z, value_z);
    }
    if (message_z != NULL) {
        assert_string_equal(f->err.text, message_z);
    }
    assert_int_equal(gm_schema_check(schema, parsed(f, value_z), NULL), GM_E_INVALID);
}

static void numbers_fit_by_kind_and_range(void **state)
{
    struct fixture *f = *state;
    expect_models(f, home_z);
    static const char *const fits[][2] = {
        {"anInteger", "2147483647"},
        {"anInteger", "-2147483648"},
        {"aLong", "9223372036854775807"},
        {"aLong", "-9223372036854775808"},
        {"aFloat", "3"},
        {"aFloat", "3.4028235e38"},
        {"aDouble", "18446744073709551615"},
        {"aDouble", "-1.7976931348623157e308"},
        {"aDouble", "0"},
        {"aBoolean", "false"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(fits); i++) {
        expect_fit(f, fits[i][0], fits[i][1]);
    }
    expect_misfit(f, "anInteger", "2147483648", "expected integer, found 2147483648");
    expect_misfit(f, "anInteger", "-2147483649", "expected integer, found -2147483649");
    expect_misfit(f, "anInteger", "3.0", "expected integer, found 3.0");
    expect_misfit(f, "aLong", "9223372036854775808", "expected long, found 9223372036854775808");
    expect_misfit(f, "aLong", "'7'", "expected long, found \"7\"");
    expect_misfit(f, "aFloat", "3.5e38", NULL);
    expect_misfit(f, "aDouble", "'abc'", "expected double, found \"abc\"");
    expect_misfit(f, "aDouble", "null", "expected double, found null");
    expect_misfit(f, "aDouble", "[1]", "expected double, found an array");
    expect_misfit(f, "aDouble", "{}", "expected double, found an object");
    expect_misfit(f, "aBoolean", "1", "expected boolean, found 1");
    expect_misfit(f, "aBoolean", "'true'", "expected boolean, found \"true\"");
    yyjson_mut_val *infinite = yyjson_mut_real(f->doc, 1e308 * 10);
    assert_int_equal(
        gm_schema_check(content_of(f, "dtmi:t:Home;1", "aDouble")->schema, infinite, &f->err),
        GM_E_INVALID);
    assert_string_equal(f->err.text, "expected double, found a number that is not finite");
}

static void times_are_those_of_rfc_3339(void **state)
{
    struct fixture *f = *state;
    expect_models(f, home_z);
    expect_fit(f, "aDateTime", "'9999-12-31T23:59:59.123456789012Z'");
    expect_fit(f, "aDateTime", "'0001-01-01T00:00:00-11:30'");
    expect_misfit(f, "aDateTime", "'2026-11-20T17:09:55'",
                  "expected dateTime such as \"2026-11-20T17:09:55Z\", found "
                  "\"2026-11-20T17:09:55\"");
    static const char *const wrong[] = {"'2026-11-20 17:09:55Z'",
                                        "'2026-02-30T17:09:55Z'",
                                        "'2026-11-20T24:00:00Z'",
                                        "'2026-11-20T17:09:55.Z'",
                                        "'2026-11-20T17:09:55+0100'",
                                        "'2026-11-20T17:09:55Zulu'",
                                        "'2026-11-20T17:09Z'",
                                        "''",
                                        "5"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(wrong); i++) {
        expect_misfit(f, "aDateTime", wrong[i], NULL);
    }
    expect_fit(f, "aDate", "'1964-02-29'");
    expect_misfit(f, "aDate", "'1965-02-29'",
                  "expected date such as \"2026-11-20\", found \"1965-02-29\"");
    expect_misfit(f, "aDate", "'0000-01-01'", NULL);
    expect_fit(f, "aTime", "'06:00:00.5-01:15'");
    expect_misfit(f, "aTime", "'06:00:00'",
                  "expected time such as \"17:09:55Z\", found \"06:00:00\"");
}

static void durations_are_those_of_iso_8601(void **state)
{
    struct fixture *f = *state;
    expect_models(f, home_z);
    static const char *const right[] = {"'P3Y6M4DT8H9M5S'", "'P2W'", "'PT0.001S'", "'P3.4W'",
                                        "'P2W4DT8H'",       "'P0D'", "'PT5S'",     "'P1Y'"};
    static const char *const wrong[] = {"'P'",       "'PT'", "'P1YT'",     "'P3Y2W'",
                                        "'P6M3Y'",   "'5S'", "'P3.5YT1S'", "'PT.1S'",
                                        "'P3.4W5D'", "'P1'", "''",         "7"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(right); i++) {
        expect_fit(f, "aDuration", right[i]);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(wrong); i++) {
        expect_misfit(f, "aDuration", wrong[i], NULL);
    }
    expect_misfit(f, "aDuration", "'1h'", "expected duration such as \"PT1H30M\", found \"1h\"");
}

static void strings_have_at_most_4_kib(void **state)
{
    struct fixture *f = *state;
    expect_models(f, home_z);
    char *text = gm_arena_alloc(f->arena, GM_STRING_SIZE_MAX + 4);
    memset(text, 'x', GM_STRING_SIZE_MAX + 3);
    text[0] = text[GM_STRING_SIZE_MAX + 1] = '\'';
    text[GM_STRING_SIZE_MAX + 2] = '\0';
    expect_fit(f, "aString", text);
    text[GM_STRING_SIZE_MAX + 1] = 'x';
    text[GM_STRING_SIZE_MAX + 2] = '\'';
    text[GM_STRING_SIZE_MAX + 3] = '\0';
    expect_misfit(f, "aString", text, "the string has 4097 bytes; strings may have 4096");
    expect_misfit(f, "aString", "5", "expected string, found 5");
}

static void enums_take_their_values_only(void **state)
{
    struct fixture *f = *state;
    expect_models(f, home_z);
    expect_fit(f, "mood", "'good'");
    expect_fit(f, "level", "-2");
    expect_misfit(f, "mood", "'Good'", "expected one of \"bad\", \"good\", found \"Good\"");
    expect_misfit(f, "mood", "1", "expected one of \"bad\", \"good\", found 1");
    expect_misfit(f, "level", "0", "expected one of -2, 1, found 0");
    expect_misfit(f, "level", "1.0", "expected one of -2, 1, found 1.0");
    expect_misfit(f, "level", "'1'", "expected one of -2, 1, found \"1\"");
    expect_misfit(f, "level", "18446744073709551614", NULL);
}

static void containers_are_checked_to_the_bottom(void **state)
{
    struct fixture *f = *state;
    expect_models(f, home_z);
    expect_fit(f, "address", "{}");
    expect_fit(f, "address", "{'number':7,'street':'Elm'}");
    expect_misfit(f, "address", "{'number':'7'}",
                  "field \"number\": expected integer, found \"7\"");
    expect_misfit(f, "address", "{'street':null}", "field \"street\": expected string, found null");
    expect_misfit(f, "address", "{'town':'x'}", "there is no field \"town\"");
    expect_misfit(f, "address", "{'stret':'x'}",
                  "there is no field \"stret\"; did you mean \"street\"?");
    expect_misfit(f, "address", "[]", "expected Object, found an array");
    expect_fit(f, "sizes", "{'':1,'any key':2.5}");
    expect_misfit(f, "sizes", "{'a':1,'b':true}", "key \"b\": expected double, found true");
    expect_misfit(f, "sizes", "5", "expected Map, found 5");
    expect_fit(f, "tags", "[]");
    expect_misfit(f, "tags", "['a',7]", "element 1: expected string, found 7");
    expect_misfit(f, "tags", "{}", "expected Array, found an object");
}

static void geometries_are_those_of_geojson(void **state)
{
    struct fixture *f = *state;
    expect_models(f, home_z);
    expect_fit(f, "aPoint", "{'type':'Point','coordinates':[4.9,52]}");
    expect_fit(f, "aPoint", "{'coordinates':[4.9,52,-3],'type':'Point'}");
    expect_fit(f, "aLine", "{'type':'LineString','coordinates':[[0,0],[1,1]]}");
    expect_fit(f, "anArea", "{'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,0]]]}");
    expect_fit(f, "areas", "{'type':'MultiPolygon','coordinates':[[[[0,0],[1,0],[1,1],[0,0]]]]}");
    expect_misfit(f, "aPoint", "{'type':'Point'}",
                  "expected Point as {\"type\": …, \"coordinates\": …}");
    expect_misfit(f, "aPoint", "{'type':'Point','coordinates':[1,2],'crs':1}", NULL);
    expect_misfit(f, "aPoint", "{'type':'LineString','coordinates':[[0,0],[1,1]]}",
                  "type: expected \"Point\"");
    expect_misfit(f, "aPoint", "{'type':'Point','coordinates':[1]}",
                  "coordinates of a Point: expected a position such as [4.9, 52.4]");
    expect_misfit(f, "aPoint", "{'type':'Point','coordinates':[1,'2']}", NULL);
    expect_misfit(f, "aPoint", "{'type':'Point','coordinates':[1,2,3,4]}", NULL);
    expect_misfit(f, "aPoint", "'POINT(1 2)'", "expected Point, found \"POINT(1 2)\"");
    expect_misfit(f, "aLine", "{'type':'LineString','coordinates':[[0,0]]}",
                  "coordinates of a LineString: 1 positions; it needs 2");
    expect_misfit(f, "anArea", "{'type':'Polygon','coordinates':[[[0,0],[1,0],[1,1],[0,1]]]}",
                  "coordinates of a Polygon: the last position of a ring must equal the first");
    expect_misfit(f, "anArea", "{'type':'Polygon','coordinates':[[0,0],[1,0]]}", NULL);
}

static void expect_body(struct fixture *f, const char *body_z, const char *message_z)
{
    gm_rc rc = gm_model_check_body(model_of(f, "dtmi:t:Home;1"), parsed(f, body_z), &f->err);
    if (message_z == NULL && rc != GM_OK) {
        fail_msg("refused %s: %s", body_z, f->err.text);
    }
    if (message_z != NULL) {
        assert_int_equal(rc, GM_E_INVALID);
        assert_string_equal(f->err.text, message_z);
    }
}

static void bodies_hold_properties_and_components(void **state)
{
    struct fixture *f = *state;
    expect_models(f, home_z);
    expect_body(f, "{}", NULL);
    expect_body(f, "{'aDouble':1,'door':{}}", NULL);
    expect_body(f, "{'door':{'$metadata':{},'open':true}}", NULL);
    expect_body(f, "[]", "expected an object of properties");
    expect_body(f, "{'aDuble':1}",
                "dtmi:t:Home;1 has no property \"aDuble\"; did you mean \"aDouble\"?");
    expect_body(f, "{'whatever':1}", "dtmi:t:Home;1 has no property \"whatever\"");
    expect_body(f, "{'$dtId':'x'}", "\"$dtId\" has no place here");
    expect_body(f, "{'aDouble':'x'}", "property \"aDouble\": expected double, found \"x\"");
    expect_body(f, "{'aDouble':null}", "property \"aDouble\": expected double, found null");
    expect_body(f, "{'heat':1}", "\"heat\" is telemetry, which twins do not keep");
    expect_body(f, "{'lock':1}", "\"lock\" is a command, which twins do not keep");
    expect_body(f, "{'owner':'x'}", "\"owner\" is a relationship, which is written on its own");
    expect_body(f, "{'door':null}", "component \"door\": expected an object");
    expect_body(f, "{'door':{'open':7}}",
                "component \"door\": property \"open\": expected boolean, found 7");
    expect_body(
        f, "{'door':{'opn':true}}",
        "component \"door\": dtmi:t:Door;1 has no property \"opn\"; did you mean \"open\"?");
    expect_body(f, "{'door':{'knock':true}}",
                "component \"door\": \"knock\" is telemetry, which twins do not keep");
    expect_body(f, "{'door':{'$metadata':7}}", "component \"door\": $metadata: expected an object");
    expect_body(f, "{'door':{'$etag':'x'}}", "component \"door\": \"$etag\" has no place here");
}

static void expect_relationship(struct fixture *f, const char *name_z, const char *target_z,
                                const char *properties_z, const char *message_z)
{
    const struct gm_model *target = target_z != NULL ? model_of(f, target_z) : NULL;
    yyjson_mut_val *properties = properties_z != NULL ? parsed(f, properties_z) : NULL;
    gm_rc rc = gm_model_check_relationship(model_of(f, "dtmi:t:Home;1"), gm_str_z(name_z),
                                           f->models, target, properties, &f->err);
    if (message_z == NULL && rc != GM_OK) {
        fail_msg("refused %s: %s", name_z, f->err.text);
    }
    if (message_z != NULL) {
        assert_int_equal(rc, GM_E_INVALID);
        assert_string_equal(f->err.text, message_z);
    }
}

static void relationships_are_checked_with_target_and_properties(void **state)
{
    struct fixture *f = *state;
    expect_models(f, home_z);
    expect_relationship(f, "next", "dtmi:t:Door;1", NULL, NULL);
    expect_relationship(f, "owner", NULL, NULL, NULL);
    expect_relationship(f, "owner", "dtmi:t:Person;1", "{}", NULL);
    expect_relationship(f, "owner", "dtmi:t:Child;1", "{'since':'2026-11-20'}", NULL);
    expect_relationship(f, "owner", "dtmi:t:Door;1", NULL,
                        "relationship \"owner\": the target is a dtmi:t:Door;1, not a "
                        "dtmi:t:Person;1 or derived from it");
    expect_relationship(f, "ghost", "dtmi:t:Door;1", NULL,
                        "relationship \"ghost\": the target is a dtmi:t:Door;1, not a "
                        "dtmi:t:Ghost;1 or derived from it");
    expect_relationship(f, "owner", NULL, "{'since':'yesterday'}",
                        "relationship \"owner\": property \"since\": expected date such as "
                        "\"2026-11-20\", found \"yesterday\"");
    expect_relationship(f, "owner", NULL, "{'sincee':'2026-11-20'}",
                        "relationship \"owner\": it has no property \"sincee\"; did you mean "
                        "\"since\"?");
    expect_relationship(f, "owner", NULL, "[]",
                        "relationship \"owner\": expected an object of properties");
    expect_relationship(f, "ownr", NULL, NULL,
                        "dtmi:t:Home;1 has no relationship \"ownr\"; did you mean \"owner\"?");
    expect_relationship(f, "door", NULL, NULL, "\"door\" is a component, not a relationship");
}

static void ids_of_twins_are_checked(void **state)
{
    struct fixture *f = *state;
    char id[130];
    memset(id, 'x', sizeof(id));
    assert_int_equal(gm_twin_id_check(GM_STR("a-Z.9+%_#*?!(),=@$'"), &f->err), GM_OK);
    assert_int_equal(gm_twin_id_check((struct gm_str){id, 128}, &f->err), GM_OK);
    assert_int_equal(gm_twin_id_check((struct gm_str){id, 129}, &f->err), GM_E_INVALID);
    assert_string_equal(f->err.text, "a twin's id has 1 to 128 characters; this one has 129");
    assert_int_equal(gm_twin_id_check(GM_STR(""), &f->err), GM_E_INVALID);
    assert_int_equal(gm_twin_id_check(GM_STR("a\0b"), &f->err), GM_E_INVALID);
    assert_int_equal(gm_twin_id_check(GM_STR("a b"), &f->err), GM_E_INVALID);
    assert_string_equal(f->err.text,
                        "the twin id \"a b\" has a character that ids cannot have; they take "
                        "letters, digits and -.+%_#*?!(),=@$'");
}

static void dtmis_are_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *id_z;
        bool v2, v3;
    } cases[] = {
        {"dtmi:a;1", true, true},
        {"dtmi:com:x_y:Z9;999999999", true, true},
        {"dtmi:a;1.2", false, true},
        {"dtmi:a", false, true},
        {"dtmi:a;1.123456", false, true},
        {"dtmi:a;0", false, false},
        {"dtmi:a;01", false, false},
        {"dtmi:a;1.0", false, false},
        {"dtmi:a;1234567890", false, false},
        {"dtmi:a;1.1234567", false, false},
        {"dtmi:_a;1", false, false},
        {"dtmi:a_;1", false, false},
        {"dtmi:1a;1", false, false},
        {"dtmi:a:;1", false, false},
        {"dtmi::a;1", false, false},
        {"dtmi:;1", false, false},
        {"dtmi;1", false, false},
        {"", false, false},
        {"DTMI:a;1", false, false},
        {"dtmi:a;", false, false},
        {"dtmi:a;1;2", false, false},
        {"dtmi:a-b;1", false, false},
        {"dtmi:a;1.", false, false},
        {"dtmi:a;+1", false, false},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        if (gm_dtmi_valid(gm_str_z(cases[i].id_z), 2) != cases[i].v2 ||
            gm_dtmi_valid(gm_str_z(cases[i].id_z), 3) != cases[i].v3) {
            fail_msg("%s", cases[i].id_z);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_fit_by_kind_and_range),
        TEST(times_are_those_of_rfc_3339),
        TEST(durations_are_those_of_iso_8601),
        TEST(strings_have_at_most_4_kib),
        TEST(enums_take_their_values_only),
        TEST(containers_are_checked_to_the_bottom),
        TEST(geometries_are_those_of_geojson),
        TEST(bodies_hold_properties_and_components),
        TEST(relationships_are_checked_with_target_and_properties),
        TEST(ids_of_twins_are_checked),
        TEST(dtmis_are_parsed),
    };
    return cmocka_run_group_tests_name("dtdl/check", tests, NULL, NULL);
}
