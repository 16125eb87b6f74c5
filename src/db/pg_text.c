#include "db/pg_text.h"

#include <math.h>

#include "base/num.h"

/* Single states that differ from their class. */
static const struct {
    const char *state;
    gm_rc rc;
} states[] = {
    {"25006", GM_E_CONFIG},  /* read-only transaction */
    {"53100", GM_E_IO},      /* disk full */
    {"55P03", GM_E_RETRY},   /* lock not available */
    {"55006", GM_E_RETRY},   /* object in use */
    {"57014", GM_E_RETRY},   /* cancelled, by somebody else: our own cancels are not classified */
    {"XX001", GM_E_CORRUPT}, /* data corrupted */
    {"XX002", GM_E_CORRUPT}, /* index corrupted */
};

static const struct {
    const char *class;
    gm_rc rc;
} classes[] = {
    {"08", GM_E_RETRY},    /* connection */
    {"0A", GM_E_CONFIG},   /* feature not supported */
    {"21", GM_E_INVALID},  /* cardinality */
    {"22", GM_E_INVALID},  /* data */
    {"23", GM_E_CONFLICT}, /* constraint */
    {"25", GM_E_RETRY},    /* transaction state */
    {"28", GM_E_CONFIG},   /* login */
    {"3D", GM_E_CONFIG},   /* no such database */
    {"3F", GM_E_CONFIG},   /* no such schema */
    {"40", GM_E_RETRY},    /* serialization, deadlock */
    {"42", GM_E_CONFIG},   /* syntax, names, permission */
    {"44", GM_E_CONFLICT}, /* check option */
    {"53", GM_E_RETRY},    /* resources */
    {"54", GM_E_INVALID},  /* too large or complex */
    {"55", GM_E_RETRY},    /* object not in the right state */
    {"57", GM_E_RETRY},    /* operator: shutdown, starting up */
    {"58", GM_E_IO},       /* system error */
    {"P0", GM_E_INVALID},  /* raised by a function or trigger */
    {"XX", GM_E_IO},       /* internal error */
};

gm_rc gm_pg_classify(const char *state)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(states); i++) {
        if (memcmp(state, states[i].state, 5) == 0) {
            return states[i].rc;
        }
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(classes); i++) {
        if (memcmp(state, classes[i].class, 2) == 0) {
            return classes[i].rc;
        }
    }
    return GM_E_CONFIG;
}

const char *gm_pg_find_state(const char *message_z)
{
    /* The word for the severity is translated; the two spaces behind it are not. */
    for (const char *p = strstr(message_z, ":  "); p != NULL; p = strstr(p + 1, ":  ")) {
        const char *state = p + 3;
        if (strspn(state, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 5 && state[5] == ':') {
            return state;
        }
    }
    return NULL;
}

struct gm_str gm_pg_first_line(const char *message_z)
{
    const char *state = gm_pg_find_state(message_z);
    const char *from = state != NULL ? state + 6 : message_z;
    return gm_str_trim((struct gm_str){from, strcspn(from, "\r\n")});
}

enum gm_column_type gm_pg_column_type(unsigned type)
{
    switch (type) {
    case GM_PG_INT2:
    case GM_PG_INT4:
    case GM_PG_INT8:
    case GM_PG_OID:
        return GM_COLUMN_INT;
    case GM_PG_FLOAT4:
    case GM_PG_FLOAT8:
        return GM_COLUMN_DOUBLE;
    case GM_PG_BOOL:
        return GM_COLUMN_BOOL;
    case GM_PG_BYTEA:
        return GM_COLUMN_BLOB;
    case GM_PG_JSON:
    case GM_PG_JSONB:
        return GM_COLUMN_JSON;
    default:
        return GM_COLUMN_TEXT;
    }
}

bool gm_pg_is_text(unsigned type)
{
    switch (type) {
    case GM_PG_BYTEA:
    case GM_PG_NAME:
    case GM_PG_TEXT:
    case GM_PG_JSON:
    case GM_PG_XML:
    case GM_PG_UNKNOWN:
    case GM_PG_BPCHAR:
    case GM_PG_VARCHAR:
        return true;
    default:
        return false;
    }
}

double gm_pg_double(struct gm_str text)
{
    double v = 0;
    if (gm_parse_double(text, &v)) {
        return v;
    }
    if (gm_str_is(text, "NaN")) {
        return NAN;
    }
    if (gm_str_is(text, "Infinity") || gm_str_is(text, "-Infinity")) {
        return text.p[0] == '-' ? -INFINITY : INFINITY;
    }
    return gm_str_is(text, "t") ? 1 : 0;
}

int64_t gm_pg_i64(struct gm_str text)
{
    int64_t v = 0;
    if (gm_parse_i64(text, &v)) {
        return v;
    }
    double d = gm_pg_double(text);
    if (isnan(d)) {
        return 0;
    }
    /* 2^63 is the first double that does not fit. */
    return d >= 0x1p63 ? INT64_MAX : d < -0x1p63 ? INT64_MIN : (int64_t)d;
}

static unsigned nibble(char c)
{
    return c >= 'a'   ? (unsigned)(c - 'a' + 10)
           : c >= 'A' ? (unsigned)(c - 'A' + 10)
                      : (unsigned)(c - '0');
}

size_t gm_pg_unhex(char *p, size_t n)
{
    if (n < 2 || p[0] != '\\' || p[1] != 'x') {
        return n; /* a server that cannot be told to use the hexadecimal form */
    }
    size_t count = (n - 2) / 2;
    for (size_t i = 0; i < count; i++) {
        p[i] = (char)(nibble(p[2 + 2 * i]) << 4 | nibble(p[3 + 2 * i]));
    }
    return count;
}
