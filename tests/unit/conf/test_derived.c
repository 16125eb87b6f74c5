#include "fixture.h"

#include "sample.h"

static void expect_contains(const char *text_z, const char *part_z)
{
    if (strstr(text_z, part_z) == NULL) {
        fail_msg("`%s` is not in:\n%s", part_z, text_z);
    }
}

static void the_schema_says_what_decoding_accepts(void **state)
{
    struct fixture *f = *state;
    gm_conf_write_schema(rule_fields, "Rules", &f->out);
    assert_string_equal(f->out.p,
                        "{\n"
                        "  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                        "  \"title\": \"Rules\",\n"
                        "  \"type\": \"object\",\n"
                        "  \"additionalProperties\": false,\n"
                        "  \"required\": [\n"
                        "    \"name\"\n"
                        "  ],\n"
                        "  \"properties\": {\n"
                        "    \"name\": {\n"
                        "      \"description\": \"Name.\",\n"
                        "      \"type\": \"string\"\n"
                        "    },\n"
                        "    \"action\": {\n"
                        "      \"description\": \"What to do.\",\n"
                        "      \"enum\": [\n"
                        "        \"keep\",\n"
                        "        \"drop\",\n"
                        "        \"alert\"\n"
                        "      ],\n"
                        "      \"default\": \"drop\"\n"
                        "    }\n"
                        "  }\n"
                        "}\n");
}

static void the_schema_has_bounds_defaults_examples_and_choices(void **state)
{
    struct fixture *f = *state;
    gm_conf_write_schema(root_fields, "Gemel", &f->out);
    assert_false(gm_buf_failed(&f->out));
    expect_contains(f->out.p, "\"minimum\": 1,\n      \"maximum\": 64,\n      \"default\": 2\n");
    expect_contains(f->out.p, "\"description\": \"Memory. (at least 1MiB)\"");
    expect_contains(f->out.p, "\"maxItems\": 3");
    expect_contains(f->out.p, "\"examples\": [\n");
    expect_contains(f->out.p, "\"sqlite:erp.db\"\n"); /* without YAML's quotes */
    expect_contains(f->out.p, "\"const\": \"twins\"");
    expect_contains(f->out.p, "\"oneOf\": [");
    expect_contains(f->out.p, "(d|h|m|s|ms|us|ns)");
    assert_null(strstr(f->out.p, "\"const\": \"csv\"")); /* csv has settings that are required */
}

static void the_reference_is_tables_with_nested_sections(void **state)
{
    struct fixture *f = *state;
    gm_conf_write_reference(pipeline_fields, 3, &f->out);
    assert_string_equal(
        f->out.p,
        "| setting | type | default | meaning |\n"
        "|---|---|---|---|\n"
        "| `source` | one of `csv`, `sql` | required | Where records come from. Example: `{ csv: { "
        "path: products.csv } }` |\n"
        "| `sink` | one of `twins` | `twins` | Where they go. |\n"
        "| `every` | duration, at least 1s, at most 1d | `10m` | Pause between runs. |\n"
        "| `missing` | settings |  | What is gone. |\n"
        "| `map` | any |  | Projection. |\n"
        "\n### `source.csv`\n\nFiles.\n\n"
        "| setting | type | default | meaning |\n"
        "|---|---|---|---|\n"
        "| `path` | path | required | File to read. Example: `products.csv` |\n"
        "| `delimiter` | character | `,` | Between cells. |\n"
        "| `columns` | list of texts |  | Names \\| of columns. |\n"
        "\n### `source.sql`\n\nTables.\n\n"
        "| setting | type | default | meaning |\n"
        "|---|---|---|---|\n"
        "| `url` | secret | required | Database. Example: `\"sqlite:erp.db\"` |\n"
        "| `query` | text |  | What to read. |\n"
        "| `default` | text |  | For nulls. |\n"
        "\n### `sink.twins`\n\nThe graph.\n\n"
        "No settings.\n"
        "\n### `missing`\n\nWhat is gone.\n\n"
        "| setting | type | default | meaning |\n"
        "|---|---|---|---|\n"
        "| `after_runs` | whole number, at least 1 | required | Runs to wait. Example: `2` |\n"
        "| `max_share` | share, at most 50% | `5%` | Most to delete. |\n");
}

static void sections_of_lists_and_maps_show_their_paths(void **state)
{
    struct fixture *f = *state;
    gm_conf_write_reference(root_fields, 2, &f->out);
    expect_contains(f->out.p, "\n## `rules[]`\n\nRules.\n\n");
    expect_contains(f->out.p, "\n## `pipelines.NAME`\n\nPipelines.\n\n");
    expect_contains(f->out.p, "\n### `pipelines.NAME.source.csv`\n\nFiles.\n\n");
    expect_contains(f->out.p, "\n### `pipelines.NAME.missing`\n\n");
}

static void advanced_settings_come_last(void **state)
{
    struct fixture *f = *state;
    static const struct gm_field fields[] = {
        GM_FIELD_STR(struct rule_conf, name, .flags = GM_F_ADVANCED, .help = "Rare."),
        GM_FIELD_ENUM(struct rule_conf, action, .names = actions, .help = "Common."),
        GM_FIELD_END,
    };
    gm_conf_write_reference(fields, 2, &f->out);
    assert_true(strstr(f->out.p, "Common.") < strstr(f->out.p, "Rare."));
}

static void the_help_is_plain_text(void **state)
{
    struct fixture *f = *state;
    gm_conf_write_help(pipeline_fields, &f->out);
    assert_string_equal(f->out.p, "source: one of `csv`, `sql` (required)\n"
                                  "    Where records come from.\n"
                                  "    Example: source: { csv: { path: products.csv } }\n"
                                  "    csv:\n"
                                  "        Files.\n"
                                  "        path: path (required)\n"
                                  "            File to read.\n"
                                  "            Example: path: products.csv\n"
                                  "        delimiter: character (default: ,)\n"
                                  "            Between cells.\n"
                                  "        columns: list of texts\n"
                                  "            Names | of columns.\n"
                                  "    sql:\n"
                                  "        Tables.\n"
                                  "        url: secret (required)\n"
                                  "            Database.\n"
                                  "            Example: url: \"sqlite:erp.db\"\n"
                                  "        query: text\n"
                                  "            What to read.\n"
                                  "        default: text\n"
                                  "            For nulls.\n"
                                  "sink: one of `twins` (default: twins)\n"
                                  "    Where they go.\n"
                                  "    twins:\n"
                                  "        The graph.\n"
                                  "every: duration, at least 1s, at most 1d (default: 10m)\n"
                                  "    Pause between runs.\n"
                                  "missing: settings\n"
                                  "    What is gone.\n"
                                  "    after_runs: whole number, at least 1 (required)\n"
                                  "        Runs to wait.\n"
                                  "        Example: after_runs: 2\n"
                                  "    max_share: share, at most 50% (default: 5%)\n"
                                  "        Most to delete.\n"
                                  "map: any\n"
                                  "    Projection.\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_schema_says_what_decoding_accepts),
        TEST(the_schema_has_bounds_defaults_examples_and_choices),
        TEST(the_reference_is_tables_with_nested_sections),
        TEST(sections_of_lists_and_maps_show_their_paths),
        TEST(advanced_settings_come_last),
        TEST(the_help_is_plain_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
