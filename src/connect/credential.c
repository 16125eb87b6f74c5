#include "connect/credential.h"

#include "base/coding.h"
#include "base/mem.h"
#include "base/num.h"
#include "net/http.h"
#include "json/json.h"

enum { ANSWER_ARENA_SIZE = 1 << 20, FORM_SIZE_MAX = 64 << 10 };
#define TIMEOUT (30 * GM_SECOND)
#define MARGIN_LONGEST (5 * GM_MINUTE)
#define LIFE_UNKNOWN (10 * GM_MINUTE) /* of a token whose issuer does not say */

struct token_conf {
    const char *value;
};
struct client_conf {
    const char *token_url;
    const char *client_id;
    const char *client_secret;
    const char *scope;
    const char *ca_file;
};
struct identity_conf {
    const char *endpoint;
    const char *client_id;
    const char *resource;
};

static const struct gm_field token_fields[] = {
    GM_FIELD_SECRET(struct token_conf, value, .flags = GM_F_REQUIRED,
                    .example = "\"${env:TWINS_TOKEN}\"", .help = "The bearer token."),
    GM_FIELD_END,
};
static const struct gm_field client_fields[] = {
    GM_FIELD_STR(struct client_conf, token_url, .flags = GM_F_REQUIRED,
                 .example = "https://login.microsoftonline.com/TENANT/oauth2/v2.0/token",
                 .help = "Where tokens are issued."),
    GM_FIELD_STR(struct client_conf, client_id, .flags = GM_F_REQUIRED,
                 .example = "0f3c0f8e-5c0b-4c38-9e0a-9d8e0f1f2a11",
                 .help = "The application that Gemel is to the issuer."),
    GM_FIELD_SECRET(struct client_conf, client_secret, .flags = GM_F_REQUIRED,
                    .example = "\"${file:secrets/twins}\"", .help = "Its secret."),
    GM_FIELD_STR(struct client_conf, scope, .def = "https://digitaltwins.azure.net/.default",
                 .help = "What the token is for."),
    GM_FIELD_PATH(struct client_conf, ca_file, .flags = GM_F_ADVANCED, .example = "ca.pem",
                  .help = "Who signs the issuer's certificate (PEM); the system's authorities "
                          "without it."),
    GM_FIELD_END,
};
static const struct gm_field identity_fields[] = {
    GM_FIELD_STR(struct identity_conf, endpoint,
                 .def = "http://169.254.169.254/metadata/identity/oauth2/token",
                 .help = "The machine's token endpoint."),
    GM_FIELD_STR(struct identity_conf, client_id, .example = "0f3c0f8e-5c0b-4c38-9e0a-9d8e0f1f2a11",
                 .help = "Which of the machine's identities, when it has several."),
    GM_FIELD_STR(struct identity_conf, resource, .def = "https://digitaltwins.azure.net",
                 .help = "What the token is for."),
    GM_FIELD_END,
};

enum kind { KIND_NONE, KIND_TOKEN, KIND_CLIENT, KIND_IDENTITY };

static const struct gm_alternative token_alternative = {
    .name_z = "token",
    .help_z = "A token that does not change, as that of another Gemel.",
    .fields = token_fields,
    .conf_size = sizeof(struct token_conf),
};
static const struct gm_alternative client_alternative = {
    .name_z = "client_credentials",
    .help_z = "OAuth 2 client credentials: a token is asked for with a secret, and again before "
              "it expires.",
    .fields = client_fields,
    .conf_size = sizeof(struct client_conf),
};
static const struct gm_alternative identity_alternative = {
    .name_z = "managed_identity",
    .help_z = "The identity that the cloud gives to this machine.",
    .fields = identity_fields,
    .conf_size = sizeof(struct identity_conf),
};
static const struct gm_alternative *const alternatives[] = {
    &token_alternative,
    &client_alternative,
    &identity_alternative,
    NULL,
};

const struct gm_alternative *const *gm_credential_alternatives(void)
{
    return alternatives;
}

