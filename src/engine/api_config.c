#include "engine/api_config.h"

#include "auth/access.h"

static const struct gm_field tls_fields[] = {
    GM_FIELD_PATH(struct gm_api_tls_conf, certificate, .example = "/etc/gemel/server.pem",
                  .help = "PEM file with the server's certificate, followed by those that signed "
                          "it. Without one, a local certificate authority in the data directory "
                          "signs a certificate: see `gemel tls show`."),
    GM_FIELD_PATH(struct gm_api_tls_conf, key, .example = "/etc/gemel/server.key",
                  .help = "PEM file with the key of `certificate`, not encrypted."),
    GM_FIELD_BOOL(struct gm_api_tls_conf, off, .def = "false",
                  .help = "`true` serves plain HTTP. Only on a loopback address: tokens would be "
                          "readable on the way."),
    GM_FIELD_END,
};

static const struct gm_field tokens_fields[] = {
    GM_FIELD_BOOL(struct gm_api_tokens_conf, development, .def = "true",
                  .help = "Whether the token that `gemel token` prints is good. It may do "
                          "everything: turn it off where others can reach the server."),
    GM_FIELD_PATH(struct gm_api_tokens_conf, file, .example = "tokens.yaml",
                  .help = "File of tokens: name, role and SHA-256 of each. `gemel token new NAME` "
                          "makes an entry. Read again when it changes."),
    GM_FIELD_END,
};

static const struct gm_field role_fields[] = {
    GM_FIELD_STR(struct gm_api_role_conf, value, .flags = GM_F_REQUIRED, .example = "Twins.Write",
                 .help = "A value of the claim."),
    GM_FIELD_ENUM(struct gm_api_role_conf, role, .flags = GM_F_REQUIRED,
                  .names = gm_access_role_names, .help = "The role it gives."),
    GM_FIELD_END,
};

static const struct gm_field jwt_fields[] = {
    GM_FIELD_STR(struct gm_api_jwt_conf, jwks,
                 .example = "https://login.microsoftonline.com/TENANT/discovery/v2.0/keys",
                 .help =
                     "File or URL of the keys (JWKS) that sign tokens. Without it no JWT is good."),
    GM_FIELD_PATH(struct gm_api_jwt_conf, ca, .example = "company-ca.pem",
                  .help = "PEM file of the authorities that may sign the certificate of `jwks`, "
                          "where the system does not know them."),
    GM_FIELD_STR(struct gm_api_jwt_conf, issuer,
                 .example = "https://login.microsoftonline.com/TENANT/v2.0",
                 .help = "The `iss` that tokens must have."),
    GM_FIELD_STRS(struct gm_api_jwt_conf, audience,
                  .example = "[\"https://digitaltwins.azure.net\"]", .max = "16",
                  .help = "Values of `aud`, one of which a token must have."),
    GM_FIELD_STR(struct gm_api_jwt_conf, role_claim, .example = "roles",
                 .help = "The claim that holds roles: a list of texts, or one text with blanks "
                         "between them. Without it `roles`, else `scp`."),
    GM_FIELD_LIST(struct gm_api_jwt_conf, roles, .fields = role_fields,
                  .item_size = sizeof(struct gm_api_role_conf), .max = "64",
                  .example = "[{ value: Twins.Write, role: writer }]",
                  .help = "Which value of the claim gives which role. Without any, the values "
                          "`reader`, `writer` and `admin` do."),
    GM_FIELD_ENUM(struct gm_api_jwt_conf, default_role, .names = gm_access_role_names,
                  .def = "none", .help = "The role of a good token that carries none of these."),
    GM_FIELD_SPAN(struct gm_api_jwt_conf, skew, .def = "2m", .min = "0", .max = "1h",
                  .help = "By how much the clocks of issuer and server may differ."),
    GM_FIELD_END,
};

