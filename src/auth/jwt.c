#include "auth/jwt.h"

#include "base/coding.h"
#include "json/json.h"

enum { ARENA_SIZE_MAX = 1 << 20 };

struct reading {
    const struct gm_access_jwt *rules;
    struct gm_arena *arena;
    gm_ns now;
    struct gm_str signed_text; /* header and claims as they were sent */
    struct gm_str signature;   /* decoded */
    yyjson_mut_val *header;
    yyjson_mut_val *claims;
};

/* ---- reading ---- */

static bool decode(struct gm_arena *arena, struct gm_str text, struct gm_str *out_bytes)
{
    struct gm_buf bytes;
    gm_buf_init(&bytes, GM_JWT_SIZE_MAX);
    bool fine = gm_base64url_take(&bytes, text);
    *out_bytes = fine ? gm_arena_dup(arena, gm_buf_str(&bytes)) : (struct gm_str){NULL, 0};
    gm_buf_deinit(&bytes);
    return fine && out_bytes->p != NULL;
}

static bool decode_object(struct gm_arena *arena, struct gm_str text, yyjson_mut_val **out_value)
{
    struct gm_str json;
    struct gm_err ignored;
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    return doc != NULL && decode(arena, text, &json) &&
           gm_json_parse(doc, json, out_value, &ignored) == GM_OK &&
           gm_json_type(*out_value) == YYJSON_TYPE_OBJ;
}

/* Three parts, of which the first is a JSON object: then it wants to be a JWT. */
static bool take_header(struct reading *reading, struct gm_str token, struct gm_str out_rest[2])
{
    struct gm_str header, rest;
    if (!gm_str_cut(token, '.', &header, &rest) ||
        !gm_str_cut(rest, '.', &out_rest[0], &out_rest[1]) ||
        (out_rest[1].n > 0 && memchr(out_rest[1].p, '.', out_rest[1].n) != NULL)) {
        return false;
    }
    reading->signed_text = (struct gm_str){token.p, header.n + 1 + out_rest[0].n};
    return decode_object(reading->arena, header, &reading->header);
}

/* ---- claims ---- */

/* Seconds since the epoch, which may have a fraction. */
static bool take_date(const yyjson_mut_val *claims, const char *name_z, gm_ns *out_t)
{
    const double latest = 9e9; /* seconds; what is later does not fit, and stands for "never" */
    yyjson_mut_val *value = gm_json_member(claims, gm_str_z(name_z));
    if (!yyjson_mut_is_num(value)) {
        return false;
    }
    double seconds = yyjson_mut_is_real(value)   ? yyjson_mut_get_real(value)
                     : yyjson_mut_is_sint(value) ? (double)yyjson_mut_get_sint(value)
                                                 : (double)yyjson_mut_get_uint(value);
    if (!(seconds >= 0)) {
        return false;
    }
    *out_t = (gm_ns)((seconds < latest ? seconds : latest) * 1e9);
    return true;
}

static bool is_audience(const struct gm_access_jwt *rules, struct gm_str audience)
{
    for (size_t i = 0; i < rules->audience_count; i++) {
        if (audience.p != NULL && gm_str_is(audience, rules->audiences[i])) {
            return true;
        }
    }
    return false;
}

static bool has_audience(const struct gm_access_jwt *rules, const yyjson_mut_val *claims)
{
    const yyjson_mut_val *value = gm_json_member(claims, GM_STR("aud"));
    if (gm_json_type(value) != YYJSON_TYPE_ARR) {
        return is_audience(rules, gm_json_str(value));
    }
    const yyjson_mut_val *item = gm_json_first(value);
    for (size_t i = 0; i < gm_json_count(value); i++, item = item->next) {
        if (is_audience(rules, gm_json_str(item))) {
            return true;
        }
    }
    return false;
}

static enum gm_access_role role_of(const struct gm_access_jwt *rules, struct gm_str value)
{
    for (size_t i = 0; i < rules->role_count; i++) {
        if (gm_str_is(value, rules->roles[i].value_z)) {
            return rules->roles[i].role;
        }
    }
    for (int role = GM_ACCESS_READER; rules->role_count == 0 && role <= GM_ACCESS_ADMIN; role++) {
        if (gm_str_is(value, gm_access_role_name((enum gm_access_role)role))) {
            return (enum gm_access_role)role;
        }
    }
    return GM_ACCESS_NONE;
}

static enum gm_access_role higher(enum gm_access_role a, enum gm_access_role b)
{
    return a > b ? a : b;
}

/* The highest that a claim's values give. */
static enum gm_access_role role_in(const struct gm_access_jwt *rules, const yyjson_mut_val *value)
{
    enum gm_access_role role = GM_ACCESS_NONE;
    struct gm_str text = gm_json_str(value), word;
    while (text.n > 0) {
        (void)gm_str_cut(text, ' ', &word, &text);
        role = higher(role, role_of(rules, word));
    }
    const yyjson_mut_val *item =
        gm_json_type(value) == YYJSON_TYPE_ARR ? gm_json_first(value) : NULL;
    for (size_t i = 0; item != NULL && i < gm_json_count(value); i++, item = item->next) {
        role = gm_json_type(item) == YYJSON_TYPE_STR
                   ? higher(role, role_of(rules, gm_json_str(item)))
                   : role;
    }
    return role;
}

