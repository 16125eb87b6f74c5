#include "fixture.h"

#include "sample.h"

static struct root_conf decode(struct fixture *f, const char *text_z)
{
    struct root_conf conf = {0};
    gm_conf_decode(f->doc, gm_conf_load(f->doc, "etc/a.yaml", gm_str_z(text_z)), root_fields,
                   &conf);
    return conf;
}

static struct root_conf decode_good(struct fixture *f, const char *text_z)
{
    struct root_conf conf = decode(f, text_z);
    if (gm_conf_error_count(f->doc) > 0) {
        fail_msg("%s", take_errors(f));
    }
    return conf;
}

static void expect_errors(struct fixture *f, const char *text_z, const char *errors_z)
{
    (void)decode(f, text_z);
    assert_string_equal(take_errors(f), errors_z);
}

static void every_type_is_decoded(void **state)
{
    struct fixture *f = *state;
    struct root_conf conf =
        decode_good(f, "name: plant 7\n"
                       "data: /var/lib/gemel\n"
                       "enabled: false\n"
                       "workers: 64\n"
                       "ratio: 1.25\n"
                       "cache: 2GiB\n"
                       "rules:\n"
                       "  - {name: one, action: alert}\n"
                       "  - {name: 2}\n"
                       "pipelines:\n"
                       "  products:\n"
                       "    source:\n"
                       "      csv: { path: in/products.csv, delimiter: tab, columns: [a, b] }\n"
                       "    every: 1h30m\n"
                       "    missing: { after_runs: 3, max_share: 12.5% }\n"
                       "    map: { name: ProductName }\n"
                       "  orders:\n"
                       "    source: { sql: { url: \"sqlite:erp.db\", default: none } }\n"
                       "    sink: { twins: }\n"
                       "    every: 1s\n");
    assert_string_equal(conf.name, "plant 7");
    assert_null(conf.token);
    assert_string_equal(conf.data, "/var/lib/gemel");
    assert_false(conf.enabled);
    assert_int_equal(conf.workers, 64);
    assert_true(conf.ratio > 1.24 && conf.ratio < 1.26);
    assert_int_equal(conf.cache, 2ULL << 30);
    assert_int_equal(conf.rules.n, 2);
    const struct rule_conf *rules = conf.rules.at;
    assert_string_equal(rules[0].name, "one");
    assert_int_equal(rules[0].action, 2);
    assert_string_equal(rules[1].name, "2");
    assert_int_equal(rules[1].action, 1);
    assert_int_equal(conf.pipelines.n, 2);
    assert_string_equal(conf.pipelines.at[0].name_z, "products");
    assert_string_equal(conf.pipelines.at[1].name_z, "orders");
    assert_int_equal(conf.pipelines.at[1].node->key_place.line, 17);

    const struct pipeline_conf *products = conf.pipelines.at[0].value;
    assert_ptr_equal(products->source.alternative, &csv_alternative);
    assert_int_equal(products->source.node->key_place.line, 13);
    const struct csv_conf *csv = products->source.conf;
    assert_string_equal(csv->path, "etc/in/products.csv");
    assert_int_equal(csv->delimiter, '\t');
    assert_int_equal(csv->columns.n, 2);
    assert_string_equal(csv->columns.at[1], "b");
    assert_ptr_equal(products->sink.alternative, &twins_alternative);
    assert_int_equal(products->every, 90 * GM_MINUTE);
    assert_int_equal(products->missing.after_runs, 3);
    assert_true(products->missing.max_share > 0.1249 && products->missing.max_share < 0.1251);
    assert_true(gm_str_is(gm_node_member(products->map, GM_STR("name"))->text, "ProductName"));

    const struct pipeline_conf *orders = conf.pipelines.at[1].value;
    const struct sql_conf *sql = orders->source.conf;
    assert_string_equal(sql->url, "sqlite:erp.db");
    assert_string_equal(sql->fallback, "none");
    assert_null(sql->query);
    assert_null(orders->map);
}

