/* The way of a token: known beforehand, or verified lately, or a JWT to be verified now. */
#include "auth/access.h"

#include "auth/jwt.h"
#include "auth/key_source.h"
#include "auth/rates.h"
#include "auth/token_file.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/vec.h"
#include "os/file.h"
#include "os/thread.h"

enum { VERIFIED_MAX = 4096 };

/* How long a change of a file may stay unseen. */
#define LOOK_PAUSE GM_SECOND

/* What a file was when it was read. */
struct seen {
    char *path_z; /* NULL: there is none */
    struct gm_file_info info;
};

struct verified {
    uint8_t hash[GM_SHA256_SIZE];
    struct gm_identity identity;
    gm_ns expires;
};

struct gm_access {
    const struct gm_clock *clock;
    struct gm_access_jwt rules; /* points into `texts` and the vectors */
    GM_VEC(char *) texts;
    GM_VEC(const char *) audiences;
    GM_VEC(struct gm_access_role_map) roles;
    struct gm_key_source *key_source; /* NULL: no JWTs */
    struct gm_mutex *mu;
    struct gm_rates *rates;          /* guarded by mu; NULL: any rate */
    struct gm_tokens *tokens;        /* guarded by mu */
    gm_ns look_at;                   /* guarded by mu; monotonic: when files are looked at */
    bool looking;                    /* guarded by mu; a thread does: `seen` is its own */
    struct seen seen[2];             /* development token, token file */
    struct gm_map *verified_by_hash; /* guarded by mu; → index */
    struct verified *verified;       /* guarded by mu; VERIFIED_MAX, the oldest is overwritten */
    size_t verified_next;            /* guarded by mu */
    uint64_t verified_round;         /* guarded by mu; of the keys they were verified with */
    bool has_problem;                /* guarded by mu */
    struct gm_err problem;           /* guarded by mu */
};

static gm_ns mono(const struct gm_access *access)
{
    return access->clock->mono(access->clock);
}

/* ---- tokens of files ---- */

static void note_problem(struct gm_access *access, const struct gm_err *err)
{
    gm_mutex_lock(access->mu);
    access->problem = *err;
    access->has_problem = true;
    gm_mutex_unlock(access->mu);
}

/* Sets what each file is now; true when one of them is another than before. One that cannot be
 * looked at counts as gone, and reading it will say why. */
static bool look(struct gm_access *access)
{
    bool changed = false;
    for (size_t i = 0; i < GM_ARRAY_COUNT(access->seen); i++) {
        struct seen *seen = &access->seen[i];
        struct gm_file_info info = {0};
        struct gm_err ignored;
        if (seen->path_z == NULL) {
            continue;
        }
        if (gm_file_info(seen->path_z, &info, &ignored) != GM_OK) {
            info = (struct gm_file_info){.type = GM_FILE_MISSING};
        }
        changed = changed || info.modified != seen->info.modified ||
                  info.inode != seen->info.inode || info.size_bytes != seen->info.size_bytes;
        seen->info = info;
    }
    return changed;
}

/* What a file says is good only once it could be read: an editor may be at it just now. */
static void read_again(struct gm_access *access)
{
    struct gm_tokens *tokens = NULL;
    struct gm_err err = {0};
    if (gm_tokens_read(access->seen[0].path_z, access->seen[1].path_z, &tokens, &err) != GM_OK) {
        note_problem(access, &err);
        return;
    }
    gm_mutex_lock(access->mu);
    struct gm_tokens *former = access->tokens;
    access->tokens = tokens;
    gm_mutex_unlock(access->mu);
    gm_tokens_free(former);
}

/* Now and then, by whoever comes by. */
static void look_at_files(struct gm_access *access)
{
    gm_ns at = mono(access);
    gm_mutex_lock(access->mu);
    bool due = at >= access->look_at && !access->looking;
    access->looking = access->looking || due;
    gm_mutex_unlock(access->mu);
    if (!due) {
        return;
    }
    if (look(access)) {
        read_again(access);
    }
    if (access->key_source != NULL) {
        gm_key_source_look(access->key_source);
    }
    gm_mutex_lock(access->mu);
    access->looking = false;
    access->look_at = at + LOOK_PAUSE;
    gm_mutex_unlock(access->mu);
}

