/* gemel token: the development token, and entries of a token file. */
#include <stdio.h>

#include "auth/access.h"
#include "auth/token.h"
#include "base/mem.h"
#include "cli/commands.h"
#include "json/json.h"

enum { ENTRY_SIZE_MAX = 16 << 10 };

static void print_token(struct gm_args *args, const char *token_z)
{
    printf(args->json ? "{\"token\":\"%s\"}\n" : "%s\n", token_z);
}

/* Where a configuration is at hand that does not want it, printing it would mislead. */
static gm_rc check_development(struct gm_args *args, struct gm_err *err)
{
    const struct gm_config *config;
    if (gm_args_value(args, "data") != NULL) {
        return GM_OK;
    }
    GM_TRY(gm_args_settings(args, &config, err));
    return gm_config_root(config)->api.tokens.development
               ? GM_OK
               : gm_fail(err, GM_E_CONFIG,
                         "the configuration has `api.tokens.development: false`; `gemel token new "
                         "NAME` makes an entry for a token file");
}

static int show(struct gm_args *args)
{
    struct gm_err err = {0};
    const char *data_z;
    char token[GM_TOKEN_TEXT_SIZE];
    gm_rc rc = gm_args_data(args, &data_z, &err);
    if (rc == GM_OK && args->word_count > 0 && strcmp(args->words[0], "show") != 0) {
        rc = gm_fail(&err, GM_E_CONFIG, "`%s` is neither `show` nor `new`", args->words[0]);
    }
    rc = rc == GM_OK ? check_development(args, &err) : rc;
    rc = rc == GM_OK ? gm_token_development(data_z, token, &err) : rc;
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    print_token(args, token);
    return GM_EXIT_OK;
}

const struct gm_command gm_command_token = {
    .name_z = "token",
    .args_z = "[show]",
    .args_max = 1,
    .summary_z = "Print the development token of the twin API, which may do everything.",
    .help_z = "It is made on first use and stays until `gemel token new`. It stands in\n"
              "DATA/tokens/development, readable for the owner only.",
    .example_z = "curl --cacert data/tls/ca.pem -H \"Authorization: Bearer $(gemel token)\" …",
    .run = show,
};

/* ---- new ---- */

static const struct gm_option new_options[] = {
    {"role", "ROLE", "reader (the default), writer or admin."},
    {"expires", "TIME", "Until when it is good, as in 2027-06-30 (default: for ever)."},
    {"file", "FILE", "Add the entry to this token file; it is made when it is not there."},
    {0},
};

struct wish {
    const char *name_z, *role_z, *expires_z, *file_z;
};

static gm_rc take_wish(const struct gm_args *args, struct wish *wish, struct gm_err *err)
{
    gm_ns ignored;
    size_t n = strlen(args->words[0]);
    *wish = (struct wish){args->words[0], gm_args_value(args, "role"),
                          gm_args_value(args, "expires"), gm_args_value(args, "file")};
    wish->role_z = wish->role_z != NULL ? wish->role_z : "reader";
    bool printable = n > 0 && n < GM_IDENTITY_NAME_SIZE;
    for (size_t i = 0; i < n; i++) {
        printable = printable && (unsigned char)wish->name_z[i] >= ' ' && wish->name_z[i] != 0x7f;
    }
    if (!printable) {
        return gm_fail(err, GM_E_CONFIG, "a name has 1 to %d printable characters",
                       GM_IDENTITY_NAME_SIZE - 1);
    }
    bool known = false;
    for (size_t i = GM_ACCESS_READER; gm_access_role_names[i] != NULL; i++) {
        known = known || strcmp(wish->role_z, gm_access_role_names[i]) == 0;
    }
    if (!known) {
        return gm_fail(err, GM_E_CONFIG, "--role: `%s` is none of reader, writer, admin",
                       wish->role_z);
    }
    if (wish->expires_z != NULL && !gm_time_parse(gm_str_z(wish->expires_z), &ignored)) {
        return gm_fail(err, GM_E_CONFIG,
                       "--expires: `%s` is no time; write 2027-06-30 or 2027-06-30T12:00:00Z",
                       wish->expires_z);
    }
    return GM_OK;
}

static void print_new(struct gm_args *args, const struct wish *wish, const char *token_z,
                      struct gm_str entry)
{
    char hash[GM_SHA256_HEX_SIZE];
    gm_token_hash(gm_str_z(token_z), hash);
    if (args->json) {
        struct gm_buf json;
        gm_buf_init(&json, ENTRY_SIZE_MAX);
        gm_buf_add_z(&json, "{\"name\":");
        gm_json_quote(&json, gm_str_z(wish->name_z));
        gm_buf_addf(&json, ",\"role\":\"%s\",\"token\":\"%s\",\"sha256\":\"%s\"}", wish->role_z,
                    token_z, hash);
        gm_print_json(&json);
        gm_token_wipe(json.p, json.n);
        gm_buf_deinit(&json);
        return;
    }
    printf("%s\n\nThis is shown once: keep it safe. ", token_z);
    if (wish->file_z != NULL) {
        printf("Its hash was added to %s.\n", wish->file_z);
    } else {
        printf("Entry for the token file, below `tokens:`\n" GM_STR_FMT, GM_STR_ARG(entry));
    }
}

static gm_rc make_entry(struct gm_args *args, struct gm_err *err)
{
    struct wish wish;
    struct gm_buf entry;
    char token[GM_TOKEN_TEXT_SIZE];
    GM_TRY(take_wish(args, &wish, err));
    gm_buf_init(&entry, ENTRY_SIZE_MAX);
    gm_token_new(token);
    gm_token_entry(wish.name_z, wish.role_z, token, wish.expires_z, &entry);
    gm_rc rc = wish.file_z != NULL
                   ? gm_token_file_add(wish.file_z, wish.name_z, gm_buf_str(&entry), err)
                   : GM_OK;
    if (rc == GM_OK) {
        print_new(args, &wish, token, gm_buf_str(&entry));
    }
    gm_token_wipe(token, sizeof(token));
    gm_buf_deinit(&entry);
    return rc;
}

static gm_rc renew_development(struct gm_args *args, struct gm_err *err)
{
    const char *data_z;
    char token[GM_TOKEN_TEXT_SIZE];
    if (args->option_count > 0 &&
        (gm_args_has(args, "role") || gm_args_has(args, "file") || gm_args_has(args, "expires"))) {
        return gm_fail(err, GM_E_CONFIG,
                       "options of an entry, and no NAME; write `gemel token new "
                       "NAME …`");
    }
    GM_TRY(gm_args_data(args, &data_z, err));
    GM_TRY(gm_token_development_renew(data_z, token, err));
    print_token(args, token);
    return GM_OK;
}

static int make(struct gm_args *args)
{
    struct gm_err err = {0};
    gm_rc rc = args->word_count > 0 ? make_entry(args, &err) : renew_development(args, &err);
    return rc == GM_OK ? GM_EXIT_OK : gm_args_fail(args, rc, &err);
}

const struct gm_command gm_command_token_new = {
    .name_z = "token new",
    .args_z = "[NAME]",
    .args_max = 1,
    .summary_z = "Make a token with a role for a token file; without NAME a new development token.",
    .help_z =
        "The file (`api.tokens.file` of the configuration) holds hashes, no secrets; a server "
        "that runs reads it\n"
        "again when it changes. The former development token is good no more.",
    .example_z = "gemel token new erp --role writer --file tokens.yaml",
    .options = new_options,
    .run = make,
};