static void what_is_absent_has_its_default(void **state)
{
    struct fixture *f = *state;
    struct root_conf conf =
        decode_good(f, "pipelines:\n  p: {source: {csv: {path: x}}, every: }\nworkers:\n");
    assert_string_equal(conf.name, "gemel");
    assert_string_equal(conf.data, "etc/data"); /* relative to the file, like one that is written */
    assert_true(conf.enabled);
    assert_int_equal(conf.workers, 2);
    assert_int_equal(conf.cache, 64ULL << 20);
    assert_int_equal(conf.rules.n, 0);
    const struct pipeline_conf *p = conf.pipelines.at[0].value;
    assert_int_equal(p->every, 10 * GM_MINUTE);
    assert_ptr_equal(p->sink.alternative, &twins_alternative);
    assert_true(p->missing.max_share > 0.049 && p->missing.max_share < 0.051);
    const struct csv_conf *csv = p->source.conf;
    assert_int_equal(csv->delimiter, ',');
}

static void a_list_of_texts_may_be_one_text(void **state)
{
    struct fixture *f = *state;
    struct root_conf conf =
        decode_good(f, "pipelines: {p: {source: {csv: {path: x, columns: only}}}}\n");
    const struct csv_conf *csv =
        ((const struct pipeline_conf *)conf.pipelines.at[0].value)->source.conf;
    assert_int_equal(csv->columns.n, 1);
    assert_string_equal(csv->columns.at[0], "only");
}

static void a_choice_without_settings_may_be_its_name(void **state)
{
    struct fixture *f = *state;
    struct root_conf conf =
        decode_good(f, "pipelines: {p: {source: {csv: {path: x}}, sink: twins}}\n");
    const struct pipeline_conf *p = conf.pipelines.at[0].value;
    assert_ptr_equal(p->sink.alternative, &twins_alternative);
    expect_errors(f, "pipelines:\n  p:\n    source: csv\n",
                  "etc/a.yaml:3:13: error: `pipelines.p.source.csv.path` is missing; write `path: "
                  "products.csv`\n");
}

static void every_error_is_reported_with_its_place_and_cure(void **state)
{
    struct fixture *f = *state;
    expect_errors(f,
                  "workerz: 3\n"
                  "workers: 0\n"
                  "cache: 1kB\n"
                  "enabled: yes\n"
                  "pipelines:\n"
                  "  products:\n"
                  "    source: { csv: {} }\n"
                  "    every: soon\n"
                  "    shedule: 1\n"
                  "    missing: { max_share: 60% }\n"
                  "  orders: {}\n"
                  "rules: [{action: dorp}]\n",
                  "etc/a.yaml:1:1: error: unknown setting `workerz`; did you mean `workers`?\n"
                  "etc/a.yaml:2:10: error: `workers`: must be at least 1, found \"0\"\n"
                  "etc/a.yaml:3:8: error: `cache`: must be at least 1MiB, found \"1kB\"\n"
                  "etc/a.yaml:4:10: error: `enabled`: expected true or false, found \"yes\"\n"
                  "etc/a.yaml:7:15: error: `pipelines.products.source.csv.path` is missing; write "
                  "`path: products.csv`\n"
                  "etc/a.yaml:8:12: error: `pipelines.products.every`: expected a duration such as "
                  "30s, found \"soon\"\n"
                  "etc/a.yaml:9:5: error: unknown setting `pipelines.products.shedule`; known "
                  "here: source, sink, every, "
                  "missing, map\n"
                  "etc/a.yaml:10:5: error: `pipelines.products.missing.after_runs` is missing; "
                  "write `after_runs: 2`\n"
                  "etc/a.yaml:10:27: error: `pipelines.products.missing.max_share`: must be at "
                  "most 50%, found \"60%\"\n"
                  "etc/a.yaml:11:3: error: `pipelines.orders.source` is missing; write `source: { "
                  "csv: { path: "
                  "products.csv } }`\n"
                  "etc/a.yaml:12:9: error: `rules[0].name` is missing; write `name: …`\n"
                  "etc/a.yaml:12:18: error: `rules[0].action`: expected one of keep, drop, alert; "
                  "found \"dorp\"; did you "
                  "mean `drop`?\n");
}