static const struct gm_field rate_fields[] = {
    GM_FIELD_DOUBLE(struct gm_api_rate_conf, per_second, .def = "0", .min = "0", .max = "1000000",
                    .help = "Requests per second of each token; `0` sets no limit. Beyond it the "
                            "answer is 429 with `Retry-After`."),
    GM_FIELD_DOUBLE(struct gm_api_rate_conf, burst, .def = "100", .min = "1", .max = "1000000",
                    .help = "Requests that may come at once."),
    GM_FIELD_END,
};

static const struct gm_field limits_fields[] = {
    GM_FIELD_SIZE(struct gm_api_limits_conf, twin_size, .def = "32KiB", .min = "1KiB",
                  .max = "16MiB", .help = "Bytes of one twin's or relationship's JSON."),
    GM_FIELD_SIZE(struct gm_api_limits_conf, request_size, .def = "1MiB", .min = "1KiB",
                  .max = "64MiB", .help = "Bytes of a request's body, but for models and events."),
    GM_FIELD_SIZE(struct gm_api_limits_conf, events_size, .def = "16MiB", .min = "1KiB",
                  .max = "64MiB", .help = "Bytes of a body of events, as it came and unpacked."),
    GM_FIELD_SIZE(struct gm_api_limits_conf, telemetry_size, .def = "32KiB", .min = "1KiB",
                  .max = "16MiB", .help = "Bytes of one telemetry message."),
    GM_FIELD_INT(struct gm_api_limits_conf, models, .def = "10000", .min = "1", .max = "1000000",
                 .help = "Models in all."),
    GM_FIELD_INT(struct gm_api_limits_conf, models_per_call, .def = "250", .min = "1",
                 .max = "10000", .help = "Models that one call may add."),
    GM_FIELD_SIZE(struct gm_api_limits_conf, model_size, .def = "1MiB", .min = "1KiB",
                  .max = "16MiB", .help = "Bytes of one model."),
    GM_FIELD_INT(struct gm_api_limits_conf, twins, .def = "0", .min = "0",
                 .help = "Twins in all; `0`: any number."),
    GM_FIELD_INT(struct gm_api_limits_conf, relationships, .def = "0", .min = "0",
                 .help = "Relationships in all; `0`: any number."),
    GM_FIELD_INT(struct gm_api_limits_conf, twin_relationships, .def = "50000", .min = "1",
                 .max = "10000000",
                 .help = "Relationships that leave one twin, and likewise those that reach it."),
    GM_FIELD_INT(struct gm_api_limits_conf, models_page, .def = "100", .min = "1", .max = "1000",
                 .help = "Models on a page, at most."),
    GM_FIELD_INT(struct gm_api_limits_conf, query_page, .def = "1000", .min = "1", .max = "10000",
                 .help = "Rows of a query, and relationships, on a page, at most."),
    GM_FIELD_INT(struct gm_api_limits_conf, query_length, .def = "8000", .min = "100",
                 .max = "1000000", .help = "Characters of a query."),
    GM_FIELD_INT(struct gm_api_limits_conf, query_conditions, .def = "50", .min = "1",
                 .max = "1000", .help = "`AND` and `OR` in a query."),
    GM_FIELD_INT(struct gm_api_limits_conf, query_in_items, .def = "50", .min = "1", .max = "10000",
                 .help = "Values of an `IN`."),
    GM_FIELD_INT(struct gm_api_limits_conf, query_joins, .def = "5", .min = "0", .max = "10",
                 .help = "`JOIN` in a query."),
    GM_FIELD_SPAN(struct gm_api_limits_conf, query_time, .def = "60s", .min = "100ms", .max = "1h",
                  .help = "How long a query may take."),
    GM_FIELD_SIZE(struct gm_api_limits_conf, query_memory, .def = "256MiB", .min = "1MiB",
                  .max = "64GiB", .help = "Memory that a query may take."),
    GM_FIELD_INT(struct gm_api_limits_conf, routes, .def = "6", .min = "1", .max = "1000",
                 .help = "Event routes."),
    GM_FIELD_INT(struct gm_api_limits_conf, connections, .def = "1024", .min = "1", .max = "100000",
                 .help = "Connections at a time; further ones are closed at once."),
    GM_FIELD_INT(struct gm_api_limits_conf, workers, .def = "16", .min = "1", .max = "256",
                 .help = "Queries and other long requests under way at a time."),
    GM_FIELD_END,
};