static enum gm_access_role find_role(const struct gm_access_jwt *rules,
                                     const yyjson_mut_val *claims)
{
    const yyjson_mut_val *value = gm_json_member(
        claims, gm_str_z(rules->role_claim_z != NULL ? rules->role_claim_z : "roles"));
    if (value == NULL && rules->role_claim_z == NULL) {
        value = gm_json_member(claims, GM_STR("scp"));
    }
    return higher(role_in(rules, value), rules->default_role);
}

/* "jwt:" and who it was issued to; control characters become blanks, and no character is cut in
 * two. */
static void take_name(const yyjson_mut_val *claims, char out[GM_IDENTITY_NAME_SIZE])
{
    static const char *const names[] = {"sub", "oid", "azp", "appid", "client_id"};
    struct gm_str subject = {0};
    for (size_t i = 0; i < GM_ARRAY_COUNT(names) && subject.n == 0; i++) {
        subject = gm_json_member_str(claims, names[i]);
    }
    subject = subject.n > 0 ? subject : GM_STR("unknown");
    size_t at = strlen("jwt:"), n = subject.n;
    if (n >= GM_IDENTITY_NAME_SIZE - at) {
        n = GM_IDENTITY_NAME_SIZE - at - 1;
        while (n > 0 && ((unsigned char)subject.p[n] & 0xc0) == 0x80) {
            n--;
        }
    }
    memcpy(out, "jwt:", at);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)subject.p[i];
        out[at + i] = c < ' ' || c == 0x7f ? ' ' : (char)c;
    }
    out[at + n] = '\0';
}

static const char *check_claims(const struct reading *reading, struct gm_jwt *out_jwt)
{
    gm_ns expires, from = 0;
    const struct gm_access_jwt *rules = reading->rules;
    const yyjson_mut_val *claims = reading->claims;
    struct gm_str issuer = gm_json_member_str(claims, "iss");
    if (issuer.p == NULL || !gm_str_is(issuer, rules->issuer_z)) {
        return "its issuer is another one";
    }
    if (!has_audience(rules, claims)) {
        return "it was issued for another audience";
    }
    if (!take_date(claims, "exp", &expires)) {
        return "it does not say when it expires";
    }
    if (gm_json_member(claims, GM_STR("nbf")) != NULL && !take_date(claims, "nbf", &from)) {
        return "its `nbf` is no time";
    }
    out_jwt->expires = expires + rules->skew;
    if (reading->now >= out_jwt->expires) {
        return "it has expired";
    }
    if (reading->now + rules->skew < from) {
        return "it is not valid yet";
    }
    out_jwt->identity.role = find_role(rules, claims);
    take_name(claims, out_jwt->identity.name);
    return NULL;
}

/* ---- all of it ---- */

static const char *check_all_but_signature(struct reading *reading, const struct gm_str rest[2],
                                           struct gm_jwt *jwt)
{
    const yyjson_mut_val *header = reading->header;
    const yyjson_mut_val *kid = gm_json_member(header, GM_STR("kid"));
    struct gm_str alg = gm_json_member_str(header, "alg");
    if (alg.p == NULL || !gm_keys_algorithm_known(alg)) {
        return "its algorithm is none of RS256, RS384, RS512, PS256, ES256, ES384";
    }
    if (gm_json_member(header, GM_STR("crit")) != NULL) {
        return "it wants an extension to be understood"; /* RFC 7515, section 4.1.11 */
    }
    if (kid != NULL && gm_json_type(kid) != YYJSON_TYPE_STR) {
        return "its `kid` is no text";
    }
    if (!decode_object(reading->arena, rest[0], &reading->claims) ||
        !decode(reading->arena, rest[1], &reading->signature)) {
        return "it is damaged";
    }
    return check_claims(reading, jwt);
}

static enum gm_jwt_answer check(struct reading *reading, const struct gm_keys *keys,
                                struct gm_str token, struct gm_jwt *jwt)
{
    struct gm_str rest[2];
    if (token.n > GM_JWT_SIZE_MAX || !take_header(reading, token, rest)) {
        return GM_JWT_NONE;
    }
    jwt->why_z = check_all_but_signature(reading, rest, jwt);
    if (jwt->why_z != NULL) {
        return GM_JWT_BAD;
    }
    switch (gm_keys_verify(keys, gm_json_member_str(reading->header, "alg"),
                           gm_json_member_str(reading->header, "kid"), reading->signed_text,
                           reading->signature)) {
    case GM_KEYS_GOOD:
        return GM_JWT_GOOD;
    case GM_KEYS_UNKNOWN:
        return GM_JWT_UNKNOWN;
    case GM_KEYS_BAD:
        break;
    }
    jwt->why_z = "its signature is not good";
    return GM_JWT_BAD;
}

enum gm_jwt_answer gm_jwt_check(const struct gm_access_jwt *rules, const struct gm_keys *keys,
                                struct gm_str token, gm_ns now, struct gm_jwt *out_jwt)
{
    struct reading reading = {.rules = rules, .arena = gm_arena_new(ARENA_SIZE_MAX), .now = now};
    *out_jwt = (struct gm_jwt){0};
    enum gm_jwt_answer answer = check(&reading, keys, token, out_jwt);
    gm_arena_free(reading.arena);
    return answer;
}