struct gm_credential {
    enum kind kind;
    const void *conf;
    const struct gm_clock *clock;
    char *header_z;
    gm_ns good_until; /* monotonic; 0: no token */
    uint64_t generation;
};

struct gm_credential *gm_credential_new(const struct gm_conf_choice *choice,
                                        const struct gm_clock *clock)
{
    struct gm_credential *credential = gm_alloc(sizeof(*credential));
    const struct gm_alternative *chosen = choice->alternative;
    credential->kind = chosen == &token_alternative      ? KIND_TOKEN
                       : chosen == &client_alternative   ? KIND_CLIENT
                       : chosen == &identity_alternative ? KIND_IDENTITY
                                                         : KIND_NONE;
    credential->conf = choice->conf;
    credential->clock = clock;
    if (credential->kind == KIND_TOKEN) {
        const struct token_conf *conf = choice->conf;
        credential->header_z = gm_format_z("Bearer %s", conf->value);
    }
    return credential;
}

static void forget(struct gm_credential *credential)
{
    if (credential->header_z != NULL) { /* it may be swapped out, or be in a core dump */
        memset(credential->header_z, 0, strlen(credential->header_z));
    }
    gm_free(credential->header_z);
    credential->header_z = NULL;
    credential->good_until = 0;
}

void gm_credential_free(struct gm_credential *credential)
{
    if (credential != NULL) {
        forget(credential);
        gm_free(credential);
    }
}

/* ---- asking for a token ---- */

static void add_parameter(struct gm_buf *form, const char *name_z, const char *value_z)
{
    if (value_z != NULL) {
        gm_buf_addf(form, "%s%s=", form->n > 0 ? "&" : "", name_z);
        gm_percent_add(form, gm_str_z(value_z));
    }
}

/* A number, or a text that is one: issuers differ. */
static bool seconds_of(const yyjson_mut_val *answer, const char *name_z, int64_t *out_seconds)
{
    const yyjson_mut_val *value = gm_json_member(answer, gm_str_z(name_z));
    if (gm_json_type(value) == YYJSON_TYPE_NUM) {
        *out_seconds = (int64_t)yyjson_mut_get_num((yyjson_mut_val *)(uintptr_t)value);
        return true;
    }
    return gm_parse_i64(gm_json_str(value), out_seconds);
}

static gm_rc take_token(struct gm_credential *credential, const yyjson_mut_val *answer,
                        const char *url_z, struct gm_err *err)
{
    struct gm_str token = gm_json_member_str(answer, "access_token");
    int64_t seconds = 0;
    if (token.n == 0) {
        return gm_fail(err, GM_E_CONFIG, "%s: the answer has no `access_token`", url_z);
    }
    gm_ns life = LIFE_UNKNOWN;
    if (seconds_of(answer, "expires_in", &seconds) && seconds > 0 && seconds < INT32_MAX) {
        life = seconds * GM_SECOND;
    }
    gm_ns margin = life / 10 < MARGIN_LONGEST ? life / 10 : MARGIN_LONGEST;
    forget(credential);
    credential->generation++;
    credential->header_z = gm_format_z("Bearer " GM_STR_FMT, GM_STR_ARG(token));
    credential->good_until = credential->clock->mono(credential->clock) + life - margin;
    return GM_OK;
}

/* The issuer's own words are about the client, not about its secret. */
static gm_rc refused(const struct gm_http_answer *answer, const yyjson_mut_val *json,
                     const char *url_z, struct gm_err *err)
{
    bool again = answer->status == 408 || answer->status == 429 || answer->status >= 500;
    struct gm_str code = gm_json_member_str(json, "error");
    struct gm_str text = gm_json_member_str(json, "error_description");
    text.n = text.n < 200 ? text.n : 200;
    return gm_fail(err, again ? GM_E_RETRY : GM_E_CONFIG,
                   "%s: no token: answered %ld " GM_STR_FMT " " GM_STR_FMT, url_z, answer->status,
                   GM_STR_ARG(code), GM_STR_ARG(text));
}

