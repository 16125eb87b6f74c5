/* Interfaces to models: inheritance, components, relationships, sets. */
#include "fixture.h"

static void interfaces_come_in_any_order(void **state)
{
    struct fixture *f = *state;
    expect_models(f, "[{'@id':'dtmi:t:C;1','@type':'Interface','extends':['dtmi:t:B;1']},"
                     "{'@id':'dtmi:t:B;1','@type':'Interface','extends':'dtmi:t:A;1',"
                     " 'contents':[{'@type':'Property','name':'b','schema':'string'}]},"
                     "{'@id':'dtmi:t:A;1','@type':'Interface',"
                     " 'contents':[{'@type':'Property','name':'a','schema':'double'}]}]");
    assert_int_equal(f->added, 3);
    const struct gm_model *c = model_of(f, "dtmi:t:C;1");
    assert_int_equal(c->content_count, 2);
    assert_str_equal(c->contents[0].name, "a");
    assert_ptr_equal(c->contents[0].declared_by, model_of(f, "dtmi:t:A;1"));
    assert_int_equal(c->contents[0].schema->type, GM_SCHEMA_DOUBLE);
    assert_int_equal(content_of(f, "dtmi:t:C;1", "b")->schema->type, GM_SCHEMA_STRING);
    assert_null(gm_model_content(c, GM_STR("c")));
    assert_int_equal(c->base_count, 2);
    assert_true(gm_model_is(c, model_of(f, "dtmi:t:A;1")));
    assert_true(gm_model_is(c, c));
    assert_false(gm_model_is(model_of(f, "dtmi:t:A;1"), c));
}

static void what_comes_over_two_ways_is_inherited_once(void **state)
{
    struct fixture *f = *state;
    expect_models(f, "[{'@id':'dtmi:t:Top;1','@type':'Interface',"
                     " 'contents':[{'@type':'Property','name':'p','schema':'double'}]},"
                     "{'@id':'dtmi:t:Left;1','@type':'Interface','extends':'dtmi:t:Top;1'},"
                     "{'@id':'dtmi:t:Right;1','@type':'Interface','extends':'dtmi:t:Top;1',"
                     " 'contents':[{'@type':'Property','name':'r','schema':'double'}]},"
                     "{'@id':'dtmi:t:Bottom;1','@type':'Interface',"
                     " 'extends':['dtmi:t:Left;1','dtmi:t:Right;1']}]");
    const struct gm_model *bottom = model_of(f, "dtmi:t:Bottom;1");
    assert_int_equal(bottom->content_count, 2);
    assert_int_equal(bottom->base_count, 3);
}

static void a_name_is_declared_once_in_a_hierarchy(void **state)
{
    struct fixture *f = *state;
    expect_refusal(f,
                   "[{'@id':'dtmi:t:A;1','@type':'Interface',"
                   " 'contents':[{'@type':'Property','name':'p','schema':'double'}]},"
                   "{'@id':'dtmi:t:B;1','@type':'Interface','extends':'dtmi:t:A;1',"
                   " 'contents':[{'@type':'Property','name':'p','schema':'double'}]}]",
                   "dtmi:t:B;1: \"p\" is in the contents of this and of dtmi:t:A;1; what is "
                   "inherited cannot be declared again, rename one");
    expect_refusal(f,
                   "{'@id':'dtmi:t:C;1','@type':'Interface','contents':["
                   "{'@type':'Property','name':'p','schema':'double'},"
                   "{'@type':'Relationship','name':'p'}]}",
                   "dtmi:t:C;1: two of the contents have \"p\" as their name; change one");
}

static void a_missing_base_is_named(void **state)
{
    struct fixture *f = *state;
    expect_refusal(
        f, "{'@id':'dtmi:t:A;1','@type':'Interface','extends':'dtmi:far:Away;1'}",
        "dtmi:t:A;1: extends refers to dtmi:far:Away;1, which is not there; add it to the models");
    expect_refusal(f,
                   "[{'@id':'dtmi:shop:Product;1','@type':'Interface'},"
                   "{'@id':'dtmi:shop:Book;1','@type':'Interface','extends':"
                   "'dtmi:shop:Produkt;1'}]",
                   "dtmi:shop:Book;1: extends refers to dtmi:shop:Produkt;1, which is not there; "
                   "add it to the models, or did you mean \"dtmi:shop:Product;1\"?");
}