/* ---- tokens that were verified ---- */

/* Under mu. Those that other keys had verified are forgotten: one of them may have been revoked. */
static void forget_former(struct gm_access *access, uint64_t round)
{
    if (access->verified_round != round) {
        gm_map_reset(access->verified_by_hash);
        memset(access->verified, 0, VERIFIED_MAX * sizeof(access->verified[0]));
        access->verified_next = 0;
        access->verified_round = round;
    }
}

static void remember(struct gm_access *access, const uint8_t hash[GM_SHA256_SIZE],
                     const struct gm_jwt *jwt, uint64_t round)
{
    struct gm_str key = {(const char *)hash, GM_SHA256_SIZE};
    uint64_t ignored;
    gm_mutex_lock(access->mu);
    /* Nothing when the keys changed meanwhile, or another thread was faster. */
    if (access->verified_round == round && !gm_map_get(access->verified_by_hash, key, &ignored)) {
        struct verified *slot = &access->verified[access->verified_next];
        if (slot->expires != 0) {
            (void)gm_map_remove(access->verified_by_hash,
                                (struct gm_str){(const char *)slot->hash, GM_SHA256_SIZE});
        }
        memcpy(slot->hash, hash, GM_SHA256_SIZE);
        slot->identity = jwt->identity;
        slot->expires = jwt->expires;
        (void)gm_map_set(access->verified_by_hash, key, access->verified_next);
        access->verified_next = (access->verified_next + 1) % VERIFIED_MAX;
    }
    gm_mutex_unlock(access->mu);
}

/* ---- checking ---- */

struct question {
    struct gm_str token;
    uint8_t hash[GM_SHA256_SIZE];
    gm_ns now;      /* wall clock */
    uint64_t round; /* of the keys that were tried */
    struct gm_identity *identity;
    int64_t *retry_after_s;
};

/* Under mu. Whether it may ask now. */
static enum gm_access_answer grant(struct gm_access *access, struct question *question,
                                   const struct gm_identity *identity)
{
    int64_t wait_s = 0;
    *question->identity = *identity;
    if (access->rates != NULL) {
        wait_s = gm_rates_take(access->rates, identity->name, mono(access));
    }
    if (wait_s > 0) {
        *question->retry_after_s = wait_s;
        return GM_ACCESS_TOO_FAST;
    }
    return GM_ACCESS_GRANTED;
}

/* True: it is known, and *out_answer says what of it. */
static bool answer_known(struct gm_access *access, struct question *question,
                         enum gm_access_answer *out_answer)
{
    uint64_t index;
    struct gm_str key = {(const char *)question->hash, GM_SHA256_SIZE};
    uint64_t round = access->key_source != NULL ? gm_key_source_round(access->key_source) : 0;
    const struct gm_identity *identity = NULL;
    gm_ns expires = 0;
    gm_mutex_lock(access->mu);
    forget_former(access, round);
    const struct gm_known_token *known = gm_tokens_find(access->tokens, question->hash);
    if (known != NULL) {
        identity = &known->identity;
        expires = known->expires;
    } else if (gm_map_get(access->verified_by_hash, key, &index)) {
        identity = &access->verified[index].identity;
        expires = access->verified[index].expires;
    }
    if (identity != NULL) {
        *out_answer = expires == 0 || question->now < expires ? grant(access, question, identity)
                                                              : GM_ACCESS_REFUSED;
    }
    gm_mutex_unlock(access->mu);
    return identity != NULL;
}