static void a_wrong_type_says_what_was_found(void **state)
{
    struct fixture *f = *state;
    expect_errors(
        f,
        "name: [a]\nworkers: \"3\"\nratio: {a: 1}\ncache: much\nenabled: 'true'\nrules: {a: 1}\n"
        "pipelines: [1]\n",
        "etc/a.yaml:1:7: error: `name`: expected a text, found a list\n"
        "etc/a.yaml:2:10: error: `workers`: expected a whole number such as 10, found the text "
        "\"3\"; remove the "
        "quotes\n"
        "etc/a.yaml:3:8: error: `ratio`: expected a number such as 0.5, found settings\n"
        "etc/a.yaml:4:8: error: `cache`: expected a size such as 64MiB, found \"much\"\n"
        "etc/a.yaml:5:10: error: `enabled`: expected true or false, found the text \"true\"; "
        "remove the quotes\n"
        "etc/a.yaml:6:8: error: `rules`: expected a list of settings, found settings\n"
        "etc/a.yaml:7:12: error: `pipelines`: expected settings by name, found a list\n");
    expect_errors(f, "pipelines: {p: {source: {csv: {path: x, delimiter: ab, columns: {}}}}}\n",
                  "etc/a.yaml:1:52: error: `pipelines.p.source.csv.delimiter`: expected one ASCII "
                  "character, or `tab`, "
                  "found \"ab\"\n"
                  "etc/a.yaml:1:65: error: `pipelines.p.source.csv.columns`: expected a text or a "
                  "list of texts, found "
                  "settings\n");
    expect_errors(
        f, "pipelines: {p: {source: {csv: {path: x, delimiter: \"\xC3\xBC\", columns: [[1]]}}}}\n",
        "etc/a.yaml:1:52: error: `pipelines.p.source.csv.delimiter`: expected one ASCII character, "
        "or `tab`, "
        "found \"\xC3\xBC\"\n"
        "etc/a.yaml:1:67: error: `pipelines.p.source.csv.columns[0]`: expected a text or a list of "
        "texts, found "
        "a list\n");
    expect_errors(f, "- a\n",
                  "etc/a.yaml:1:1: error: `configuration`: expected settings, found a list\n");
    expect_errors(
        f, "",
        "etc/a.yaml:1:1: error: `pipelines` is missing; write `pipelines: { products: … }`\n");
    expect_errors(f, "pipelines: {p: text}\nname: \"a\\0b\"\n",
                  "etc/a.yaml:1:16: error: `pipelines.p`: expected settings, found \"text\"\n"
                  "etc/a.yaml:2:7: error: `name`: a text cannot contain a zero byte\n");
}

static void a_choice_takes_exactly_one(void **state)
{
    struct fixture *f = *state;
    expect_errors(f, "pipelines:\n  p: {source: {csv: {path: x}, sql: {url: y}}}\n",
                  "etc/a.yaml:2:32: error: `pipelines.p.source`: takes exactly one of csv, sql; "
                  "found `csv` and `sql`\n");
    expect_errors(
        f, "pipelines:\n  p: {source: {}}\n",
        "etc/a.yaml:2:7: error: `pipelines.p.source`: takes exactly one of csv, sql; found none\n");
    expect_errors(f, "pipelines:\n  p: {source: [csv]}\n",
                  "etc/a.yaml:2:7: error: `pipelines.p.source`: takes exactly one of csv, sql; "
                  "found a list\n");
    expect_errors(
        f, "pipelines:\n  p: {source: {cvs: {}}}\n",
        "etc/a.yaml:2:16: error: unknown choice `pipelines.p.source.cvs`; did you mean `csv`?\n");
    expect_errors(f, "pipelines:\n  p: {source: {kafka: {}}}\n",
                  "etc/a.yaml:2:16: error: unknown choice `pipelines.p.source.kafka`; known here: "
                  "csv, sql\n");
    expect_errors(f, "pipelines:\n  p: {source: kafka}\n",
                  "etc/a.yaml:2:7: error: `pipelines.p.source`: takes exactly one of csv, sql; "
                  "found \"kafka\"\n");
}

struct outlets_conf {
    struct gm_conf_map outlets;
};
static const struct gm_field outlets_fields[] = {
    GM_FIELD_MAP(struct outlets_conf, outlets, .alternatives = sources,
                 .item_size = sizeof(struct gm_conf_choice), .help = "Where to."),
    GM_FIELD_END,
};

