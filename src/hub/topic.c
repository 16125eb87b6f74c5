/* See topic.h. */
#include "hub/topic.h"

#include "base/buf.h"
#include "base/mem.h"

enum { FILTER_SIZE_MAX = 65535 };

enum level_kind { LEVEL_TEXT, LEVEL_ONE, LEVEL_REST };

struct level {
    enum level_kind kind;
    struct gm_str text; /* of LEVEL_TEXT */
    struct gm_str name; /* of LEVEL_ONE; n 0: none */
};
struct pattern {
    struct level levels[GM_TOPIC_LEVELS_MAX];
    size_t count;
};
struct gm_topics {
    const struct gm_mqtt_conf *conf;
    struct pattern *patterns;
    char **filters;
    size_t count;
};

/* Values of a message's names. */
struct named {
    struct gm_str name, value;
};
struct names {
    struct named at[GM_TOPIC_NAMES_MAX];
    size_t count;
};

/* ---- making ---- */

static bool is_name(struct gm_str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_')) {
            return false;
        }
    }
    return name.n > 0;
}

static bool has_name(const struct pattern *pattern, struct gm_str name)
{
    for (size_t i = 0; i < pattern->count; i++) {
        if (pattern->levels[i].name.n > 0 && gm_str_eq(pattern->levels[i].name, name)) {
            return true;
        }
    }
    return false;
}

static gm_rc parse_level(const char *topic_z, struct gm_str text, struct pattern *pattern,
                         struct gm_err *err)
{
    struct level *level = &pattern->levels[pattern->count];
    *level = (struct level){.kind = LEVEL_TEXT, .text = text};
    if (gm_str_is(text, "+")) {
        level->kind = LEVEL_ONE;
    } else if (gm_str_is(text, "#")) {
        level->kind = LEVEL_REST;
    } else if (text.n > 2 && text.p[0] == '{' && text.p[text.n - 1] == '}') {
        struct gm_str name = {text.p + 1, text.n - 2};
        if (!is_name(name) || has_name(pattern, name)) {
            return gm_fail(err, GM_E_CONFIG,
                           "topic `%s`: `" GM_STR_FMT "`: a name of letters, digits and _, once",
                           topic_z, GM_STR_ARG(text));
        }
        level->kind = LEVEL_ONE;
        level->name = name;
    } else if (text.n > 0 &&
               (memchr(text.p, '{', text.n) != NULL || memchr(text.p, '+', text.n) != NULL ||
                memchr(text.p, '#', text.n) != NULL)) {
        return gm_fail(err, GM_E_CONFIG,
                       "topic `%s`: `" GM_STR_FMT "`: +, # and {name} stand for whole levels",
                       topic_z, GM_STR_ARG(text));
    }
    pattern->count++;
    return GM_OK;
}

static gm_rc parse_topic(const char *topic_z, struct pattern *pattern, struct gm_err *err)
{
    struct gm_str rest = gm_str_z(topic_z), text;
    size_t names = 0;
    bool more = rest.n > 0;
    if (!more || rest.p[0] == '$') {
        return gm_fail(err, GM_E_CONFIG,
                       "topic `%s`: give one that begins with a letter or /; "
                       "for a shared subscription there is `share`",
                       topic_z);
    }
    while (more) {
        if (pattern->count == GM_TOPIC_LEVELS_MAX) {
            return gm_fail(err, GM_E_CONFIG, "topic `%s`: more than %d levels", topic_z,
                           GM_TOPIC_LEVELS_MAX);
        }
        if (pattern->count > 0 && pattern->levels[pattern->count - 1].kind == LEVEL_REST) {
            return gm_fail(err, GM_E_CONFIG, "topic `%s`: # stands at the end", topic_z);
        }
        more = gm_str_cut(rest, '/', &text, &rest);
        GM_TRY(parse_level(topic_z, text, pattern, err));
        names += pattern->levels[pattern->count - 1].name.n > 0;
    }
    if (names > GM_TOPIC_NAMES_MAX) {
        return gm_fail(err, GM_E_CONFIG, "topic `%s`: more than %d names", topic_z,
                       GM_TOPIC_NAMES_MAX);
    }
    return GM_OK;
}

static char *make_filter(const struct gm_topics *topics, const struct pattern *pattern)
{
    struct gm_buf text;
    gm_buf_init(&text, FILTER_SIZE_MAX);
    if (topics->conf->share != NULL) {
        gm_buf_addf(&text, "$share/%s/", topics->conf->share);
    }
    for (size_t i = 0; i < pattern->count; i++) {
        const struct level *level = &pattern->levels[i];
        if (i > 0) {
            gm_buf_add_char(&text, '/');
        }
        gm_buf_add(&text, level->kind == LEVEL_TEXT  ? level->text
                          : level->kind == LEVEL_ONE ? GM_STR("+")
                                                     : GM_STR("#"));
    }
    return gm_buf_take_z(&text);
}

