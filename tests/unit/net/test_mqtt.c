#include <stdio.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/mqtt.h"
#include "support/broker.h"
#include "support/check.h"

static struct broker *broker;

/* A client that keeps what it hears, as text. */
struct hearer {
    struct gm_mqtt *mqtt;
    struct gm_buf heard; /* "topic=payload\n" */
    size_t stop_at;      /* messages; 0: takes all */
    size_t count;
};

static bool hear(void *ctx, const struct gm_mqtt_message *message)
{
    struct hearer *hearer = ctx;
    hearer->count++;
    gm_buf_addf(&hearer->heard, GM_STR_FMT "=" GM_STR_FMT "\n", GM_STR_ARG(message->topic),
                GM_STR_ARG(message->payload));
    return hearer->count != hearer->stop_at;
}

static struct gm_deadline soon(void)
{
    return gm_deadline_in(20 * GM_SECOND, NULL);
}

static struct gm_mqtt *connect_to(const char *id_z, bool version5, struct hearer *hearer)
{
    struct gm_err err = {0};
    struct gm_mqtt *mqtt;
    const struct gm_deadline deadline = soon();
    const struct gm_mqtt_options options = {.url_z = broker_url(broker),
                                            .version5 = version5,
                                            .client_id_z = id_z,
                                            .keepalive = GM_MINUTE,
                                            .session = GM_HOUR,
                                            .receive_max = 100,
                                            .send_max = 100,
                                            .message = hearer != NULL ? hear : NULL,
                                            .ctx = hearer};
    check_ok(gm_mqtt_new(&options, &mqtt, &err), err);
    check_ok(gm_mqtt_connect(mqtt, &deadline, NULL, &err), err);
    return mqtt;
}

static void subscribe(struct gm_mqtt *mqtt, const char *filter_z)
{
    struct gm_err err = {0};
    const struct gm_deadline deadline = soon();
    const struct gm_mqtt_subscription wanted = {&filter_z, 1, 1};
    check_ok(gm_mqtt_subscribe(mqtt, &wanted, &deadline, &err), err);
}

static void publish(struct gm_mqtt *mqtt, const char *topic_z, const char *payload_z)
{
    struct gm_err err = {0};
    const struct gm_deadline deadline = soon();
    check_ok(gm_mqtt_publish(mqtt, topic_z, gm_str_z(payload_z), 1, &err), err);
    while (gm_mqtt_unconfirmed(mqtt) > 0) {
        check_ok(gm_mqtt_exchange(mqtt, &deadline, &err), err);
    }
}

static void take(struct hearer *hearer, size_t count)
{
    struct gm_err err = {0};
    const struct gm_deadline deadline = soon();
    while (hearer->count < count) {
        size_t n;
        check_ok(gm_mqtt_take(hearer->mqtt, count, &deadline, &n, &err), err);
        assert_true(n > 0);
    }
}

static void settle(struct hearer *hearer)
{
    struct gm_err err = {0};
    const struct gm_deadline deadline = soon();
    check_ok(gm_mqtt_settle(hearer->mqtt, &deadline, &err), err);
}

static void hearer_init(struct hearer *hearer, const char *id_z, bool version5)
{
    *hearer = (struct hearer){0};
    gm_buf_init(&hearer->heard, 1 << 20);
    hearer->mqtt = connect_to(id_z, version5, hearer);
}

static void hearer_deinit(struct hearer *hearer)
{
    gm_mqtt_free(hearer->mqtt);
    gm_buf_deinit(&hearer->heard);
}

static void check_redelivery(bool version5)
{
    struct hearer first, second, third;
    struct gm_mqtt *speaker = connect_to("speaker", version5, NULL);
    GM_AUTO_FREE char *id_z = gm_format_z("redelivery-%d", version5);
    GM_AUTO_FREE char *topic_z = gm_format_z("redelivery/%d", version5);
    hearer_init(&first, id_z, version5);
    subscribe(first.mqtt, topic_z);
    publish(speaker, topic_z, "one");
    publish(speaker, topic_z, "two");
    take(&first, 2);
    hearer_deinit(&first); /* it heard both, and acknowledged neither */
    hearer_init(&second, id_z, version5);
    take(&second, 2);
    assert_non_null(strstr(second.heard.p, "=one\n"));
    assert_non_null(strstr(second.heard.p, "=two\n"));
    settle(&second);
    publish(speaker, topic_z, "three");
    take(&second, 3);
    hearer_deinit(&second);
    hearer_init(&third, id_z, version5);
    take(&third, 1);
    GM_AUTO_FREE char *wanted_z = gm_format_z("%s=three\n", topic_z);
    check_str(gm_buf_str(&third.heard), wanted_z); /* one and two are settled */
    settle(&third);
    hearer_deinit(&third);
    gm_mqtt_free(speaker);
}