static const struct gm_field jobs_fields[] = {
    GM_FIELD_PATH(struct gm_api_jobs_conf, files, .example = "./exchange",
                  .help =
                      "The folder below which files of jobs (`file:` URLs) must be. Without it, "
                      "whoever may create jobs may name any file that this process can reach."),
    GM_FIELD_SPAN(struct gm_api_jobs_conf, keep, .def = "30d", .min = "1m",
                  .help = "How long jobs are kept after they ended."),
    GM_FIELD_END,
};

const struct gm_field gm_blob_fields[] = {
    GM_FIELD_STR(struct gm_blob_conf, url, .flags = GM_F_REQUIRED,
                 .example = "https://acct.blob.core.windows.net",
                 .help = "The account's address; of an emulator with the account's name in the "
                         "path: `http://127.0.0.1:10000/devstoreaccount1`."),
    GM_FIELD_STR(struct gm_blob_conf, account, .flags = GM_F_REQUIRED, .example = "acct",
                 .help = "The account's name."),
    GM_FIELD_SECRET(struct gm_blob_conf, key, .flags = GM_F_REQUIRED,
                    .example = "\"${env:STORAGE_KEY}\"",
                    .help = "One of the account's keys, in base64."),
    GM_FIELD_END,
};

const struct gm_field gm_api_fields[] = {
    GM_FIELD_BOOL(struct gm_api_conf, enabled, .def = "true",
                  .help = "Whether `gemel run` serves the twin API."),
    GM_FIELD_STR(struct gm_api_conf, listen, .def = "127.0.0.1:8443", .example = "0.0.0.0:8443",
                 .help = "Address of the twin API, `HOST:PORT`."),
    GM_FIELD_STRS(struct gm_api_conf, names, .example = "[twins.example.com, 10.0.0.7]",
                  .max = "32",
                  .help = "Host names and addresses by which clients reach it: the certificate of "
                          "the local authority is made out to them, to `localhost` and to the "
                          "machine's own name."),
    GM_FIELD_STRUCT(struct gm_api_conf, tls, .fields = tls_fields, .help = "Certificates."),
    GM_FIELD_STRUCT(struct gm_api_conf, tokens, .fields = tokens_fields,
                    .help = "Bearer tokens that Gemel knows itself."),
    GM_FIELD_STRUCT(struct gm_api_conf, jwt, .fields = jwt_fields,
                    .help = "Bearer tokens of an identity provider, such as Microsoft Entra ID."),
    GM_FIELD_STRUCT(struct gm_api_conf, rate_limit, .fields = rate_fields,
                    .help = "How fast one token may ask."),
    GM_FIELD_STRUCT(struct gm_api_conf, limits, .fields = limits_fields,
                    .help = "Bounds of what clients may ask for, by default those that the Azure "
                            "service has where a client may rely on them."),
    GM_FIELD_STRUCT(struct gm_api_conf, jobs, .fields = jobs_fields,
                    .help = "Import and deletion jobs."),
    GM_FIELD_END,
};

/* ---- checks across fields ---- */

static const struct gm_place *place_of(const struct gm_node *node, const char *const *path,
                                       size_t depth)
{
    static const struct gm_place nowhere = {"", 1, 1};
    const struct gm_place *place = node != NULL ? &node->place : &nowhere;
    for (size_t i = 0; i < depth && node != NULL; i++) {
        node = gm_node_member(node, gm_str_z(path[i]));
        place = node != NULL ? &node->place : place;
    }
    return place;
}