static void circles_are_refused(void **state)
{
    struct fixture *f = *state;
    expect_refusal(f, "{'@id':'dtmi:t:A;1','@type':'Interface','extends':'dtmi:t:A;1'}",
                   "dtmi:t:A;1: by 'extends' it leads back to itself; break the circle");
    expect_refusal(
        f,
        "[{'@id':'dtmi:t:A;1','@type':'Interface','extends':'dtmi:t:B;1'},"
        "{'@id':'dtmi:t:B;1','@type':'Interface','extends':'dtmi:t:C;1'},"
        "{'@id':'dtmi:t:C;1','@type':'Interface','extends':'dtmi:t:A;1'}]",
        "dtmi:t:A;1: by 'extends' it leads back to itself; break the circle (and 2 more)");
}

/* dtmi:t:I0;1 … dtmi:t:I(count-1);1, each extending the next. */
static const char *chain(struct fixture *f, size_t count, bool backwards)
{
    struct gm_buf buf;
    gm_buf_init(&buf, 1 << 20);
    for (size_t i = 0; i < count; i++) {
        size_t n = backwards ? count - 1 - i : i;
        gm_buf_addf(&buf, "%c{'@id':'dtmi:t:I%zu;1','@type':'Interface'", i == 0 ? '[' : ',', n);
        if (n + 1 < count) {
            gm_buf_addf(&buf, ",'extends':'dtmi:t:I%zu;1'", n + 1);
        }
        gm_buf_add_z(&buf, "}");
    }
    gm_buf_add_z(&buf, "]");
    struct gm_str text = gm_arena_dup(f->arena, gm_buf_str(&buf));
    gm_buf_deinit(&buf);
    return text.p;
}

static void ten_levels_of_inheritance_are_the_limit(void **state)
{
    struct fixture *f = *state;
    for (int backwards = 0; backwards < 2; backwards++) {
        gm_models_free(f->models);
        f->models = NULL;
        expect_models(f, chain(f, 11, backwards));
        gm_models_free(f->models);
        f->models = NULL;
        assert_int_equal(extend(f, chain(f, 12, backwards)), GM_E_INVALID);
        assert_non_null(strstr(f->err.text, "more than 10 levels"));
        assert_int_equal(extend(f, chain(f, 5000, backwards)), GM_E_INVALID);
    }
}

static void an_older_language_cannot_refer_to_a_newer(void **state)
{
    struct fixture *f = *state;
    expect_models(f, "[{'@id':'dtmi:t:Old;1','@context':'dtmi:dtdl:context;2','@type':'Interface'},"
                     "{'@id':'dtmi:t:New;1','@type':'Interface','extends':'dtmi:t:Old;1'}]");
    expect_refusal(f,
                   "{'@id':'dtmi:t:Odd;1','@context':'dtmi:dtdl:context;2','@type':'Interface',"
                   "'extends':'dtmi:t:New;1'}",
                   "dtmi:t:Odd;1: extends refers to dtmi:t:New;1, which is written in DTDL 3; it "
                   "takes DTDL 2");
}

static void components_are_one_level_deep(void **state)
{
    struct fixture *f = *state;
    expect_models(f, "[{'@id':'dtmi:t:Phone;1','@type':'Interface','contents':["
                     "{'@type':'Component','name':'front','schema':'dtmi:t:Camera;1'}]},"
                     "{'@id':'dtmi:t:Camera;1','@type':'Interface','contents':["
                     "{'@type':'Property','name':'pixels','schema':'integer'}]}]");
    const struct gm_content *front = content_of(f, "dtmi:t:Phone;1", "front");
    assert_int_equal(front->type, GM_CONTENT_COMPONENT);
    assert_ptr_equal(front->component, model_of(f, "dtmi:t:Camera;1"));
    expect_refusal(f,
                   "[{'@id':'dtmi:t:Twin;1','@type':'Interface','contents':["
                   "{'@type':'Component','name':'left','schema':'dtmi:t:Smart;1'}]},"
                   "{'@id':'dtmi:t:Smart;1','@type':'Interface','extends':'dtmi:t:Phone;1'}]",
                   "dtmi:t:Twin;1: component \"left\": 'schema' or 'contents' leads to "
                   "dtmi:t:Phone:_contents:__front;1, of class Component, which has no place here; "
                   "components are one level deep, use a relationship");
    expect_refusal(f,
                   "{'@id':'dtmi:t:Box;1','@type':'Interface','contents':["
                   "{'@type':'Component','name':'lid','schema':'dtmi:t:Lid;1'}]}",
                   "dtmi:t:Box;1: component \"lid\": schema refers to dtmi:t:Lid;1, which is not "
                   "there; add it to the models");
}

