/* Readings to an MQTT broker, a message each or a machine's few together. See sample_out.h.
 *
 * Topics: factory/SEA/line/SEA-L07/machine/10001/sensor/10001-T, and without the sensor when a
 * message has several readings. Sessions are not clean: after a lost connection the library sends
 * what had no answer once more. */
#include <stdio.h>

#include "base/mem.h"
#include "cli/sample_out.h"
#include "net/mqtt.h"

enum {
    /* messages without an answer, a connection: at each answer the library walks over them */
    SEND_MAX = 500,
    EXCHANGE_EVERY = 100, /* messages */
    TOPIC_SIZE = 200,
    PACK_MAX = 100, /* readings in a message */
};
static const gm_ns CONNECT_TIMEOUT = 10 * GM_SECOND;
static const gm_ns PAUSE = 200 * GM_MS;

struct link {
    struct gm_mqtt *mqtt;
    bool connected;
    int64_t queued; /* since the last exchange */
    struct gm_buf pack;
    int64_t pack_count;
    uint32_t pack_sensor; /* the first */
    char client_id[40];
};

struct mqtt_way {
    struct link *links;
    struct gm_stop *none; /* when the caller has no way to stop */
};

static struct gm_deadline deadline_in(const struct gm_load_out *out, gm_ns span)
{
    return gm_deadline_in(span, out->options.stop);
}

static gm_rc connect_link(struct gm_load_out *out, struct link *link, struct gm_err *err)
{
    const struct gm_deadline deadline = deadline_in(out, CONNECT_TIMEOUT);
    GM_TRY(gm_mqtt_connect(link->mqtt, &deadline, NULL, err));
    link->connected = true;
    return GM_OK;
}

/* After a loss: again and again, for as long as patience allows. */
static gm_rc reconnect(struct gm_load_out *out, struct link *link, struct gm_err *err)
{
    struct mqtt_way *way = out->own;
    const struct gm_deadline patience = deadline_in(out, out->options.patience);
    for (;;) {
        gm_rc rc = connect_link(out, link, err);
        if (rc != GM_E_RETRY || (out->options.patience > 0 && gm_deadline_passed(&patience))) {
            return rc;
        }
        out->figures.again++;
        (void)gm_stop_wait(way->none, PAUSE);
        if (out->options.stop != NULL && gm_stop_requested(out->options.stop)) {
            return GM_E_CANCELLED;
        }
    }
}

static gm_rc exchange(struct gm_load_out *out, struct link *link, gm_ns span, struct gm_err *err)
{
    const struct gm_deadline deadline = deadline_in(out, span);
    link->queued = 0;
    if (!link->connected) {
        GM_TRY(reconnect(out, link, err));
    }
    gm_rc rc = gm_mqtt_exchange(link->mqtt, &deadline, err);
    if (rc == GM_E_RETRY) {
        link->connected = false;
        return reconnect(out, link, err);
    }
    return rc;
}

static gm_rc open_mqtt(struct gm_load_out *out, struct gm_err *err)
{
    const struct gm_load_out_options *options = &out->options;
    struct mqtt_way *way = gm_alloc(sizeof(*way));
    out->own = way;
    way->none = gm_stop_new();
    way->links = gm_alloc_array((size_t)options->connections, sizeof(*way->links));
    if (options->batch > PACK_MAX) {
        return gm_fail(err, GM_E_CONFIG, "--batch: 1 to %d over MQTT", PACK_MAX);
    }
    for (int64_t i = 0; i < options->connections; i++) {
        struct link *link = &way->links[i];
        uint64_t chance = (uint64_t)gm_clock_wall_now();
        gm_buf_init(&link->pack, (size_t)(options->batch + 1) * GM_LOAD_LINE_SIZE_MAX);
        (void)snprintf(link->client_id, sizeof(link->client_id), "gemel-sample-%llx-%d",
                       (unsigned long long)chance, (int)i);
        const struct gm_mqtt_options to = {.url_z = options->to_z,
                                           .version5 = options->version5,
                                           .client_id_z = link->client_id,
                                           .user_z = options->user_z,
                                           .password_z = options->password_z,
                                           .ca_file_z = options->ca_file_z,
                                           .certificate_z = options->certificate_z,
                                           .key_z = options->key_z,
                                           .keepalive = GM_MINUTE,
                                           .session = 10 * GM_MINUTE,
                                           .receive_max = 20,
                                           .send_max = SEND_MAX};
        GM_TRY(gm_mqtt_new(&to, &link->mqtt, err));
        GM_TRY(connect_link(out, link, err));
    }
    return GM_OK;
}

