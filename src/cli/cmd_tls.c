/* gemel tls: the local certificate authority and the server's certificate. */
#include <stdio.h>

#include "auth/tls.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "os/file.h"
#include "json/json.h"

enum { PEM_SIZE_MAX = 1 << 20 };

/* What the configuration has to say, and where things are. */
struct place {
    const struct gm_api_conf *conf; /* NULL: --data was given, and no configuration is needed */
    char *folder_z;
    char *authority_z; /* NULL: the user's own certificate */
    char *certificate_z;
};

static gm_rc find_place(struct gm_args *args, struct place *place, struct gm_err *err)
{
    const char *data_z;
    const struct gm_config *config;
    GM_TRY(gm_args_data(args, &data_z, err));
    if (gm_args_value(args, "data") == NULL) {
        GM_TRY(gm_args_settings(args, &config, err));
        place->conf = &gm_config_root(config)->api;
    }
    place->folder_z = gm_format_z("%s/tls", data_z);
    if (place->conf != NULL && place->conf->tls.certificate != NULL) {
        place->certificate_z = gm_strdup_z(place->conf->tls.certificate);
    } else {
        place->authority_z = gm_format_z("%s/ca.pem", place->folder_z);
        place->certificate_z = gm_format_z("%s/server.pem", place->folder_z);
    }
    return GM_OK;
}

static void free_place(struct place *place)
{
    gm_free(place->folder_z);
    gm_free(place->authority_z);
    gm_free(place->certificate_z);
}

static struct gm_tls_options options_of(const struct place *place)
{
    return (struct gm_tls_options){
        .folder_z = place->folder_z,
        .names = place->conf != NULL ? place->conf->names.at : NULL,
        .name_count = place->conf != NULL ? place->conf->names.n : 0,
    };
}

/* Before the first start there is none yet. */
static gm_rc make_missing(const struct place *place, struct gm_err *err)
{
    struct gm_file_info info;
    struct gm_tls_pair pair = {0};
    struct gm_tls_options options = options_of(place);
    if (place->authority_z == NULL) {
        return GM_OK;
    }
    GM_TRY(gm_file_info(place->authority_z, &info, err));
    if (info.type == GM_FILE_MISSING) {
        GM_TRY(gm_tls_local(&options, &pair, err));
        gm_tls_pair_free(&pair);
    }
    return GM_OK;
}

static gm_rc need_authority(const struct place *place, struct gm_err *err)
{
    return place->authority_z != NULL
               ? GM_OK
               : gm_fail(err, GM_E_CONFIG,
                         "the configuration has a certificate of its own (%s): the local "
                         "authority is not in use",
                         place->certificate_z);
}

/* ---- show ---- */

static void add_json(struct gm_buf *json, const char *path_z, const struct gm_tls_info *info)
{
    const struct {
        const char *name_z;
        struct gm_str value;
    } members[] = {
        {"path", gm_str_z(path_z)},
        {"fingerprint", gm_str_z(info->fingerprint)},
        {"subject", gm_buf_str(&info->subject)},
        {"issuer", gm_buf_str(&info->issuer)},
        {"names", gm_buf_str(&info->names)},
    };
    char time[GM_TIME_TEXT_SIZE];
    gm_buf_add_char(json, '{');
    for (size_t i = 0; i < GM_ARRAY_COUNT(members); i++) {
        gm_buf_addf(json, "\"%s\":", members[i].name_z);
        gm_json_quote(json, members[i].value);
        gm_buf_add_char(json, ',');
    }
    (void)gm_time_format_short(info->from, time);
    gm_buf_addf(json, "\"from\":\"%s\",", time);
    (void)gm_time_format_short(info->until, time);
    gm_buf_addf(json, "\"until\":\"%s\"}", time);
}

static void print_info(const char *head_z, const char *path_z, const struct gm_tls_info *info)
{
    char time[GM_TIME_TEXT_SIZE];
    gm_print_time(info->until, time);
    printf("%-13s%s\n", head_z, path_z);
    printf("  subject    " GM_STR_FMT "\n", GM_STR_ARG(gm_buf_str(&info->subject)));
    if (info->names.n > 0) {
        printf("  names      " GM_STR_FMT "\n", GM_STR_ARG(gm_buf_str(&info->names)));
    }
    printf("  signed by  " GM_STR_FMT "\n", GM_STR_ARG(gm_buf_str(&info->issuer)));
    printf("  sha256     %s\n", info->fingerprint);
    printf("  expires    %s UTC\n", time);
}

static gm_rc show_one(struct gm_args *args, const char *head_z, const char *path_z,
                      struct gm_buf *json, struct gm_err *err)
{
    struct gm_tls_info info;
    GM_TRY(gm_tls_describe(path_z, &info, err));
    if (args->json) {
        gm_buf_addf(json, "%s\"%s\":", json->n > 1 ? "," : "", head_z);
        add_json(json, path_z, &info);
    } else {
        print_info(head_z, path_z, &info);
    }
    gm_tls_info_free(&info);
    return GM_OK;
}

