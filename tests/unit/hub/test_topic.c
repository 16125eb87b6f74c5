#include "hub/topic.h"
#include "support/check.h"

static struct gm_topics *topics_of(struct gm_mqtt_conf *conf, const char **texts, size_t count)
{
    struct gm_err err = {0};
    struct gm_topics *topics;
    conf->topics = (struct gm_conf_strs){texts, count};
    check_ok(gm_topics_new(conf, &topics, &err), err);
    return topics;
}

static void names_become_wildcards(void **state)
{
    const char *texts[] = {"factory/{factory}/+/{sensor}", "a/#", "/x"};
    struct gm_mqtt_conf conf = {0};
    (void)state;
    struct gm_topics *topics = topics_of(&conf, texts, 3);
    assert_int_equal(gm_topics_count(topics), 3);
    assert_string_equal(gm_topics_filters(topics)[0], "factory/+/+/+");
    assert_string_equal(gm_topics_filters(topics)[1], "a/#");
    assert_string_equal(gm_topics_filters(topics)[2], "/x");
    gm_topics_free(topics);
    conf.share = "crew";
    topics = topics_of(&conf, texts, 3);
    assert_string_equal(gm_topics_filters(topics)[0], "$share/crew/factory/+/+/+");
    gm_topics_free(topics);
}

static void what_a_topic_says(void **state)
{
    static const struct {
        const char *topic, *key, *origin;
    } cases[] = {
        {"factory/SEA/line/7/T", "sensor-T", "SEA:7"},
        {"factory/SEA/line//T", "sensor-T", ""}, /* an empty level says nothing */
        {"factory/SEA/line/7", "", ""},          /* fits nothing */
        {"factory/SEA/line/7/T/x", "", ""},
        {"other/P", "sensor-P", ""}, /* that topic has no line */
        {"other/P/more/levels", "sensor-P", ""},
    };
    const char *texts[] = {"factory/{factory}/line/{line}/{sensor}", "other/{sensor}/#"};
    struct gm_mqtt_conf conf = {.key = "sensor-{sensor}", .origin = "{factory}:{line}"};
    struct gm_arena *arena = gm_arena_new(1 << 20);
    (void)state;
    struct gm_topics *topics = topics_of(&conf, texts, 2);
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_event known = {0};
        assert_true(gm_topics_read(topics, gm_str_z(cases[i].topic), arena, &known));
        check_str(known.key, cases[i].key);
        check_str(known.origin, cases[i].origin);
        assert_int_equal(known.type.n, 0);
    }
    gm_topics_free(topics);
    gm_arena_free(arena);
}

static void a_full_arena_is_told(void **state)
{
    const char *texts[] = {"a/{x}"};
    struct gm_mqtt_conf conf = {.key = "{x}"};
    struct gm_arena *arena = gm_arena_new(0);
    struct gm_event known = {0};
    (void)state;
    struct gm_topics *topics = topics_of(&conf, texts, 1);
    assert_false(gm_topics_read(topics, GM_STR("a/1"), arena, &known));
    gm_topics_free(topics);
    gm_arena_free(arena);
}

static void wrong_topics_and_templates_are_named(void **state)
{
    static const struct {
        const char *topic, *key, *says;
    } cases[] = {
        {"", NULL, "begins with"},
        {"$share/a/b", NULL, "`share`"},
        {"a/#/b", NULL, "at the end"},
        {"a/b+", NULL, "`b+`"},
        {"a/x{y}", NULL, "whole levels"},
        {"a/{x y}", NULL, "`{x y}`"},
        {"a/{x}/{x}", NULL, "once"},
        {"a/{x}", "{y}", "{y}"},
        {"a/{x}", "{x", "without its }"},
        {"a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z/1/2/3/4/5/6/7/8", NULL, "levels"},
    };
    (void)state;
    for (size_t i = 0; i < GM_ARRAY_COUNT(cases); i++) {
        struct gm_err err = {0};
        struct gm_topics *topics;
        const char *texts[] = {cases[i].topic};
        struct gm_mqtt_conf conf = {.topics = {texts, 1}, .key = cases[i].key};
        check_rc(gm_topics_new(&conf, &topics, &err), GM_E_CONFIG, err);
        check_err_says(err, cases[i].says);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_become_wildcards),
        cmocka_unit_test(what_a_topic_says),
        cmocka_unit_test(a_full_arena_is_told),
        cmocka_unit_test(wrong_topics_and_templates_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
