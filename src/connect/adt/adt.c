/* The sink `adt`: its settings and its life. */
#include "connect/adt/adt.h"

#include "base/mem.h"
#include "connect/adt/sink.h"

static const char *const others_names[] = {"keep", "remove", NULL};

static const struct gm_field rate_fields[] = {
    GM_FIELD_DOUBLE(struct adt_rate_conf, patches, .def = "1000", .min = "0", .max = "1000000",
                    .help = "Updates of twins and relationships a second."),
    GM_FIELD_DOUBLE(struct adt_rate_conf, creates, .def = "500", .min = "0", .max = "1000000",
                    .help = "Creations and deletions a second."),
    GM_FIELD_DOUBLE(struct adt_rate_conf, reads, .def = "1000", .min = "0", .max = "1000000",
                    .help = "Reads a second: of what is in doubt, and for `gemel verify`."),
    GM_FIELD_DOUBLE(struct adt_rate_conf, per_twin, .def = "10", .min = "0", .max = "1000000",
                    .help = "Writes a second on one twin and the relationships that go out from "
                            "it."),
    GM_FIELD_DOUBLE(struct adt_rate_conf, models, .def = "100", .min = "0", .max = "1000000",
                    .help = "Calls about models a second."),
    GM_FIELD_END,
};

static const struct gm_field adt_fields[] = {
    GM_FIELD_STR(struct adt_conf, url, .flags = GM_F_REQUIRED,
                 .example = "https://plant.api.weu.digitaltwins.azure.net",
                 .help = "Address of the service."),
    GM_FIELD_CHOICE(struct adt_conf, auth, .alternatives = gm_credential_alternatives,
                    .example = "{ token: { value: \"${env:TWINS_TOKEN}\" } }",
                    .help = "Who Gemel is to the service."),
    GM_FIELD_BOOL(struct adt_conf, upload_models, .def = "false",
                  .help = "`true` uploads the models that the service does not have, before "
                          "anything else is sent in a run."),
    GM_FIELD_STRUCT(struct adt_conf, rate, .fields = rate_fields,
                    .help = "The budget: what the service publishes as its limits, which are the "
                            "defaults. Pipelines with the same `url` share it; where they differ "
                            "the lowest holds. 0: no limit."),
    GM_FIELD_ENUM(struct adt_conf, other_relationships, .names = others_names, .def = "keep",
                  .help = "Relationships that Gemel did not make and that hinder the deletion of a "
                          "twin: `keep` leaves them, and the twin, and says so; `remove` deletes "
                          "them."),
    GM_FIELD_INT(struct adt_conf, concurrency, .def = "32", .min = "1", .max = "256",
                 .help = "The most requests at a time. As many are used as latency and refusals "
                         "suggest."),
    GM_FIELD_SPAN(struct adt_conf, timeout, .def = "30s", .min = "100ms", .max = "10m",
                  .help = "Longest time one request may take."),
    GM_FIELD_SPAN(struct adt_conf, patience, .def = "2m", .min = "1s",
                  .help = "How long a run goes on while the service refuses everything; then it "
                          "is tried again later, as `retry` says."),
    GM_FIELD_PATH(struct adt_conf, ca_file, .example = "ca.pem",
                  .help = "Who signs the service's certificate (PEM), as that of another Gemel; "
                          "the system's authorities without it."),
    GM_FIELD_STR(struct adt_conf, api_version, .flags = GM_F_ADVANCED, .def = "2023-10-31",
                 .help = "The version of the API that is spoken."),
    GM_FIELD_END,
};

static void adt_lint(struct gm_conf_doc *doc, const struct gm_node *node, const void *conf)
{
    const struct adt_conf *adt = conf;
    const struct gm_node *url = gm_node_member(node, GM_STR("url"));
    struct gm_str text = gm_str_z(adt->url);
    bool https = gm_str_starts(text, GM_STR("https://"));
    bool http = gm_str_starts(text, GM_STR("http://"));
    if (adt->url != NULL && !https && !http) {
        gm_conf_error(doc, url != NULL ? &url->place : &node->place,
                      "`url`: \"%s\" is no address; write https://HOST", adt->url);
    }
    if (http && adt->auth.alternative != NULL && !gm_str_starts(text, GM_STR("http://127.")) &&
        !gm_str_starts(text, GM_STR("http://localhost")) &&
        !gm_str_starts(text, GM_STR("http://[::1]"))) {
        gm_conf_error(doc, url != NULL ? &url->place : &node->place,
                      "`url`: credentials are not sent over plain HTTP; write https://…");
    }
}

/* ---- life ---- */

static char *bare_url_z(const char *url_z)
{
    struct gm_str url = gm_str_z(url_z);
    while (url.n > 0 && url.p[url.n - 1] == '/') {
        url.n--;
    }
    return gm_str_dup_z(url);
}