static gm_rc show_all(struct gm_args *args, const struct place *place, struct gm_err *err)
{
    struct gm_buf json;
    gm_buf_init(&json, 1 << 20);
    gm_buf_add_char(&json, '{');
    gm_rc rc = make_missing(place, err);
    if (rc == GM_OK && place->authority_z != NULL) {
        rc = show_one(args, "authority", place->authority_z, &json, err);
    }
    rc = rc == GM_OK ? show_one(args, "certificate", place->certificate_z, &json, err) : rc;
    gm_buf_add_char(&json, '}');
    if (rc == GM_OK && args->json) {
        gm_print_json(&json);
    }
    gm_buf_deinit(&json);
    return rc;
}

static int end(struct gm_args *args, struct place *place, gm_rc rc, const struct gm_err *err)
{
    free_place(place);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, err);
}

static int show(struct gm_args *args)
{
    struct place place = {0};
    struct gm_err err = {0};
    gm_rc rc = find_place(args, &place, &err);
    rc = rc == GM_OK ? show_all(args, &place, &err) : rc;
    return end(args, &place, rc, &err);
}

const struct gm_command gm_command_tls_show = {
    .name_z = "tls show",
    .summary_z = "Show the certificates of the twin API: names, fingerprints, until when.",
    .help_z = "The local authority and its certificate are made when they are not there yet.",
    .example_z = "gemel tls show",
    .run = show,
};

/* ---- export ---- */

static const struct gm_option export_options[] = {
    {"out", "FILE", "Write it there (default: standard output)."},
    {0},
};

static gm_rc export_pem(struct gm_args *args, const struct place *place, struct gm_err *err)
{
    const char *out_z = gm_args_value(args, "out");
    struct gm_buf pem;
    gm_buf_init(&pem, PEM_SIZE_MAX);
    gm_rc rc = make_missing(place, err);
    rc = rc == GM_OK ? gm_file_read_all(place->authority_z, &pem, err) : rc;
    if (rc == GM_OK && out_z == NULL) {
        fwrite(pem.p, 1, pem.n, stdout);
    } else if (rc == GM_OK) {
        rc = gm_file_write_atomic(out_z, gm_buf_str(&pem), 0644, err);
    }
    if (rc == GM_OK && out_z != NULL && !args->json) {
        printf("Written to %s. Clients trust it by\n"
               "  NODE_EXTRA_CA_CERTS=%s   (JavaScript)\n"
               "  SSL_CERT_FILE=%s         (Python, Go, OpenSSL)\n"
               "  REQUESTS_CA_BUNDLE=%s    (Python's requests, the Azure SDK)\n"
               "  curl --cacert %s\n",
               out_z, out_z, out_z, out_z, out_z);
    }
    gm_buf_deinit(&pem);
    return rc;
}

static int export(struct gm_args *args)
{
    struct place place = {0};
    struct gm_err err = {0};
    gm_rc rc = find_place(args, &place, &err);
    rc = rc == GM_OK ? need_authority(&place, &err) : rc;
    rc = rc == GM_OK ? export_pem(args, &place, &err) : rc;
    return end(args, &place, rc, &err);
}

const struct gm_command gm_command_tls_export = {
    .name_z = "tls export",
    .summary_z = "Write the local authority's certificate, for clients to trust.",
    .help_z = "PEM, without the key. It is made when it is not there yet.",
    .example_z = "gemel tls export --out gemel-ca.pem",
    .options = export_options,
    .run = export,
};

/* ---- renew ---- */

static const struct gm_option renew_options[] = {
    {"authority", NULL, "The authority, too: clients have to be given the new one."},
    {0},
};

static int renew(struct gm_args *args)
{
    struct place place = {0};
    struct gm_err err = {0};
    gm_rc rc = find_place(args, &place, &err);
    rc = rc == GM_OK ? need_authority(&place, &err) : rc;
    if (rc == GM_OK) {
        struct gm_tls_options options = options_of(&place);
        rc = gm_tls_renew(&options, gm_args_has(args, "authority"), &err);
    }
    rc = rc == GM_OK ? show_all(args, &place, &err) : rc;
    return end(args, &place, rc, &err);
}

const struct gm_command gm_command_tls_renew = {
    .name_z = "tls renew",
    .summary_z = "Make the server's certificate anew, when its key may be known to others.",
    .help_z =
        "A server that runs takes it within an hour, or at once on SIGHUP. Before it expires it "
        "is renewed by itself.",
    .example_z = "gemel tls renew",
    .options = renew_options,
    .run = renew,
};
