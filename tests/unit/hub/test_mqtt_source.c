#include <stdio.h>

#include "base/mem.h"
#include "hub/mqtt_source.h"
#include "net/mqtt.h"
#include "support/broker.h"
#include "support/check.h"
#include "support/tmp.h"

static struct broker *broker;

/* A stream with a source, and somebody who publishes. */
struct plant {
    struct tmp *tmp;
    struct gm_stream_conf stream_conf;
    struct gm_mqtt_conf conf;
    const char *topics[1];
    struct gm_decoder *decoder;
    struct gm_stream *stream, *refused;
    struct gm_mqtt_source *source;
    struct gm_mqtt *speaker;
};

static struct gm_stream *open_stream(struct tmp *tmp, const char *name_z)
{
    struct gm_err err = {0};
    struct gm_stream *stream;
    const struct gm_stream_options options = {.path_z = tmp_path(tmp, name_z),
                                              .clock = gm_clock_system()};
    check_ok(gm_stream_open(&options, &stream, &err), err);
    return stream;
}

static void start_source(struct plant *plant)
{
    struct gm_err err = {0};
    const struct gm_mqtt_source_options options = {.stream_name = GM_STR("telemetry"),
                                                   .name = GM_STR("plant"),
                                                   .conf = &plant->conf,
                                                   .decoder = plant->decoder,
                                                   .stream = plant->stream,
                                                   .refused = plant->refused};
    check_ok(gm_mqtt_source_start(&options, &plant->source, &err), err);
}

static struct gm_mqtt_figures figures(const struct plant *plant)
{
    struct gm_mqtt_figures figures;
    gm_mqtt_source_figures(plant->source, &figures);
    return figures;
}

/* Until a figure is what it should be: the source has threads of its own. */
static void await(const struct plant *plant, const int64_t *at, int64_t wanted,
                  struct gm_mqtt_figures *now)
{
    struct gm_stop *never = gm_stop_new();
    const struct gm_deadline deadline = gm_deadline_in(30 * GM_SECOND, NULL);
    for (*now = figures(plant); *at < wanted; *now = figures(plant)) {
        assert_false(gm_deadline_passed(&deadline));
        (void)gm_stop_wait(never, 5 * GM_MS);
    }
    assert_int_equal(*at, wanted);
    gm_stop_free(never);
}

static void await_up(const struct plant *plant, int64_t wanted)
{
    struct gm_mqtt_figures now = {0};
    await(plant, &now.connections, wanted, &now);
}

static void await_messages(const struct plant *plant, int64_t wanted)
{
    struct gm_mqtt_figures now = {0};
    await(plant, &now.messages, wanted, &now);
}

static void plant_init(struct plant *plant, struct tmp *tmp, const char *client_z)
{
    struct gm_err err = {0};
    const struct gm_deadline deadline = gm_deadline_in(20 * GM_SECOND, NULL);
    *plant = (struct plant){.tmp = tmp};
    plant->topics[0] = "factory/{factory}/{sensor}";
    plant->stream_conf =
        (struct gm_stream_conf){.time = "t", .sequence = "n", .time_unit = GM_TIME_SECONDS};
    plant->conf = (struct gm_mqtt_conf){.url = broker_url(broker),
                                        .topics = {plant->topics, 1},
                                        .version = GM_MQTT_VERSION_5,
                                        .qos = 1,
                                        .client_id = client_z,
                                        .connections = 1,
                                        .in_flight = 100,
                                        .keepalive = 30 * GM_SECOND,
                                        .session = GM_HOUR,
                                        .key = "{sensor}",
                                        .origin = "{factory}-{sensor}"};
    check_ok(gm_decoder_new(&plant->stream_conf, &plant->decoder, &err), err);
    plant->stream = open_stream(tmp, "telemetry.db");
    plant->refused = open_stream(tmp, "refused.db");
    const struct gm_mqtt_options options = {.url_z = broker_url(broker),
                                            .version5 = true,
                                            .keepalive = GM_MINUTE,
                                            .receive_max = 20,
                                            .send_max = 10000};
    check_ok(gm_mqtt_new(&options, &plant->speaker, &err), err);
    check_ok(gm_mqtt_connect(plant->speaker, &deadline, NULL, &err), err);
}

static void plant_deinit(struct plant *plant)
{
    gm_mqtt_source_stop(plant->source);
    gm_mqtt_free(plant->speaker);
    gm_stream_close(plant->stream);
    gm_stream_close(plant->refused);
    gm_decoder_free(plant->decoder);
}