/* Each name of a template must be in some topic. */
static gm_rc check_template(const struct gm_topics *topics, const char *setting_z,
                            const char *template_z, struct gm_err *err)
{
    struct gm_str rest = gm_str_z(template_z), text, name;
    while (gm_str_cut(rest, '{', &text, &rest)) {
        bool known = false;
        if (!gm_str_cut(rest, '}', &name, &rest)) {
            return gm_fail(err, GM_E_CONFIG, "`%s`: `%s`: a { without its }", setting_z,
                           template_z);
        }
        for (size_t i = 0; i < topics->count; i++) {
            known = known || has_name(&topics->patterns[i], name);
        }
        if (!known) {
            return gm_fail(err, GM_E_CONFIG, "`%s`: no topic has a level {" GM_STR_FMT "}",
                           setting_z, GM_STR_ARG(name));
        }
    }
    return GM_OK;
}

static gm_rc make_all(struct gm_topics *topics, struct gm_err *err)
{
    const struct gm_mqtt_conf *conf = topics->conf;
    for (size_t i = 0; i < conf->topics.n; i++) {
        GM_TRY(parse_topic(conf->topics.at[i], &topics->patterns[i], err));
        topics->filters[i] = make_filter(topics, &topics->patterns[i]);
        topics->count++;
    }
    GM_TRY(check_template(topics, "key", conf->key, err));
    GM_TRY(check_template(topics, "type", conf->type, err));
    return check_template(topics, "origin", conf->origin, err);
}

gm_rc gm_topics_new(const struct gm_mqtt_conf *conf, struct gm_topics **out_topics,
                    struct gm_err *err)
{
    struct gm_topics *topics = gm_alloc(sizeof(*topics));
    topics->conf = conf;
    topics->patterns = gm_alloc_array(conf->topics.n, sizeof(*topics->patterns));
    topics->filters = gm_alloc_array(conf->topics.n, sizeof(*topics->filters));
    gm_rc rc = make_all(topics, err);
    if (rc != GM_OK) {
        gm_topics_free(topics);
        return rc;
    }
    *out_topics = topics;
    return GM_OK;
}

void gm_topics_free(struct gm_topics *topics)
{
    if (topics != NULL) {
        for (size_t i = 0; i < topics->count; i++) {
            gm_free(topics->filters[i]);
        }
        gm_free(topics->filters);
        gm_free(topics->patterns);
        gm_free(topics);
    }
}

size_t gm_topics_count(const struct gm_topics *topics)
{
    return topics->count;
}

const char *const *gm_topics_filters(const struct gm_topics *topics)
{
    return (const char *const *)topics->filters;
}

/* ---- reading ---- */

static bool fits(const struct pattern *pattern, struct gm_str topic, struct names *names)
{
    struct gm_str rest = topic, text;
    bool more = true;
    names->count = 0;
    for (size_t i = 0; i < pattern->count; i++) {
        const struct level *level = &pattern->levels[i];
        if (level->kind == LEVEL_REST) {
            return true; /* also of no level at all */
        }
        if (!more) {
            return false;
        }
        more = gm_str_cut(rest, '/', &text, &rest);
        if (level->kind == LEVEL_TEXT && !gm_str_eq(level->text, text)) {
            return false;
        }
        if (level->name.n > 0) {
            names->at[names->count++] = (struct named){level->name, text};
        }
    }
    return !more;
}

/* NULL: there is none. */
static const struct named *find_name(const struct names *names, struct gm_str name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (gm_str_eq(names->at[i].name, name)) {
            return &names->at[i];
        }
    }
    return NULL;
}

/* n 0: it says nothing. False: the arena is full. */
static bool expand(const char *template_z, const struct names *names, struct gm_arena *arena,
                   struct gm_str *out)
{
    char text[GM_EVENT_TEXT_SIZE_MAX + 1]; /* one more than is allowed: it is refused then */
    struct gm_str rest = gm_str_z(template_z), parts[2], name;
    size_t n = 0;
    bool more = template_z != NULL;
    *out = (struct gm_str){NULL, 0};
    while (more) {
        more = gm_str_cut(rest, '{', &parts[0], &rest);
        parts[1] = (struct gm_str){NULL, 0};
        if (more) {
            gm_str_cut(rest, '}', &name, &rest);
            const struct named *named = find_name(names, name);
            if (named == NULL || named->value.n == 0) {
                return true;
            }
            parts[1] = named->value;
        }
        for (size_t i = 0; i < 2; i++) {
            size_t take = sizeof(text) - n < parts[i].n ? sizeof(text) - n : parts[i].n;
            if (take > 0) {
                memcpy(text + n, parts[i].p, take);
            }
            n += take;
        }
    }
    if (n > 0) {
        *out = gm_arena_dup(arena, (struct gm_str){text, n});
    }
    return n == 0 || out->p != NULL;
}

bool gm_topics_read(const struct gm_topics *topics, struct gm_str topic, struct gm_arena *arena,
                    struct gm_event *out_known)
{
    struct names names = {.count = 0};
    for (size_t i = 0; i < topics->count; i++) {
        if (fits(&topics->patterns[i], topic, &names)) {
            break;
        }
        names.count = 0;
    }
    return expand(topics->conf->key, &names, arena, &out_known->key) &&
           expand(topics->conf->type, &names, arena, &out_known->type) &&
           expand(topics->conf->origin, &names, arena, &out_known->origin);
}