static void a_map_may_be_of_choices(void **state)
{
    struct fixture *f = *state;
    struct outlets_conf conf = {0};
    gm_conf_decode(f->doc,
                   gm_conf_load(f->doc, "etc/a.yaml",
                                GM_STR("outlets:\n  a: {csv: {path: x}}\n  b: {sql: {url: u}}\n")),
                   outlets_fields, &conf);
    assert_int_equal(conf.outlets.n, 2);
    assert_string_equal(conf.outlets.at[1].name_z, "b");
    const struct gm_conf_choice *choice = conf.outlets.at[0].value;
    assert_ptr_equal(choice->alternative, &csv_alternative);
    assert_string_equal(take_errors(f), ""); /* and begins a new document */
    gm_conf_decode(f->doc,
                   gm_conf_load(f->doc, "etc/a.yaml",
                                GM_STR("outlets:\n  a: {csv: {path: x}, sql: {url: u}}\n"
                                       "  b: {scv: {path: x}}\n")),
                   outlets_fields, &conf);
    const char *errors_z = take_errors(f);
    assert_non_null(strstr(errors_z, "etc/a.yaml:2:23: error: `outlets.a`: takes exactly one of "));
    assert_non_null(strstr(errors_z, "did you mean `csv`?"));
    gm_buf_reset(&f->out);
    gm_conf_write_reference(outlets_fields, 2, &f->out);
    assert_non_null(strstr(f->out.p, "## `outlets.NAME.csv`"));
    gm_conf_write_schema(outlets_fields, "t", &f->out);
    assert_non_null(strstr(f->out.p, "\"oneOf\""));
}

static void counts_have_bounds(void **state)
{
    struct fixture *f = *state;
    expect_errors(f,
                  "pipelines: {p: {source: {csv: {path: x}}}}\nrules: [{name: a}, {name: b}, "
                  "{name: c}, {name: d}]\n",
                  "etc/a.yaml:2:1: error: `rules`: needs at most 3, found 4\n");
}

static void scrub(struct fixture *f)
{
    f->out.n = gm_secrets_scrub(f->out.p, f->out.n);
    f->out.p[f->out.n] = '\0';
}

static void secrets_are_resolved_and_scrubbed(void **state)
{
    struct fixture *f = *state;
    struct root_conf conf =
        decode_good(f, "token: \"a-${env:PASSWORD}-${file:key.pem}-$${x}-${\"\npipelines:\n"
                       "  p: {source: {sql: {url: \"postgresql://user:hunter22@db/erp?x=1\"}}}\n"
                       "  q: {source: {sql: {url: literal-secret}}}\n"
                       "  r: {source: {sql: {url: \"sqlite:erp.db\"}}}\n");
    assert_string_equal(conf.token, "a-s3cr3t \"word\"-key-material-${x}-${");
    gm_buf_add_z(&f->out, "s3cr3t \"word\" as it is, s3cr3t \\\"word\\\" in JSON, "
                          "s3cr3t%20%22word%22 in a URL; key-material, "
                          "hunter22 of user, literal-secret; sqlite:erp.db stays");
    scrub(f);
    assert_string_equal(
        f->out.p,
        "*** as it is, *** in JSON, *** in a URL; ***, *** of user, ***; sqlite:erp.db stays");
}

static void scrubbing_takes_the_longest_secret(void **state)
{
    struct fixture *f = *state;
    (void)decode_good(f, "token: abcd\npipelines:\n  q: {source: {sql: {url: abcdefgh}}}\n"
                         "  r: {source: {sql: {url: abc}}}\n");
    gm_buf_add_z(&f->out, "abcdefghi abcde abc");
    scrub(f);
    assert_string_equal(f->out.p, "***i ***e abc"); /* three letters are no secret */
}