static void publish(struct plant *plant, const char *topic_z, const char *payload_z)
{
    struct gm_err err = {0};
    const struct gm_deadline deadline = gm_deadline_in(20 * GM_SECOND, NULL);
    check_ok(gm_mqtt_publish(plant->speaker, topic_z, gm_str_z(payload_z), 1, &err), err);
    while (gm_mqtt_unconfirmed(plant->speaker) > 0) {
        check_ok(gm_mqtt_exchange(plant->speaker, &deadline, &err), err);
    }
}

/* All of a stream as "key/origin/sequence body" lines. */
static char *stored_z(struct gm_stream *stream)
{
    struct gm_err err = {0};
    struct gm_stream_reader *reader;
    const struct gm_event *events;
    const struct gm_stream_place from = {0, -1};
    size_t count;
    struct gm_buf text;
    gm_buf_init(&text, 16 << 20);
    check_ok(gm_stream_reader_open(stream, &from, &reader, &err), err);
    while (gm_stream_read(reader, &events, &count, &err) == GM_OK) {
        for (size_t i = 0; i < count; i++) {
            gm_buf_addf(&text, GM_STR_FMT "/" GM_STR_FMT "/%llu " GM_STR_FMT "\n",
                        GM_STR_ARG(events[i].key), GM_STR_ARG(events[i].origin),
                        (unsigned long long)events[i].sequence, GM_STR_ARG(events[i].body));
        }
    }
    gm_stream_reader_close(reader);
    return gm_buf_take_z(&text);
}

static void messages_become_events_with_what_their_topic_says(void **state)
{
    struct plant plant;
    plant_init(&plant, *state, "become");
    start_source(&plant);
    await_up(&plant, 1);
    publish(&plant, "factory/SEA/a", "{\"v\":1,\"n\":1}");
    publish(&plant, "factory/SEA/a", " [ {\"v\":2,\"n\":2}, {\"v\":3,\"n\":3,\"key\":\"own\"} ] ");
    publish(&plant, "factory/SEA/b", "{\"v\":4,\"n\":1}\n{\"v\":5,\"n\":2}\n");
    publish(&plant, "elsewhere", "{\"v\":6}");
    await_messages(&plant, 3);
    GM_AUTO_FREE char *text_z = stored_z(plant.stream);
    assert_string_equal(text_z, "a/SEA-a/1 {\"v\":1,\"n\":1}\n"
                                "a/SEA-a/2 {\"v\":2,\"n\":2}\n"
                                "a/SEA-a/3 {\"v\":3,\"n\":3,\"key\":\"own\"}\n"
                                "b/SEA-b/1 {\"v\":4,\"n\":1}\n"
                                "b/SEA-b/2 {\"v\":5,\"n\":2}\n");
    plant_deinit(&plant);
}

static void what_is_delivered_again_counts_once(void **state)
{
    struct plant plant;
    plant_init(&plant, *state, "again");
    start_source(&plant);
    await_up(&plant, 1);
    for (int i = 0; i < 3; i++) {
        publish(&plant, "factory/SEA/a", "{\"v\":1,\"n\":1}");
    }
    await_messages(&plant, 3);
    assert_int_equal(figures(&plant).events, 1);
    assert_int_equal(figures(&plant).duplicates, 2);
    plant_deinit(&plant);
}

static void values_without_a_number_may_be_known_by_their_content(void **state)
{
    struct plant plant;
    plant_init(&plant, *state, "content");
    plant.conf.payload_ids = true;
    start_source(&plant);
    await_up(&plant, 1);
    publish(&plant, "factory/SEA/a", "[{\"v\":1},{\"v\":1},{\"v\":2}]");
    publish(&plant, "factory/SEA/a", "{\"v\":1}");
    publish(&plant, "factory/SEA/b", "{\"v\":1}");
    await_messages(&plant, 3);
    assert_int_equal(figures(&plant).events, 3);
    plant_deinit(&plant);
}

static void what_is_no_event_goes_to_the_stream_of_refused_messages(void **state)
{
    struct plant plant;
    plant_init(&plant, *state, "wrong");
    start_source(&plant);
    await_up(&plant, 1);
    publish(&plant, "factory/SEA/a", "no \"JSON\"");
    publish(&plant, "factory/SEA/a", "");
    publish(&plant, "factory/SEA/a", "[{\"v\":1,\"n\":1},");
    publish(&plant, "factory/SEA/a", "{\"v\":2,\"n\":2}");
    await_messages(&plant, 4);
    assert_int_equal(figures(&plant).refused, 3);
    GM_AUTO_FREE char *stored = stored_z(plant.stream);
    assert_non_null(strstr(stored, "{\"v\":2,\"n\":2}"));
    GM_AUTO_FREE char *refused = stored_z(plant.refused);
    assert_non_null(strstr(refused, "factory/SEA/a//0 {\"topic\":\"factory/SEA/a\",\"reason\":\""));
    assert_non_null(strstr(refused, "\"payload\":\"no \\\"JSON\\\"\"}"));
    plant_deinit(&plant);
}

