/* Every endpoint, by name. */
#include "connect/endpoint.h"

const struct gm_field gm_endpoint_retry_fields[] = {
    GM_FIELD_INT(struct gm_endpoint_conf, attempts, .def = "0", .min = "0", .max = "1000000",
                 .help = "After how many attempts an event becomes a dead letter; `0`: any number. "
                         "One that the endpoint refuses (400, 413, 415, 422) does after three."),
    GM_FIELD_SPAN(struct gm_endpoint_conf, give_up, .def = "24h",
                  .help = "After what time of trying an event becomes a dead letter; `0`: never."),
    GM_FIELD_SPAN(struct gm_endpoint_conf, first, .def = "1s", .min = "1ms",
                  .help = "The pause before the second attempt; it doubles with each, with jitter. "
                          "`Retry-After` of the endpoint is kept to."),
    GM_FIELD_SPAN(struct gm_endpoint_conf, longest, .def = "5m", .min = "1ms",
                  .help = "The longest pause."),
    GM_FIELD_INT(struct gm_endpoint_conf, max_letters, .def = "10000", .min = "1",
                 .max = "10000000",
                 .help = "The most dead letters a route may have. At that many it waits, until "
                         "they are redriven or dropped."),
    GM_FIELD_END,
};

static const struct gm_alternative *const endpoints[] = {
    &gm_endpoint_webhook.alternative,
    &gm_endpoint_file.alternative,
    &gm_endpoint_stream.alternative,
    NULL,
};

const struct gm_alternative *const *gm_endpoint_alternatives(void)
{
    return endpoints;
}