static void what_was_taken_and_not_settled_comes_again(void **state)
{
    (void)state;
    check_redelivery(false);
    check_redelivery(true);
}

static void what_is_published_while_nobody_listens_waits_for_the_session(void **state)
{
    struct hearer hearer;
    (void)state;
    struct gm_mqtt *speaker = connect_to("speaker", true, NULL);
    hearer_init(&hearer, "absent", true);
    subscribe(hearer.mqtt, "absent/#");
    hearer_deinit(&hearer);
    publish(speaker, "absent/a", "1");
    hearer_init(&hearer, "absent", true);
    take(&hearer, 1);
    check_str(gm_buf_str(&hearer.heard), "absent/a=1\n");
    settle(&hearer);
    hearer_deinit(&hearer);
    gm_mqtt_free(speaker);
}

static void sessions_outlive_the_broker(void **state)
{
    struct hearer hearer;
    struct gm_err err = {0};
    const struct gm_deadline deadline = soon();
    size_t n;
    gm_rc rc;
    (void)state;
    struct gm_mqtt *speaker = connect_to("speaker", true, NULL);
    hearer_init(&hearer, "halted", true);
    subscribe(hearer.mqtt, "halted/#");
    publish(speaker, "halted/a", "1");
    take(&hearer, 1);
    broker_halt(broker);
    while ((rc = gm_mqtt_take(hearer.mqtt, 1, &deadline, &n, &err)) == GM_OK) {
        assert_false(gm_deadline_passed(&deadline));
    }
    check_rc(rc, GM_E_RETRY, err);
    broker_resume(broker);
    bool resumed = false;
    check_ok(gm_mqtt_connect(hearer.mqtt, &deadline, &resumed, &err), err);
    assert_true(resumed);
    take(&hearer, 2);
    check_str(gm_buf_str(&hearer.heard), "halted/a=1\nhalted/a=1\n");
    settle(&hearer);
    hearer_deinit(&hearer);
    gm_mqtt_free(speaker);
}

static void subscriptions_with_a_name_share_messages(void **state)
{
    struct hearer a, b;
    (void)state;
    struct gm_mqtt *speaker = connect_to("speaker", true, NULL);
    hearer_init(&a, "share-a", true);
    hearer_init(&b, "share-b", true);
    subscribe(a.mqtt, "$share/crew/shared/#");
    subscribe(b.mqtt, "$share/crew/shared/#");
    for (int i = 0; i < 10; i++) {
        publish(speaker, "shared/x", "1");
    }
    const struct gm_deadline deadline = soon();
    while (a.count + b.count < 10 && !gm_deadline_passed(&deadline)) {
        struct gm_err err = {0};
        const struct gm_deadline moment = gm_deadline_in(50 * GM_MS, NULL);
        size_t n;
        check_ok(gm_mqtt_take(a.mqtt, 10, &moment, &n, &err), err);
        check_ok(gm_mqtt_take(b.mqtt, 10, &moment, &n, &err), err);
    }
    assert_int_equal(a.count + b.count, 10);
    assert_true(a.count > 0 && b.count > 0);
    settle(&a);
    settle(&b);
    hearer_deinit(&a);
    hearer_deinit(&b);
    gm_mqtt_free(speaker);
}

static void a_broker_sends_no_more_than_may_be_unsettled(void **state)
{
    struct hearer hearer;
    struct gm_err err = {0};
    (void)state;
    struct gm_mqtt *speaker = connect_to("speaker", true, NULL);
    hearer_init(&hearer, "bounded", true);
    subscribe(hearer.mqtt, "bounded/#");
    for (int i = 0; i < 150; i++) {
        publish(speaker, "bounded/x", "1");
    }
    take(&hearer, 100);
    const struct gm_deadline moment = gm_deadline_in(200 * GM_MS, NULL);
    size_t n;
    check_ok(gm_mqtt_take(hearer.mqtt, 1000, &moment, &n, &err), err);
    assert_int_equal(n, 0);
    settle(&hearer);
    take(&hearer, 150);
    settle(&hearer);
    hearer_deinit(&hearer);
    gm_mqtt_free(speaker);
}