static void relationships_have_targets_and_properties(void **state)
{
    struct fixture *f = *state;
    expect_models(f, "{'@id':'dtmi:t:A;1','@type':'Interface','contents':["
                     "{'@type':'Relationship','name':'any','minMultiplicity':0,"
                     " 'maxMultiplicity':1},"
                     "{'@type':'Relationship','name':'feeds','target':'dtmi:not:There;1',"
                     " 'properties':[{'@type':'Property','name':'share','schema':'double'},"
                     "  {'@type':'Property','name':'first','schema':'date'}]}]}");
    assert_int_equal(content_of(f, "dtmi:t:A;1", "any")->target.n, 0);
    const struct gm_content *feeds = content_of(f, "dtmi:t:A;1", "feeds");
    assert_str_equal(feeds->target, "dtmi:not:There;1");
    assert_int_equal(feeds->property_count, 2);
    assert_str_equal(feeds->properties[0].name, "first");
    assert_int_equal(feeds->properties[1].schema->type, GM_SCHEMA_DOUBLE);
    expect_refusal(f,
                   "{'@id':'dtmi:t:B;1','@type':'Interface','contents':["
                   "{'@type':'Relationship','name':'r','target':'somewhere'}]}",
                   "dtmi:t:B;1: relationship \"r\": target is \"somewhere\"; write a DTMI such as "
                   "dtmi:example:Thing;1");
}

static void telemetry_and_commands_are_read(void **state)
{
    struct fixture *f = *state;
    expect_models(f, "{'@id':'dtmi:t:A;1','@type':'Interface','contents':["
                     "{'@type':'Telemetry','name':'t','schema':'float'},"
                     "{'@type':'Command','name':'reboot','commandType':'synchronous',"
                     " 'request':{'name':'delay','schema':'integer'},"
                     " 'response':{'@type':'CommandResponse','name':'at','schema':'dateTime'}}]}");
    assert_int_equal(content_of(f, "dtmi:t:A;1", "t")->type, GM_CONTENT_TELEMETRY);
    assert_int_equal(content_of(f, "dtmi:t:A;1", "reboot")->type, GM_CONTENT_COMMAND);
    expect_refusal(f,
                   "{'@id':'dtmi:t:B;1','@type':'Interface','contents':[{'@type':'Command',"
                   "'name':'c','request':{'name':'x','schema':'strin'}}]}",
                   "dtmi:t:B;1: command \"c\": request: schema is \"strin\", which is neither a "
                   "DTMI nor a term; write the @id of an element, or a name the language knows; "
                   "did you mean \"string\"? (and 1 more)");
}

static void an_interface_in_place_becomes_one_of_its_own(void **state)
{
    struct fixture *f = *state;
    const char *text_z =
        "{'@id':'dtmi:t:Phone;1','@type':'Interface',"
        "'@context':['dtmi:dtdl:context;3','dtmi:dtdl:extension:quantitativeTypes;1'],"
        "'contents':[{'@type':'Component','name':'front','schema':"
        " {'@id':'dtmi:t:Camera;1','@type':'Interface','contents':["
        "  {'@type':['Property','Length'],'name':'focus','schema':'double','unit':'metre'}]}}]}";
    expect_models(f, text_z);
    assert_int_equal(f->added, 2);
    const struct gm_model *camera = model_of(f, "dtmi:t:Camera;1");
    assert_ptr_equal(content_of(f, "dtmi:t:Phone;1", "front")->component, camera);
    assert_non_null(strstr(camera->text.p, "quantitativeTypes;1"));
    /* Again, and with the inner one on its own: nothing is new. */
    expect_models(f, text_z);
    assert_int_equal(f->added, 0);
    yyjson_mut_val *alone;
    assert_int_equal(gm_json_parse(f->doc, model_of(f, "dtmi:t:Camera;1")->text, &alone, &f->err),
                     GM_OK);
    struct gm_models *models;
    assert_int_equal(gm_models_extend(f->models, &alone, 1, &models, &f->added, &f->err), GM_OK);
    assert_int_equal(f->added, 0);
    gm_models_free(models);
}

