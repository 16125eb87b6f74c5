#include "auth/token_file.h"

#include <gnutls/crypto.h>
#include <stdio.h>

#include "base/coding.h"
#include "base/mem.h"
#include "base/vec.h"
#include "conf/conf.h"
#include "os/file.h"

enum { FILE_SIZE_MAX = 1 << 20 };

struct gm_tokens {
    GM_VEC(struct gm_known_token) list;
    struct gm_map *by_hash; /* → index */
    struct gm_map *names;
};

static struct gm_tokens *new_tokens(void)
{
    struct gm_tokens *tokens = gm_alloc(sizeof(*tokens));
    tokens->by_hash = gm_map_new();
    tokens->names = gm_map_new();
    return tokens;
}

struct token_conf {
    const char *name;
    int32_t role;
    const char *sha256;
    const char *expires;
};
struct file_conf {
    struct gm_conf_list tokens;
};

static const struct gm_field token_fields[] = {
    GM_FIELD_STR(struct token_conf, name, .flags = GM_F_REQUIRED, .example = "erp",
                 .help = "Who has it."),
    GM_FIELD_ENUM(struct token_conf, role, .flags = GM_F_REQUIRED, .names = gm_access_role_names,
                  .help = "What it may do."),
    GM_FIELD_STR(struct token_conf, sha256, .flags = GM_F_REQUIRED,
                 .help = "The token's SHA-256, in hexadecimal."),
    GM_FIELD_STR(struct token_conf, expires, .example = "2027-06-30",
                 .help = "Until when it is good (ISO 8601)."),
    GM_FIELD_END,
};
static const struct gm_field file_fields[] = {
    GM_FIELD_LIST(struct file_conf, tokens, .fields = token_fields,
                  .item_size = sizeof(struct token_conf), .max = "10000", .help = "The tokens."),
    GM_FIELD_END,
};

static bool parse_hash(const char *text_z, uint8_t out[GM_SHA256_SIZE])
{
    return strlen(text_z) == 2 * (size_t)GM_SHA256_SIZE && gm_hex_read(gm_str_z(text_z), out);
}

static bool name_is_fine(const char *name_z)
{
    size_t n = strlen(name_z);
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)name_z[i] < ' ' || name_z[i] == 0x7f) {
            return false;
        }
    }
    return n > 0 && n < GM_IDENTITY_NAME_SIZE;
}

/* The same token twice under two names: which of them asked could not be told. */
static bool add(struct gm_tokens *tokens, const struct gm_known_token *token)
{
    struct gm_str key = {(const char *)token->hash, GM_SHA256_SIZE};
    if (!gm_map_set(tokens->by_hash, key, tokens->list.n) ||
        !gm_map_set(tokens->names, gm_str_z(token->identity.name), 1)) {
        return false;
    }
    *gm_vec_push(&tokens->list) = *token;
    return true;
}

static void add_entry(struct gm_tokens *tokens, struct gm_conf_doc *doc, const struct gm_node *node,
                      const struct token_conf *conf)
{
    struct gm_known_token token = {.identity.role = (enum gm_access_role)conf->role};
    if (conf->name == NULL || conf->sha256 == NULL) {
        return; /* reported */
    }
    if (!name_is_fine(conf->name)) {
        gm_conf_error(doc, &node->place, "tokens: a name has 1 to %d printable characters",
                      GM_IDENTITY_NAME_SIZE - 1);
        return;
    }
    if (!parse_hash(conf->sha256, token.hash)) {
        gm_conf_error(doc, &node->place,
                      "tokens: `%s`: sha256 has 64 hexadecimal digits; `gemel token new %s` prints "
                      "an entry",
                      conf->name, conf->name);
        return;
    }
    if (conf->expires != NULL && !gm_time_parse(gm_str_z(conf->expires), &token.expires)) {
        gm_conf_error(doc, &node->place,
                      "tokens: `%s`: expires: `%s` is no time; write 2027-06-30 or "
                      "2027-06-30T12:00:00Z",
                      conf->name, conf->expires);
        return;
    }
    memcpy(token.identity.name, conf->name, strlen(conf->name) + 1);
    if (!add(tokens, &token)) {
        gm_conf_error(doc, &node->place,
                      "tokens: `%s`: there is another entry of that name, or "
                      "with that token",
                      conf->name);
    }
}

static gm_rc take_errors(const struct gm_conf_doc *doc, struct gm_err *err)
{
    struct gm_buf text;
    gm_buf_init(&text, GM_CONF_SIZE_MAX);
    gm_conf_print_errors(doc, &text);
    for (size_t i = 0; i < text.n; i++) {
        text.p[i] = text.p[i] == '\n' ? ' ' : text.p[i];
    }
    gm_rc rc = gm_fail(err, GM_E_CONFIG, GM_STR_FMT, GM_STR_ARG(gm_str_trim(gm_buf_str(&text))));
    gm_buf_deinit(&text);
    return rc;
}

static gm_rc read_text(struct gm_tokens *tokens, const char *path_z, struct gm_str text,
                       struct gm_err *err)
{
    struct file_conf conf = {0};
    struct gm_conf_doc *doc = gm_conf_doc_new(NULL);
    const struct gm_node *root = gm_conf_load(doc, path_z, text);
    gm_conf_decode(doc, root, file_fields, &conf);
    const struct gm_node *list = root != NULL ? gm_node_member(root, GM_STR("tokens")) : NULL;
    for (size_t i = 0; list != NULL && i < conf.tokens.n && i < list->item_count; i++) {
        add_entry(tokens, doc, list->items[i], &((const struct token_conf *)conf.tokens.at)[i]);
    }
    gm_rc rc = gm_conf_error_count(doc) > 0 ? take_errors(doc, err) : GM_OK;
    gm_conf_doc_free(doc);
    return rc;
}