static void nothing_is_lost_while_the_source_or_the_broker_is_away(void **state)
{
    struct plant plant;
    struct gm_err err = {0};
    const struct gm_deadline deadline = gm_deadline_in(30 * GM_SECOND, NULL);
    plant_init(&plant, *state, "away");
    start_source(&plant);
    await_up(&plant, 1);
    publish(&plant, "factory/SEA/a", "{\"n\":1}");
    await_messages(&plant, 1);
    gm_mqtt_source_stop(plant.source);
    publish(&plant, "factory/SEA/a", "{\"n\":2}");
    start_source(&plant);
    await_messages(&plant, 1);
    broker_halt(broker);
    broker_resume(broker);
    check_ok(gm_mqtt_connect(plant.speaker, &deadline, NULL, &err), err);
    publish(&plant, "factory/SEA/a", "{\"n\":3}");
    await_messages(&plant, 2);
    GM_AUTO_FREE char *text_z = stored_z(plant.stream);
    assert_string_equal(text_z, "a/SEA-a/1 {\"n\":1}\na/SEA-a/2 {\"n\":2}\na/SEA-a/3 {\"n\":3}\n");
    plant_deinit(&plant);
}

static void connections_that_share_take_everything_once(void **state)
{
    enum { MESSAGES = 2000 };
    struct plant plant;
    struct gm_err err = {0};
    const struct gm_deadline deadline = gm_deadline_in(60 * GM_SECOND, NULL);
    plant_init(&plant, *state, "many");
    plant.conf.connections = 3;
    plant.conf.share = "crew";
    start_source(&plant);
    await_up(&plant, 3);
    for (int i = 0; i < MESSAGES; i++) {
        GM_AUTO_FREE char *topic_z = gm_format_z("factory/SEA/s%d", i % 50);
        GM_AUTO_FREE char *payload_z = gm_format_z("{\"n\":%d}", i / 50 + 1);
        check_ok(gm_mqtt_publish(plant.speaker, topic_z, gm_str_z(payload_z), 1, &err), err);
    }
    while (gm_mqtt_unconfirmed(plant.speaker) > 0) {
        check_ok(gm_mqtt_exchange(plant.speaker, &deadline, &err), err);
    }
    await_messages(&plant, MESSAGES);
    assert_int_equal(figures(&plant).events, MESSAGES);
    plant_deinit(&plant);
}

static void version_3_1_1_is_spoken_too(void **state)
{

    struct plant plant;
    plant_init(&plant, *state, "old");
    plant.conf.version = GM_MQTT_VERSION_311;
    start_source(&plant);
    await_up(&plant, 1);
    publish(&plant, "factory/SEA/a", "{\"n\":1}");
    await_messages(&plant, 1);
    assert_int_equal(figures(&plant).events, 1);
    plant_deinit(&plant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(messages_become_events_with_what_their_topic_says,
                                        tmp_setup, tmp_teardown),
        cmocka_unit_test_setup_teardown(what_is_delivered_again_counts_once, tmp_setup,
                                        tmp_teardown),
        cmocka_unit_test_setup_teardown(values_without_a_number_may_be_known_by_their_content,
                                        tmp_setup, tmp_teardown),
        cmocka_unit_test_setup_teardown(what_is_no_event_goes_to_the_stream_of_refused_messages,
                                        tmp_setup, tmp_teardown),
        cmocka_unit_test_setup_teardown(nothing_is_lost_while_the_source_or_the_broker_is_away,
                                        tmp_setup, tmp_teardown),
        cmocka_unit_test_setup_teardown(connections_that_share_take_everything_once, tmp_setup,
                                        tmp_teardown),
        cmocka_unit_test_setup_teardown(version_3_1_1_is_spoken_too, tmp_setup, tmp_teardown),
    };
    broker = broker_start(&(struct broker_options){0});
    if (broker == NULL) {
        (void)puts("skipped: mosquitto is not installed");
        return BROKER_SKIPPED;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    broker_stop(broker);
    return failed;
}