static void an_owner_that_has_enough_is_given_no_more(void **state)
{
    struct hearer hearer;
    struct gm_err err = {0};
    (void)state;
    struct gm_mqtt *speaker = connect_to("speaker", false, NULL);
    hearer_init(&hearer, "enough", false);
    subscribe(hearer.mqtt, "enough");
    for (int i = 0; i < 20; i++) {
        publish(speaker, "enough", "1");
    }
    hearer.stop_at = 5;
    const struct gm_deadline deadline = soon();
    size_t n;
    while (hearer.count < 5) {
        check_ok(gm_mqtt_take(hearer.mqtt, 1000, &deadline, &n, &err), err);
    }
    assert_int_equal(hearer.count, 5);
    settle(&hearer);
    take(&hearer, 20);
    settle(&hearer);
    hearer_deinit(&hearer);
    gm_mqtt_free(speaker);
}

static void addresses_are_checked(void **state)
{
    static const char *const wrong[] = {"localhost",  "http://a",   "mqtt:a",
                                        "mqtt://",    "mqtt://a:0", "mqtt://a:x",
                                        "mqtt://a/b", "mqtt://u@a", "mqtts://:1"};
    struct gm_err err = {0};
    (void)state;
    check_ok(gm_mqtt_url_check("mqtt://broker", &err), err);
    check_ok(gm_mqtt_url_check("mqtts://broker:1/", &err), err);
    check_ok(gm_mqtt_url_check("mqtt://[::1]:1883", &err), err);
    for (size_t i = 0; i < GM_ARRAY_COUNT(wrong); i++) {
        check_rc(gm_mqtt_url_check(wrong[i], &err), GM_E_CONFIG, err);
        check_err_says(err, wrong[i]);
    }
}

static void who_is_refused_learns_why(void **state)
{
    struct gm_err err = {0};
    struct gm_mqtt *mqtt;
    const struct gm_deadline deadline = soon();
    (void)state;
    struct broker *strict =
        broker_start(&(struct broker_options){.settings_z = "allow_anonymous false"});
    for (int version5 = 0; version5 < 2; version5++) {
        const struct gm_mqtt_options options = {.url_z = broker_url(strict),
                                                .version5 = version5,
                                                .user_z = "me",
                                                .password_z = "wrong",
                                                .keepalive = GM_MINUTE,
                                                .receive_max = 20,
                                                .send_max = 20};
        check_ok(gm_mqtt_new(&options, &mqtt, &err), err);
        check_rc(gm_mqtt_connect(mqtt, &deadline, NULL, &err), GM_E_CONFIG, err);
        check_err_says(err, "ot authori");
        gm_mqtt_free(mqtt);
    }
    broker_stop(strict);
}

static void a_broker_that_is_not_there_may_come_back(void **state)
{
    struct gm_err err = {0};
    struct gm_mqtt *mqtt;
    const struct gm_deadline deadline = soon();
    (void)state;
    broker_halt(broker);
    const struct gm_mqtt_options options = {
        .url_z = broker_url(broker), .keepalive = GM_MINUTE, .receive_max = 20, .send_max = 20};
    check_ok(gm_mqtt_new(&options, &mqtt, &err), err);
    check_rc(gm_mqtt_connect(mqtt, &deadline, NULL, &err), GM_E_RETRY, err);
    broker_resume(broker);
    check_ok(gm_mqtt_connect(mqtt, &deadline, NULL, &err), err);
    gm_mqtt_free(mqtt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_taken_and_not_settled_comes_again),
        cmocka_unit_test(what_is_published_while_nobody_listens_waits_for_the_session),
        cmocka_unit_test(sessions_outlive_the_broker),
        cmocka_unit_test(subscriptions_with_a_name_share_messages),
        cmocka_unit_test(a_broker_sends_no_more_than_may_be_unsettled),
        cmocka_unit_test(an_owner_that_has_enough_is_given_no_more),
        cmocka_unit_test(addresses_are_checked),
        cmocka_unit_test(who_is_refused_learns_why),
        cmocka_unit_test(a_broker_that_is_not_there_may_come_back),
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