static void what_is_there_is_passed_over_or_a_conflict(void **state)
{
    struct fixture *f = *state;
    expect_models(f, "{'@id':'dtmi:t:A;1','@type':'Interface','displayName':'A'}");
    expect_models(f, "[{'displayName':'A','@type':'Interface','@id':'dtmi:t:A;1'},"
                     "{'@id':'dtmi:t:B;1','@type':'Interface','extends':'dtmi:t:A;1'}]");
    assert_int_equal(f->added, 1);
    assert_int_equal(gm_models_count(f->models), 2);
    expect_refusal(f, "{'@id':'dtmi:t:A;1','@type':'Interface','displayName':'other'}",
                   "dtmi:t:A;1: it is there already with another definition; give the changed one "
                   "a new version");
    assert_int_equal(f->err.rc, GM_E_CONFLICT);
    assert_int_equal(gm_models_count(f->models), 2);
}

static void definitions_are_kept_as_canonical_text(void **state)
{
    struct fixture *f = *state;
    expect_models(f, "{'@type':'Interface','@id':'dtmi:t:A;1','displayName':{'en':'A'}}");
    assert_str_equal(model_of(f, "dtmi:t:A;1")->text,
                     "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:t:A;1\",\"@type\":"
                     "\"Interface\",\"displayName\":{\"en\":\"A\"}}");
}

static void versions_are_read_from_ids(void **state)
{
    struct fixture *f = *state;
    expect_models(f, "[{'@id':'dtmi:t:A;12','@type':'Interface'},"
                     "{'@id':'dtmi:t:A;1.3','@type':'Interface'},"
                     "{'@id':'dtmi:t:A','@type':'Interface'}]");
    const struct gm_model *model = model_of(f, "dtmi:t:A;12");
    assert_str_equal(model->id_base, "dtmi:t:A");
    assert_int_equal(model->version_major, 12);
    assert_int_equal(model->version_minor, -1);
    model = model_of(f, "dtmi:t:A;1.3");
    assert_int_equal(model->version_major, 1);
    assert_int_equal(model->version_minor, 3);
    assert_int_equal(model_of(f, "dtmi:t:A")->version_major, -1);
    assert_int_equal(model->dtdl_version, 3);
}

static void stored_models_stand_in_order_of_their_numbers(void **state)
{
    struct fixture *f = *state;
    expect_models(f, chain(f, 8, false));
    static const struct {
        const char *id_z;
        int64_t num;
    } stored[] = {{"dtmi:t:I5;1", 2}, {"dtmi:t:I0;1", 9}, {"dtmi:t:I7;1", 1}, {"dtmi:t:I3;1", 4}};
    for (size_t i = 0; i < 4; i++) {
        assert_true(
            gm_models_set_stored(f->models, gm_str_z(stored[i].id_z), stored[i].num, 77, i == 1));
    }
    assert_true(gm_models_set_stored(f->models, GM_STR("dtmi:t:I5;1"), 11, 77, false));
    assert_false(gm_models_set_stored(f->models, GM_STR("dtmi:t:I9;1"), 3, 77, false));
    static const char *const order[] = {"dtmi:t:I7;1", "dtmi:t:I3;1", "dtmi:t:I0;1", "dtmi:t:I5;1",
                                        "dtmi:t:I1;1", "dtmi:t:I2;1", "dtmi:t:I4;1", "dtmi:t:I6;1"};
    for (size_t i = 0; i < 8; i++) {
        assert_str_equal(gm_models_at(f->models, i)->id, order[i]);
    }
    assert_ptr_equal(gm_models_by_num(f->models, 4), model_of(f, "dtmi:t:I3;1"));
    assert_ptr_equal(gm_models_by_num(f->models, 1), model_of(f, "dtmi:t:I7;1"));
    assert_ptr_equal(gm_models_by_num(f->models, 11), model_of(f, "dtmi:t:I5;1"));
    assert_null(gm_models_by_num(f->models, 0));
    assert_null(gm_models_by_num(f->models, 2));
    assert_null(gm_models_by_num(f->models, INT64_MAX));
    /* What the store knows survives an extension. */
    expect_models(f, "{'@id':'dtmi:t:New;1','@type':'Interface'}");
    assert_int_equal(model_of(f, "dtmi:t:I0;1")->num, 9);
    assert_int_equal(model_of(f, "dtmi:t:I0;1")->uploaded, 77);
    assert_true(model_of(f, "dtmi:t:I0;1")->decommissioned);
    assert_int_equal(model_of(f, "dtmi:t:New;1")->num, 0);
}