static gm_rc read_file(struct gm_tokens *tokens, const char *path_z, struct gm_err *err)
{
    struct gm_buf text;
    gm_buf_init(&text, FILE_SIZE_MAX);
    gm_rc rc = gm_file_read_all(path_z, &text, err);
    rc = rc == GM_OK ? read_text(tokens, path_z, gm_buf_str(&text), err) : rc;
    gm_buf_deinit(&text);
    return rc;
}

static gm_rc read_development(struct gm_tokens *tokens, const char *path_z, struct gm_err *err)
{
    char text[GM_TOKEN_TEXT_SIZE];
    struct gm_known_token token = {.identity = {.role = GM_ACCESS_ADMIN, .name = "development"}};
    GM_TRY(gm_token_development_read(path_z, text, err));
    gm_sha256(gm_str_z(text), token.hash);
    gnutls_memset(text, 0, sizeof(text));
    (void)add(tokens, &token);
    return GM_OK;
}

gm_rc gm_tokens_read(const char *development_path_z, const char *file_z,
                     struct gm_tokens **out_tokens, struct gm_err *err)
{
    struct gm_tokens *tokens = new_tokens();
    gm_rc rc =
        development_path_z != NULL ? read_development(tokens, development_path_z, err) : GM_OK;
    rc = rc == GM_OK && file_z != NULL ? read_file(tokens, file_z, err) : rc;
    if (rc != GM_OK) {
        gm_tokens_free(tokens);
        return rc;
    }
    *out_tokens = tokens;
    return GM_OK;
}

void gm_tokens_free(struct gm_tokens *tokens)
{
    if (tokens != NULL) {
        gm_vec_deinit(&tokens->list);
        gm_map_free(tokens->by_hash);
        gm_map_free(tokens->names);
        gm_free(tokens);
    }
}

const struct gm_known_token *gm_tokens_find(const struct gm_tokens *tokens,
                                            const uint8_t hash[GM_SHA256_SIZE])
{
    uint64_t index;
    struct gm_str key = {(const char *)hash, GM_SHA256_SIZE};
    return gm_map_get(tokens->by_hash, key, &index) ? &tokens->list.at[index] : NULL;
}

bool gm_tokens_has_name(const struct gm_tokens *tokens, const char *name_z)
{
    uint64_t ignored;
    return gm_map_get(tokens->names, gm_str_z(name_z), &ignored);
}

/* ---- writing ---- */

/* As YAML's double quotes want it; names are printable. */
static void add_quoted(struct gm_buf *out, const char *text_z)
{
    gm_buf_add_char(out, '"');
    for (; *text_z != '\0'; text_z++) {
        if (*text_z == '"' || *text_z == '\\') {
            gm_buf_add_char(out, '\\');
        }
        gm_buf_add_char(out, *text_z);
    }
    gm_buf_add_char(out, '"');
}

void gm_token_entry(const char *name_z, const char *role_z, const char *token_z,
                    const char *expires_z, struct gm_buf *out)
{
    char hash[GM_SHA256_HEX_SIZE];
    gm_token_hash(gm_str_z(token_z), hash);
    gm_buf_add_z(out, "  - { name: ");
    add_quoted(out, name_z);
    gm_buf_addf(out, ", role: %s, sha256: \"%s\"", role_z, hash);
    if (expires_z != NULL) {
        gm_buf_add_z(out, ", expires: ");
        add_quoted(out, expires_z);
    }
    gm_buf_add_z(out, " }\n");
}

gm_rc gm_token_file_add(const char *path_z, const char *name_z, struct gm_str entry,
                        struct gm_err *err)
{
    struct gm_file_info info;
    struct gm_buf text;
    struct gm_tokens *tokens = new_tokens();
    gm_buf_init(&text, FILE_SIZE_MAX);
    gm_rc rc = gm_file_info(path_z, &info, err);
    if (rc == GM_OK && info.type == GM_FILE_MISSING) {
        gm_buf_add_z(&text, "# Tokens of the twin API: who may do what. It holds hashes, no "
                            "secrets.\ntokens:\n");
    } else if (rc == GM_OK) {
        rc = gm_file_read_all(path_z, &text, err);
    }
    if (rc == GM_OK && text.n > 0 && text.p[text.n - 1] != '\n') {
        gm_buf_add_char(&text, '\n');
    }
    gm_buf_add(&text, entry);
    /* Read as the server will: a file that is written in another form cannot be added to. */
    rc = rc == GM_OK ? read_text(tokens, path_z, gm_buf_str(&text), err) : rc;
    if (rc == GM_OK && !gm_tokens_has_name(tokens, name_z)) {
        rc = gm_fail(err, GM_E_CONFIG, "%s: the entry could not be added; add it by hand", path_z);
    }
    rc = rc == GM_OK ? gm_file_write_atomic(path_z, gm_buf_str(&text), 0600, err) : rc;
    gm_buf_deinit(&text);
    gm_tokens_free(tokens);
    return rc;
}