/* One try with the keys that there are. */
static enum gm_jwt_answer verify(struct gm_access *access, struct question *question,
                                 enum gm_access_answer *out_answer)
{
    struct gm_jwt jwt;
    struct gm_keys *keys = gm_key_source_take(access->key_source, &question->round);
    enum gm_jwt_answer answer =
        gm_jwt_check(&access->rules, keys, question->token, question->now, &jwt);
    gm_keys_release(keys);
    *out_answer = GM_ACCESS_REFUSED;
    if (answer == GM_JWT_GOOD) {
        remember(access, question->hash, &jwt, question->round);
        gm_mutex_lock(access->mu);
        *out_answer = grant(access, question, &jwt.identity);
        gm_mutex_unlock(access->mu);
    }
    return answer;
}

static enum gm_access_answer answer_jwt(struct gm_access *access, struct question *question,
                                        bool may_wait)
{
    enum gm_access_answer answer;
    if (access->key_source == NULL || verify(access, question, &answer) != GM_JWT_UNKNOWN) {
        return access->key_source == NULL ? GM_ACCESS_REFUSED : answer;
    }
    switch (gm_key_source_want(access->key_source, question->round, may_wait,
                               question->retry_after_s)) {
    case GM_KEYS_CURRENT:
        return GM_ACCESS_REFUSED;
    case GM_KEYS_UNREACHABLE:
        return GM_ACCESS_LATER;
    case GM_KEYS_FETCHED:
        break;
    }
    (void)verify(access, question, &answer);
    return answer;
}

static bool take_token(const char *authorization_z, struct gm_str *out_token)
{
    static const char scheme[] = "bearer ";
    size_t n = sizeof(scheme) - 1;
    for (size_t i = 0; i < n; i++) {
        char c = authorization_z != NULL ? authorization_z[i] : '\0';
        if (gm_ascii_lower(c) != scheme[i]) {
            return false;
        }
    }
    *out_token = gm_str_trim(gm_str_z(authorization_z + n));
    return out_token->n > 0;
}

static enum gm_access_answer check(struct gm_access *access, const char *authorization_z,
                                   struct question *question, bool may_wait)
{
    enum gm_access_answer answer;
    if (!take_token(authorization_z, &question->token)) {
        return GM_ACCESS_NO_TOKEN;
    }
    look_at_files(access);
    if (question->token.n > GM_JWT_SIZE_MAX) {
        return GM_ACCESS_REFUSED;
    }
    question->now = access->clock->wall(access->clock);
    gm_sha256(question->token, question->hash);
    return answer_known(access, question, &answer) ? answer
                                                   : answer_jwt(access, question, may_wait);
}

enum gm_access_answer gm_access_check(struct gm_access *access, const char *authorization_z,
                                      struct gm_identity *out_identity, int64_t *out_retry_after_s)
{
    struct question question = {.identity = out_identity, .retry_after_s = out_retry_after_s};
    return check(access, authorization_z, &question, false);
}

enum gm_access_answer gm_access_check_waiting(struct gm_access *access, const char *authorization_z,
                                              struct gm_identity *out_identity,
                                              int64_t *out_retry_after_s)
{
    struct question question = {.identity = out_identity, .retry_after_s = out_retry_after_s};
    return check(access, authorization_z, &question, true);
}

const char *gm_access_challenge_z(enum gm_access_answer answer)
{
    return answer == GM_ACCESS_REFUSED ? "Bearer realm=\"gemel\", error=\"invalid_token\""
                                       : "Bearer realm=\"gemel\"";
}

bool gm_access_problem(struct gm_access *access, char out_text[GM_ERR_TEXT_SIZE])
{
    gm_mutex_lock(access->mu);
    bool any = access->has_problem;
    if (any) {
        memcpy(out_text, access->problem.text, GM_ERR_TEXT_SIZE);
    }
    access->has_problem = false;
    gm_mutex_unlock(access->mu);
    return any ||
           (access->key_source != NULL && gm_key_source_problem(access->key_source, out_text));
}

/* ---- life ---- */

static const char *keep_z(struct gm_access *access, const char *text_z)
{
    if (text_z == NULL) {
        return NULL;
    }
    char *copy_z = gm_strdup_z(text_z);
    *gm_vec_push(&access->texts) = copy_z;
    return copy_z;
}