static void the_nearest_id_is_found(void **state)
{
    struct fixture *f = *state;
    expect_models(f, "[{'@id':'dtmi:shop:Product;1','@type':'Interface'},"
                     "{'@id':'dtmi:shop:Supplier;1','@type':'Interface'}]");
    assert_str_equal(gm_models_nearest(f->models, GM_STR("dtmi:shop:Product;2")),
                     "dtmi:shop:Product;1");
    assert_str_equal(gm_models_nearest(f->models, GM_STR("dtmi:shop:Suplier;1")),
                     "dtmi:shop:Supplier;1");
    assert_null(gm_models_nearest(f->models, GM_STR("dtmi:other:Thing;1")).p);
}

static void wrong_definitions_are_refused_with_place_and_cure(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text_z, *message_z;
    } cases[] = {
        {"[1]", "interface number 1: expected a JSON object with @id, @type and @context"},
        {"{'@type':'Interface'}",
         "interface number 1: no @id; give the interface one such as dtmi:example:Thing;1"},
        {"{'@id':'urn:x:1','@type':'Interface'}",
         "urn:x:1: @id \"urn:x:1\" is not a DTMI of DTDL 3; write one such as "
         "dtmi:example:Thing;1, of letters, digits and underscores between colons, with a version "
         "from 1 on and no #fragment"},
        {"{'@id':'dtmi:dtdl:Mine;1','@type':'Interface'}",
         "dtmi:dtdl:Mine;1: @id \"dtmi:dtdl:Mine;1\" begins with a name that is reserved; choose "
         "one of your own"},
        {"{'@id':'dtmi:t:A;1'}", "dtmi:t:A;1: only interfaces stand on their own, and this has no "
                                 "@type; put it inside of one, or write @type Interface"},
        {"{'@id':'dtmi:t:A;1','@type':'Telemetry'}",
         "dtmi:t:A;1: only interfaces stand on their own, and this has @type \"Telemetry\"; put it "
         "inside of one, or write @type Interface"},
        {"{'@id':'dtmi:t:A;1','@type':'Interface','@context':'dtmi:dtdl:context;4'}",
         "dtmi:t:A;1: @context \"dtmi:dtdl:context;4\": this version of DTDL is not supported; use "
         "dtmi:dtdl:context;3 at most"},
        {"{'@id':'dtmi:t:A;1','@type':'Interface','@context':{}}",
         "dtmi:t:A;1: @context names no version of DTDL in front; write \"dtmi:dtdl:context;3\" "
         "first"},
        {"{'@id':'dtmi:t:A;1','@type':'Interface','content':[]}",
         "dtmi:t:A;1: \"content\" is not known; correct its name or remove it; did you mean "
         "\"contents\"?"},
        {"{'@id':'dtmi:t:A;1','@type':'Interface','contents':['x']}",
         "dtmi:t:A;1: contents is \"x\", which is neither a DTMI nor a term; write the @id of an "
         "element, or a name the language knows"},
        {"{'@id':'dtmi:t:A;1','@type':'Interface','contents':[{'@type':'Propertie','name':'p'}]}",
         "dtmi:t:A;1: element \"p\": @type \"Propertie\" is not known; did you mean \"Property\"?"},
        {"{'@id':'dtmi:t:A;1','@type':'Interface','contents':[{'@type':'Property','name':'p'}]}",
         "dtmi:t:A;1: property \"p\": no \"schema\"; add it"},
        {"{'@id':'dtmi:t:A;1','@type':'Interface','contents':[{'@type':'Property',"
         "'schema':'double'}]}",
         "dtmi:t:A;1: contents has an element without \"name\"; give it one"},
        {"{'@id':'dtmi:t:A;1','@type':'Interface','contents':[{'@type':'Property','name':'a b',"
         "'schema':'double'}]}",
         "dtmi:t:A;1: property \"a b\": name is \"a b\"; it takes letters, digits and underscores, "
         "a letter first, no underscore last"},
        {"{'@id':'dtmi:t:A;1','@type':'Interface','contents':[{'@type':'Property','name':'p',"
         "'schema':'double','writable':'yes'}]}",
         "dtmi:t:A;1: property \"p\": writable is not true or false"},
        {"{'@id':'dtmi:t:A;1','@type':'Interface','contents':[{'@type':'Property','name':'p',"
         "'schema':'double','target':'dtmi:t:B;1'}]}",
         "dtmi:t:A;1: property \"p\": \"target\" is no member that an element of this class can "
         "have; remove it"},
        {"{'@id':'dtmi:t:A;1','@type':'Interface','contents':[{'@type':'Property','name':'p',"
         "'schema':null}]}",
         "dtmi:t:A;1: property \"p\": schema is neither a string nor an object (and 1 more)"},
        {"{'@id':'dtmi:t:A;1','@type':'Interface','contents':[{'@type':'Relationship','name':'r',"
         "'maxMultiplicity':0}]}",
         "dtmi:t:A;1: relationship \"r\": maxMultiplicity is 0; 1 is the smallest allowed"},
        {"{'@id':'dtmi:t:A;1','@type':'Interface','displayName':{'english':'A'}}",
         "dtmi:t:A;1: displayName has the language \"english\"; write a code such as en or en-US"},
        {"{'@id':'dtmi:t:A;1','@type':'Interface','displayName':7}",
         "dtmi:t:A;1: displayName has a text that is neither a string nor an object of "
         "\"@language\" and \"@value\""},
        {"{'@id':'dtmi:t:A;1','@context':'dtmi:dtdl:context;2','@type':'Interface','displayName':"
         "'0123456789012345678901234567890123456789012345678901234567890123456789'}",
         "dtmi:t:A;1: displayName has a text of more than 64 characters; make it shorter"},
        {"{'@id':'dtmi:t:A;1','@context':'dtmi:dtdl:context;2','@type':'Interface','extends':"
         "['dtmi:t:B;1','dtmi:t:C;1','dtmi:t:D;1']}",
         "dtmi:t:A;1: extends refers to dtmi:t:B;1, which is not there; add it to the models, or "
         "did you mean \"dtmi:t:A;1\"? (and 2 more)"},
        {"{'@id':'dtmi:t:A;1','@type':'Interface','extends':{'@id':'dtmi:t:B;1'}}",
         "dtmi:t:A;1: extends refers to dtmi:t:B;1 by an object; write the id as a string"},
    };
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        expect_refusal(f, cases[i].text_z, cases[i].message_z);
    }
}