static gm_rc ask(struct gm_credential *credential, const struct gm_http_request *request,
                 const char *url_z, struct gm_err *err)
{
    struct gm_http_answer answer;
    GM_TRY(gm_http_send(request, &answer, err));
    struct gm_arena *arena = gm_arena_new(ANSWER_ARENA_SIZE);
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    yyjson_mut_val *json = NULL;
    struct gm_err own;
    gm_rc rc = gm_json_parse(doc, gm_buf_str(&answer.body), &json, &own);
    if (answer.status != 200) {
        rc = refused(&answer, json, url_z, err);
    } else if (rc != GM_OK) {
        rc = gm_fail(err, GM_E_CONFIG, "%s: the answer is no JSON", url_z);
    } else {
        rc = take_token(credential, json, url_z, err);
    }
    gm_arena_free(arena);
    if (answer.body.p != NULL) {
        memset(answer.body.p, 0, answer.body.n);
    }
    gm_http_answer_free(&answer);
    return rc;
}

static gm_rc ask_as_client(struct gm_credential *credential, const struct gm_stop *stop,
                           struct gm_err *err)
{
    const struct client_conf *conf = credential->conf;
    struct gm_buf form;
    gm_buf_init(&form, FORM_SIZE_MAX);
    add_parameter(&form, "grant_type", "client_credentials");
    add_parameter(&form, "client_id", conf->client_id);
    add_parameter(&form, "client_secret", conf->client_secret);
    add_parameter(&form, "scope", conf->scope);
    struct gm_http_request request = {.method_z = "POST",
                                      .url_z = conf->token_url,
                                      .content_type_z = "application/x-www-form-urlencoded",
                                      .body = gm_buf_str(&form),
                                      .ca_file_z = conf->ca_file,
                                      .timeout = TIMEOUT,
                                      .stop = stop};
    gm_rc rc = ask(credential, &request, conf->token_url, err);
    memset(form.p, 0, form.n);
    gm_buf_deinit(&form);
    return rc;
}

static gm_rc ask_as_machine(struct gm_credential *credential, const struct gm_stop *stop,
                            struct gm_err *err)
{
    const struct identity_conf *conf = credential->conf;
    struct gm_buf form;
    gm_buf_init(&form, FORM_SIZE_MAX);
    add_parameter(&form, "api-version", "2018-02-01");
    add_parameter(&form, "resource", conf->resource);
    add_parameter(&form, "client_id", conf->client_id);
    GM_AUTO_FREE char *url_z = gm_format_z("%s?%s", conf->endpoint, form.p);
    struct gm_http_header header = {"Metadata", "true"};
    struct gm_http_request request = {.method_z = "GET",
                                      .url_z = url_z,
                                      .headers = &header,
                                      .header_count = 1,
                                      .timeout = TIMEOUT,
                                      .stop = stop};
    gm_rc rc = ask(credential, &request, conf->endpoint, err);
    gm_buf_deinit(&form);
    return rc;
}

gm_rc gm_credential_header(struct gm_credential *credential, const struct gm_stop *stop,
                           const char **out_authorization_z, struct gm_err *err)
{
    bool fixed = credential->kind == KIND_NONE || credential->kind == KIND_TOKEN;
    if (!fixed && credential->good_until <= credential->clock->mono(credential->clock)) {
        GM_TRY(credential->kind == KIND_CLIENT ? ask_as_client(credential, stop, err)
                                               : ask_as_machine(credential, stop, err));
    }
    *out_authorization_z = credential->header_z;
    return GM_OK;
}

uint64_t gm_credential_generation(const struct gm_credential *credential)
{
    return credential->generation;
}

bool gm_credential_renew(struct gm_credential *credential, uint64_t generation)
{
    if (credential->kind == KIND_NONE || credential->kind == KIND_TOKEN) {
        return false;
    }
    if (generation == credential->generation) {
        credential->good_until = 0;
    }
    return true;
}