static void write_topic(const struct gm_load_out *out, const struct link *link,
                        char topic[TOPIC_SIZE])
{
    const struct gm_load_sensor *sensor = gm_load_sensor(out->options.load, link->pack_sensor);
    struct gm_str factory, rest;
    gm_str_cut(gm_str_z(sensor->line_z), '-', &factory, &rest);
    (void)snprintf(topic, TOPIC_SIZE, "factory/" GM_STR_FMT "/line/%s/machine/%lld%s%s",
                   GM_STR_ARG(factory), sensor->line_z, (long long)sensor->machine,
                   out->options.batch == 1 ? "/sensor/" : "",
                   out->options.batch == 1 ? sensor->id_z : "");
}

static gm_rc send_pack(struct gm_load_out *out, struct link *link, struct gm_err *err)
{
    char topic[TOPIC_SIZE];
    if (link->pack_count == 0) {
        return GM_OK;
    }
    if (out->options.batch > 1) {
        gm_buf_add_char(&link->pack, ']');
    }
    write_topic(out, link, topic);
    const struct gm_deadline patience = deadline_in(out, out->options.patience);
    gm_rc rc;
    while ((rc = gm_mqtt_publish(link->mqtt, topic, gm_buf_str(&link->pack), (int)out->options.qos,
                                 err)) == GM_E_LIMIT) {
        if (out->options.patience > 0 && gm_deadline_passed(&patience)) {
            return gm_fail_within(err, "given up");
        }
        GM_TRY(exchange(out, link, 50 * GM_MS, err));
    }
    GM_TRY(rc);
    out->figures.requests++;
    gm_buf_reset(&link->pack);
    link->pack_count = 0;
    return ++link->queued >= EXCHANGE_EVERY ? exchange(out, link, 0, err) : GM_OK;
}

static gm_rc put_mqtt(struct gm_load_out *out, const struct gm_load_event *event,
                      struct gm_err *err)
{
    struct mqtt_way *way = out->own;
    const struct gm_load *load = out->options.load;
    const struct gm_load_sensor *sensor = gm_load_sensor(load, event->sensor);
    struct link *link = &way->links[sensor->gateway % (uint32_t)out->options.connections];
    if (link->pack_count > 0 &&
        gm_load_sensor(load, link->pack_sensor)->machine != sensor->machine) {
        GM_TRY(send_pack(out, link, err));
    }
    if (link->pack_count == 0) {
        link->pack_sensor = event->sensor;
    }
    if (out->options.batch > 1) {
        gm_buf_add_char(&link->pack, link->pack_count == 0 ? '[' : ',');
    }
    gm_load_write(out->options.load, event, &link->pack);
    link->pack_count++;
    return link->pack_count >= out->options.batch ? send_pack(out, link, err) : GM_OK;
}

static gm_rc flush_mqtt(struct gm_load_out *out, struct gm_err *err)
{
    struct mqtt_way *way = out->own;
    for (int64_t i = 0; i < out->options.connections; i++) {
        GM_TRY(send_pack(out, &way->links[i], err));
        GM_TRY(exchange(out, &way->links[i], 0, err));
    }
    return GM_OK;
}

static gm_rc finish_mqtt(struct gm_load_out *out, struct gm_err *err)
{
    struct mqtt_way *way = out->own;
    const struct gm_deadline patience = deadline_in(out, out->options.patience);
    GM_TRY(flush_mqtt(out, err));
    for (int64_t i = 0; i < out->options.connections; i++) {
        while (gm_mqtt_unconfirmed(way->links[i].mqtt) > 0) {
            if (gm_deadline_passed(&patience) && out->options.patience > 0) {
                return gm_fail(err, GM_E_RETRY, "%s: %zu messages were not confirmed",
                               out->options.to_z, gm_mqtt_unconfirmed(way->links[i].mqtt));
            }
            GM_TRY(exchange(out, &way->links[i], 50 * GM_MS, err));
        }
    }
    return GM_OK;
}

static void close_mqtt(struct gm_load_out *out)
{
    struct mqtt_way *way = out->own;
    for (int64_t i = 0; way->links != NULL && i < out->options.connections; i++) {
        gm_mqtt_free(way->links[i].mqtt);
        gm_buf_deinit(&way->links[i].pack);
    }
    gm_stop_free(way->none);
    gm_free(way->links);
    gm_free(way);
}

const struct gm_load_way gm_load_way_mqtt = {open_mqtt, put_mqtt, flush_mqtt, finish_mqtt,
                                             close_mqtt};