static void a_definition_has_at_most_a_mebibyte(void **state)
{
    struct fixture *f = *state;
    size_t size = (1 << 20) + 100;
    struct gm_buf buf;
    gm_buf_init(&buf, 2 << 20);
    gm_buf_add_z(&buf, "{'@id':'dtmi:t:A;1','@type':'Interface','contents':[");
    for (int i = 0; buf.n < size; i++) {
        gm_buf_addf(&buf, "%s{'@type':'Property','name':'p%d','schema':'double'}", i > 0 ? "," : "",
                    i);
    }
    gm_buf_add_z(&buf, "]}");
    expect_refusal(
        f, buf.p,
        "dtmi:t:A;1: the interface has more than 1048576 bytes; split it, with `extends`");
    gm_buf_deinit(&buf);
}

static void an_id_cannot_be_given_again_inside(void **state)
{
    struct fixture *f = *state;
    expect_refusal(f,
                   "{'@id':'dtmi:t:A;1','@type':'Interface','extends':"
                   "{'@id':'dtmi:t:A;1','@type':'Interface'}}",
                   "dtmi:t:A;1: dtmi:t:A;1 is defined twice; remove one, or give it an @id of its "
                   "own");
}

static void value_objects_and_single_values_are_unwrapped(void **state)
{
    struct fixture *f = *state;
    expect_models(f, "{'@id':'dtmi:t:A;1','@type':['Interface'],'contents':{'@type':['Property'],"
                     "'name':[{'@value':'p','@type':'xsd:string'}],"
                     "'dtmi:dtdl:property:schema;3':['dtmi:dtdl:instance:Schema:double;2'],"
                     "'writable':{'@value':true},'displayName':[{'@value':'P','@language':'en'},"
                     "{'@value':'p','@language':'de-DE'}]}}");
    assert_int_equal(content_of(f, "dtmi:t:A;1", "p")->schema->type, GM_SCHEMA_DOUBLE);
}