static void copy_rules(struct gm_access *access, const struct gm_access_jwt *from)
{
    access->rules = *from;
    access->rules.jwks_z = keep_z(access, from->jwks_z);
    access->rules.ca_file_z = keep_z(access, from->ca_file_z);
    access->rules.issuer_z = keep_z(access, from->issuer_z);
    access->rules.role_claim_z = keep_z(access, from->role_claim_z);
    for (size_t i = 0; i < from->audience_count; i++) {
        *gm_vec_push(&access->audiences) = keep_z(access, from->audiences[i]);
    }
    for (size_t i = 0; i < from->role_count; i++) {
        *gm_vec_push(&access->roles) = (struct gm_access_role_map){
            keep_z(access, from->roles[i].value_z), from->roles[i].role};
    }
    access->rules.audiences = access->audiences.at;
    access->rules.roles = access->roles.at;
}

static gm_rc open_files(struct gm_access *access, const struct gm_access_options *options,
                        struct gm_err *err)
{
    if (options->development) {
        char token[GM_TOKEN_TEXT_SIZE];
        GM_TRY(gm_token_development(options->data_z, token, err));
        access->seen[0].path_z = gm_token_development_path_z(options->data_z);
    }
    access->seen[1].path_z = gm_strdup_z(options->file_z);
    (void)look(access);
    return gm_tokens_read(access->seen[0].path_z, access->seen[1].path_z, &access->tokens, err);
}

static gm_rc open_keys(struct gm_access *access, const struct gm_access_options *options,
                       struct gm_err *err)
{
    if (options->jwt.jwks_z == NULL) {
        return GM_OK;
    }
    if (options->jwt.issuer_z == NULL || options->jwt.audience_count == 0) {
        return gm_fail(err, GM_E_CONFIG, "JWTs cannot be checked without issuer and audience");
    }
    copy_rules(access, &options->jwt);
    return gm_key_source_open(&(struct gm_key_source_options){.place_z = access->rules.jwks_z,
                                                              .ca_file_z = access->rules.ca_file_z,
                                                              .pause = options->keys_pause,
                                                              .age = options->keys_age,
                                                              .timeout = options->keys_timeout,
                                                              .clock = access->clock},
                              &access->key_source, err);
}

gm_rc gm_access_open(const struct gm_access_options *options, struct gm_access **out_access,
                     struct gm_err *err)
{
    struct gm_access *access = gm_alloc(sizeof(*access));
    access->clock = options->clock != NULL ? options->clock : gm_clock_system();
    access->mu = gm_mutex_new();
    access->verified_by_hash = gm_map_new();
    access->verified = gm_alloc_array(VERIFIED_MAX, sizeof(access->verified[0]));
    access->look_at = mono(access) + LOOK_PAUSE;
    if (options->rate_per_second > 0) {
        access->rates = gm_rates_new(options->rate_per_second,
                                     options->rate_burst > 1 ? options->rate_burst : 1);
    }
    gm_rc rc = open_files(access, options, err);
    rc = rc == GM_OK ? open_keys(access, options, err) : rc;
    if (rc != GM_OK) {
        gm_access_close(access);
        return rc;
    }
    *out_access = access;
    return GM_OK;
}

void gm_access_close(struct gm_access *access)
{
    if (access == NULL) {
        return;
    }
    gm_key_source_close(access->key_source);
    gm_tokens_free(access->tokens);
    gm_rates_free(access->rates);
    gm_map_free(access->verified_by_hash);
    gm_free(access->verified);
    for (size_t i = 0; i < GM_ARRAY_COUNT(access->seen); i++) {
        gm_free(access->seen[i].path_z);
    }
    for (size_t i = 0; i < access->texts.n; i++) {
        gm_free(access->texts.at[i]);
    }
    gm_vec_deinit(&access->texts);
    gm_vec_deinit(&access->audiences);
    gm_vec_deinit(&access->roles);
    gm_mutex_free(access->mu);
    gm_free(access);
}