#define PLACE(node, ...)                                                                           \
    place_of(node, (const char *const[]){__VA_ARGS__},                                             \
             sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

/* HOST:PORT, or a host of a URL, which need not have a port. What begins with 127. may be a name:
 * all of an address is digits and dots. */
static bool is_loopback_host(struct gm_str address)
{
    struct gm_str host, port;
    if (gm_str_is(address, "[::1]") || gm_str_starts(address, GM_STR("[::1]:"))) {
        return true;
    }
    (void)gm_str_cut(address, ':', &host, &port);
    for (size_t i = 0; i < host.n; i++) {
        if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9')) {
            return gm_str_is(host, "localhost");
        }
    }
    return gm_str_starts(host, GM_STR("127."));
}

static void check_tls(struct gm_conf_doc *doc, const struct gm_node *node,
                      const struct gm_api_conf *conf)
{
    const struct gm_api_tls_conf *tls = &conf->tls;
    if ((tls->certificate == NULL) != (tls->key == NULL)) {
        gm_conf_error(doc, PLACE(node, "tls"),
                      "api.tls: `certificate` and `key` belong together; write both or neither");
    }
    if (tls->off && tls->certificate != NULL) {
        gm_conf_error(doc, PLACE(node, "tls", "off"),
                      "api.tls.off: there is a certificate; leave out one of the two");
    }
    if (tls->off && conf->listen != NULL && !is_loopback_host(gm_str_z(conf->listen))) {
        gm_conf_error(doc, PLACE(node, "tls", "off"),
                      "api.tls.off: `%s` is not a loopback address, and without TLS tokens could "
                      "be read on the way; remove `off`, or listen at 127.0.0.1:PORT",
                      conf->listen);
    }
}

static void check_jwt(struct gm_conf_doc *doc, const struct gm_node *node,
                      struct gm_api_jwt_conf *jwt)
{
    if (jwt->jwks == NULL) {
        if (jwt->issuer != NULL || jwt->audience.n > 0 || jwt->roles.n > 0) {
            gm_conf_error(doc, PLACE(node, "jwt"),
                          "api.jwt: without `jwks`, the file or URL of the keys, no token can be "
                          "checked");
        }
        return;
    }
    if (jwt->issuer == NULL || jwt->audience.n == 0) {
        gm_conf_error(doc, PLACE(node, "jwt"),
                      "api.jwt: `issuer` and `audience` are needed: else tokens that were meant "
                      "for another service would be good here");
    }
    struct gm_str jwks = gm_str_z(jwt->jwks), host;
    const struct gm_place *place = PLACE(node, "jwt", "jwks");
    if (gm_str_starts(jwks, GM_STR("https://"))) {
        return;
    }
    if (gm_str_starts(jwks, GM_STR("http://"))) {
        (void)gm_str_cut((struct gm_str){jwks.p + 7, jwks.n - 7}, '/', &host, &jwks);
        if (!is_loopback_host(host)) {
            gm_conf_error(doc, place,
                          "api.jwt.jwks: over plain HTTP anybody on the way could put in keys of "
                          "their own; write https://, or a file");
        }
        return;
    }
    jwt->jwks = gm_conf_resolve_path(doc, place->file_z, jwks);
}

void gm_api_conf_check(struct gm_conf_doc *doc, const struct gm_node *node,
                       struct gm_api_conf *conf)
{
    check_tls(doc, node, conf);
    check_jwt(doc, node, &conf->jwt);
    if (!conf->tokens.development && conf->tokens.file == NULL && conf->jwt.jwks == NULL &&
        conf->enabled) {
        gm_conf_error(doc, PLACE(node, "tokens"),
                      "api.tokens: nobody could use the API; write a token file, `jwt`, or "
                      "`development: true`");
    }
}