/* ---- all errors, and what a request says ---- */

static gm_rc make(struct fixture *f, const struct gm_models_request *request)
{
    struct gm_models *models = NULL;
    gm_rc rc = gm_models_make(request, &models, &f->added, &f->err);
    if (rc == GM_OK) {
        gm_models_free(f->models);
        f->models = models;
    }
    return rc;
}

static const char three_errors_z[] =
    "[{'@id':'dtmi:t:A;1','@type':'Interface','contents':["
    "{'@type':'Property','name':'p','schema':'double','writable':1},"
    "{'@type':'Property','name':'q'}]},"
    "{'@id':'dtmi:t:B;1','@type':'Interface','displayName':7}]";

static void every_error_is_reported_with_its_kind_and_place(void **state)
{
    struct fixture *f = *state;
    yyjson_mut_val *value = interfaces(f, three_errors_z);
    struct gm_model_errors *errors = gm_model_errors_new();
    assert_int_equal(
        make(f, &(struct gm_models_request){.interfaces = &value, .count = 1, .errors = errors}),
        GM_E_INVALID);
    assert_string_equal(f->err.text, "dtmi:t:A;1: property \"p\": writable is not true or false "
                                     "(and 2 more)");
    assert_int_equal(gm_model_errors_count(errors), 3);
    assert_int_equal(gm_model_errors_total(errors), 3);
    const struct gm_model_error *error = gm_model_errors_at(errors, 1);
    assert_string_equal(error->kind_z, "missingObjectProperty");
    assert_str_equal(error->primary_id, "dtmi:t:A:_contents:__q;1");
    assert_str_equal(error->property, "schema");
    assert_null(error->secondary_id.p);
    assert_int_equal(error->document, 0);
    assert_str_equal(error->text, "dtmi:t:A;1: property \"q\": no \"schema\"; add it");
    assert_int_equal(gm_model_errors_at(errors, 2)->document, 1);
    gm_model_errors_free(errors);
}

static void a_hundred_errors_are_kept_and_more_counted(void **state)
{
    struct fixture *f = *state;
    struct gm_buf buf;
    gm_buf_init(&buf, 1 << 20);
    gm_buf_add_z(&buf, "{'@id':'dtmi:t:A;1','@type':'Interface','contents':[");
    for (int i = 0; i < 250; i++) {
        gm_buf_addf(&buf, "%s{'@type':'Property','name':'p%d'}", i > 0 ? "," : "", i);
    }
    gm_buf_add_z(&buf, "]}");
    yyjson_mut_val *value = interfaces(f, buf.p);
    struct gm_model_errors *errors = gm_model_errors_new();
    assert_int_equal(
        make(f, &(struct gm_models_request){.interfaces = &value, .count = 1, .errors = errors}),
        GM_E_INVALID);
    assert_int_equal(gm_model_errors_count(errors), GM_MODEL_ERRORS_MAX);
    assert_int_equal(gm_model_errors_total(errors), 250);
    assert_non_null(strstr(f->err.text, "(and 249 more)"));
    gm_model_errors_free(errors);
    gm_buf_deinit(&buf);
}