static void adt_close(void *self)
{
    struct adt_sink *sink = self;
    gm_exchange_free(sink->exchange);
    gm_governor_leave(sink->governor);
    gm_credential_free(sink->credential);
    gm_arena_free(sink->arena);
    gm_buf_deinit(&sink->text);
    gm_vec_deinit(&sink->things);
    gm_map_free(sink->by_id);
    gm_map_free(sink->tried);
    gm_map_free(sink->fetched);
    gm_free(sink->after_end_z);
    gm_free(sink->after_id_z);
    gm_free(sink->url_z);
    gm_free(sink);
}

static gm_rc adt_open(const void *conf, const struct gm_sink_env *env, void **out_self,
                      struct gm_err *err)
{
    (void)err;
    struct adt_sink *sink = gm_alloc(sizeof(*sink));
    sink->conf = conf;
    sink->preparer.env = *env;
    sink->url_z = bare_url_z(sink->conf->url);
    sink->target = (int64_t)(gm_hash64(gm_str_z(sink->url_z), 0) >> 1);
    sink->arena = gm_arena_new(ADT_ARENA_SIZE);
    sink->by_id = gm_map_new();
    sink->tried = gm_map_new();
    sink->fetched = gm_map_new();
    gm_buf_init(&sink->text, (size_t)4 * GM_RECORD_SIZE_MAX);
    const struct adt_rate_conf *rate = &sink->conf->rate;
    struct gm_rate_limits limits = {.per_second = {[ADT_READ] = rate->reads,
                                                   [ADT_PATCH] = rate->patches,
                                                   [ADT_CREATE] = rate->creates,
                                                   [ADT_MODELS] = rate->models},
                                    .per_object = rate->per_twin};
    sink->governor = gm_governors_join(env->governors, gm_str_z(sink->url_z), &limits);
    sink->credential = gm_credential_new(&sink->conf->auth, env->clock);
    sink->exchange = gm_exchange_new(
        &(struct gm_exchange_options){.url_z = sink->url_z,
                                      .ca_file_z = sink->conf->ca_file,
                                      .timeout = sink->conf->timeout,
                                      .patience = sink->conf->patience,
                                      .concurrency_max = (size_t)sink->conf->concurrency,
                                      .clock = env->clock,
                                      .credential = sink->credential,
                                      .governor = sink->governor});
    *out_self = sink;
    return GM_OK;
}

static gm_rc adt_prepare(void *self, struct gm_batch *batch, struct gm_err *err)
{
    struct adt_sink *sink = self;
    return gm_twin_items_prepare(&sink->preparer, batch, err);
}

static gm_rc adt_expect(void *self, struct gm_batch *batch, const struct gm_record *record,
                        struct gm_buf *out, struct gm_err *err)
{
    (void)err;
    struct adt_sink *sink = self;
    gm_twin_text_item(&sink->preparer.env, batch, record, out);
    return GM_OK;
}

static const struct gm_outside adt_outside = {
    .look = adt_look,
    .look_removals = adt_look_removals,
    .intend = adt_intend,
    .send = adt_send,
    .keep = adt_keep,
    .fetch = adt_fetch,
};

const struct gm_connector gm_connector_adt = {
    .name_z = "adt",
    .self = &gm_connector_adt,
    .help_z =
        "Twins and relationships of a service that speaks the Azure Digital Twins data-plane API: "
        "Azure's, or another Gemel. Records have the form that the sink `twins` takes.\n\n"
        "Gemel remembers what it delivered, so an update is one `PATCH` of what changed, and a "
        "record that changes nothing costs no request. Twins that are there already are taken "
        "over: what a pipeline did not create it does not touch but for the properties that it "
        "maps, and does not delete. A relationship whose other end is missing waits for it. "
        "Requests keep to the budget in `rate`; when the service refuses (429), everybody who "
        "uses it waits as long as it says.",
    .example_z = "adt:\n"
                 "  url: https://plant.api.weu.digitaltwins.azure.net\n"
                 "  auth:\n"
                 "    client_credentials:\n"
                 "      token_url: https://login.microsoftonline.com/TENANT/oauth2/v2.0/token\n"
                 "      client_id: 0f3c0f8e-5c0b-4c38-9e0a-9d8e0f1f2a11\n"
                 "      client_secret: \"${env:TWINS_SECRET}\"\n",
    .roles = GM_ROLE_SINK,
    .fields = adt_fields,
    .conf_size = sizeof(struct adt_conf),
    .lint = adt_lint,
    .sink_open = adt_open,
    .prepare = adt_prepare,
    .expect = adt_expect,
    .actual = adt_actual,
    .sink_close = adt_close,
    .outside = &adt_outside,
};