static void wrong_references_are_errors(void **state)
{
    struct fixture *f = *state;
#define ONE_PIPELINE "\npipelines: {p: {source: {csv: {path: x}}}}\n"
    expect_errors(f, "token: ${env:NOPE}" ONE_PIPELINE,
                  "etc/a.yaml:1:8: error: `token`: ${env:NOPE}: there is no such env\n");
    expect_errors(f, "token: ${evn:PASSWORD}" ONE_PIPELINE,
                  "etc/a.yaml:1:8: error: `token`: unknown reference ${evn:PASSWORD}; write "
                  "${env:NAME} or ${file:PATH}, or "
                  "$${ for ${ itself\n");
    expect_errors(f, "token: ${env:PASSWORD" ONE_PIPELINE,
                  "etc/a.yaml:1:8: error: `token`: a reference has no closing }; write "
                  "${env:NAME}, or $${ for ${ "
                  "itself\n");
    expect_errors(f, "name: x${env:PASSWORD}" ONE_PIPELINE,
                  "etc/a.yaml:1:7: error: `name`: references such as ${env:NAME} work in secrets "
                  "only; write the value "
                  "itself\n");
    struct root_conf conf = decode_good(f, "name: $x ${y} ${other:z} $" ONE_PIPELINE);
    assert_string_equal(conf.name, "$x ${y} ${other:z} $");
}

static void without_a_resolver_references_are_errors(void **state)
{
    struct fixture *f = *state;
    gm_conf_doc_free(f->doc);
    f->doc = gm_conf_doc_new(NULL);
    expect_errors(
        f, "token: ${env:PASSWORD}" ONE_PIPELINE,
        "etc/a.yaml:1:8: error: `token`: ${env:PASSWORD}: references are not resolved here\n");
}

static const char *fingerprint(struct fixture *f, const char *text_z)
{
    const struct gm_node *root = gm_conf_load(f->doc, "a.yaml", gm_str_z(text_z));
    struct root_conf conf = {0};
    gm_conf_decode(f->doc, root, root_fields, &conf);
    gm_buf_reset(&f->out);
    gm_conf_write_canonical(root, &f->out);
    return f->out.p;
}

static void fingerprints_ignore_layout_and_hide_secrets(void **state)
{
    struct fixture *f = *state;
    char *first = strdup(fingerprint(
        f, "# one\nname: plant\nworkers: 3\nrules: [{name: x}]\ntoken: hidden-secret\ncache:\n"));
    assert_string_equal(
        fingerprint(
            f, "{token: hidden-secret, rules: [{\"name\": 'x'}], workers: 3, name: \"plant\"}"),
        first);
    assert_null(strstr(first, "hidden"));
    assert_string_not_equal(
        fingerprint(f, "{token: other-secret, rules: [{name: x}], workers: 3, name: plant}"),
        first);
    assert_string_not_equal(
        fingerprint(f, "{token: hidden-secret, rules: [{name: x}], workers: 4, name: plant}"),
        first);
    assert_string_equal(fingerprint(f, "name: [1, \"1\", true, ~, a]"),
                        "{\"name\":[1,\"1\",true,null,\"a\"]}");
    free(first);
}

static void names_are_near_within_a_third(void **state)
{
    (void)state;
    static const char *const names[] = {"schedule", "source", "sink"};
    assert_string_equal(gm_conf_nearest(GM_STR("shedule"), names, 3), "schedule");
    assert_string_equal(gm_conf_nearest(GM_STR("sik"), names, 3), "sink");
    assert_string_equal(gm_conf_nearest(GM_STR("sorce"), names, 3), "source");
    assert_null(gm_conf_nearest(GM_STR("filter"), names, 3));
    assert_null(gm_conf_nearest(GM_STR(""), names, 3));
    assert_null(gm_conf_nearest(GM_STR("x"), names, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_type_is_decoded),
        TEST(what_is_absent_has_its_default),
        TEST(a_list_of_texts_may_be_one_text),
        TEST(a_choice_without_settings_may_be_its_name),
        TEST(every_error_is_reported_with_its_place_and_cure),
        TEST(a_wrong_type_says_what_was_found),
        TEST(a_choice_takes_exactly_one),
        TEST(a_map_may_be_of_choices),
        TEST(counts_have_bounds),
        TEST(secrets_are_resolved_and_scrubbed),
        TEST(scrubbing_takes_the_longest_secret),
        TEST(wrong_references_are_errors),
        TEST(without_a_resolver_references_are_errors),
        TEST(fingerprints_ignore_layout_and_hide_secrets),
        TEST(names_are_near_within_a_third),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