static void unknown_extensions_are_as_the_request_says(void **state)
{
    struct fixture *f = *state;
    static const char *const contexts_z[] = {"2", "3"};
    static const enum gm_models_undefined modes[] = {
        GM_MODELS_UNDEFINED_BY_VERSION, GM_MODELS_UNDEFINED_ALLOWED, GM_MODELS_UNDEFINED_REFUSED};
    static const bool taken[2][3] = {{true, true, false}, {false, true, false}};
    for (size_t v = 0; v < GM_ARRAY_COUNT(contexts_z); v++) {
        const char *text_z =
            gm_arena_format(f->arena,
                            "{'@id':'dtmi:t:A;1','@type':['Interface','Odd'],'odd':1,"
                            "'@context':['dtmi:dtdl:context;%s','dtmi:far:odd;1']}",
                            contexts_z[v])
                .p;
        yyjson_mut_val *value = interfaces(f, text_z);
        for (size_t m = 0; m < GM_ARRAY_COUNT(modes); m++) {
            gm_rc rc = make(f, &(struct gm_models_request){
                                   .interfaces = &value, .count = 1, .undefined = modes[m]});
            assert_int_equal(rc, taken[v][m] ? GM_OK : GM_E_INVALID);
        }
    }
}

static void a_request_can_ask_for_an_older_language(void **state)
{
    struct fixture *f = *state;
    yyjson_mut_val *value = interfaces(f, "{'@id':'dtmi:t:A;1','@type':'Interface'}");
    struct gm_models_request request = {.interfaces = &value, .count = 1, .dtdl_version_max = 2};
    assert_int_equal(make(f, &request), GM_E_INVALID);
    assert_string_equal(f->err.text,
                        "dtmi:t:A;1: @context \"dtmi:dtdl:context;3\": this version of DTDL is not "
                        "supported; use dtmi:dtdl:context;2 at most");
    request.dtdl_version_max = 3;
    assert_int_equal(make(f, &request), GM_OK);
}

/* What was allowed when it was stored: an extension that is not known. */
static void trusted_definitions_are_not_checked_again(void **state)
{
    struct fixture *f = *state;
    yyjson_mut_val *value =
        interfaces(f, "[{'@id':'dtmi:t:A;1','@type':['Interface','Odd'],"
                      "'@context':['dtmi:dtdl:context;3','dtmi:far:odd;1'],'contents':["
                      "{'@type':'Property','name':'p','schema':'double'},{'@type':'Component',"
                      "'name':'c','schema':{'@id':'dtmi:t:C;1','@type':'Interface'}}]},"
                      "{'@id':'dtmi:t:C;1','@type':'Interface'}]");
    struct gm_models_request request = {.interfaces = &value, .count = 1, .trusted = true};
    assert_int_equal(make(f, &request), GM_OK);
    assert_int_equal(gm_models_count(f->models), 2);
    assert_int_equal(content_of(f, "dtmi:t:A;1", "p")->schema->type, GM_SCHEMA_DOUBLE);
    assert_ptr_equal(content_of(f, "dtmi:t:A;1", "c")->component, model_of(f, "dtmi:t:C;1"));
    request.trusted = false;
    assert_int_equal(make(f, &request), GM_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(interfaces_come_in_any_order),
        TEST(what_comes_over_two_ways_is_inherited_once),
        TEST(a_name_is_declared_once_in_a_hierarchy),
        TEST(a_missing_base_is_named),
        TEST(circles_are_refused),
        TEST(ten_levels_of_inheritance_are_the_limit),
        TEST(an_older_language_cannot_refer_to_a_newer),
        TEST(components_are_one_level_deep),
        TEST(relationships_have_targets_and_properties),
        TEST(telemetry_and_commands_are_read),
        TEST(an_interface_in_place_becomes_one_of_its_own),
        TEST(what_is_there_is_passed_over_or_a_conflict),
        TEST(definitions_are_kept_as_canonical_text),
        TEST(versions_are_read_from_ids),
        TEST(stored_models_stand_in_order_of_their_numbers),
        TEST(the_nearest_id_is_found),
        TEST(wrong_definitions_are_refused_with_place_and_cure),
        TEST(a_definition_has_at_most_a_mebibyte),
        TEST(an_id_cannot_be_given_again_inside),
        TEST(value_objects_and_single_values_are_unwrapped),
        TEST(every_error_is_reported_with_its_kind_and_place),
        TEST(a_hundred_errors_are_kept_and_more_counted),
        TEST(unknown_extensions_are_as_the_request_says),
        TEST(a_request_can_ask_for_an_older_language),
        TEST(trusted_definitions_are_not_checked_again),
    };
    return cmocka_run_group_tests_name("dtdl/models", tests, NULL, NULL);
}
