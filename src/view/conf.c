#include "view/conf.h"

#include "base/mem.h"
#include "base/num.h"
#include "flow/condition.h"
#include "flow/record.h"

static const struct gm_field value_fields[] = {
    GM_FIELD_STR(struct gm_view_value_conf, of, .example = "machine.temperature",
                 .help =
                     "Path of the value in an event's body: names, and numbers of items from 0, "
                     "with dots between them; a name with dots in `[[ ]]`. Without it the "
                     "value's own name."),
    GM_FIELD_STR(struct gm_view_value_conf, when, .example = "\"kind = 'temperature'\"",
                 .help = "Only of events whose body this condition holds of; as `filter`, with the "
                         "types of JSON."),
    GM_FIELD_STRS(struct gm_view_value_conf, as, .example = "[count, mean, max, p99]", .max = "16",
                  .help =
                      "What is kept of it in each window: `count`, `sum`, `mean`, `min`, `max`, "
                      "`stddev`, `first`, `last`, and quantiles as `p50`, `p99.9`. Without it "
                      "`mean`, `min` and `max`. Of latest values nothing is written here."),
    GM_FIELD_END,
};
static const struct gm_field group_fields[] = {
    GM_FIELD_STR(struct gm_view_group_conf, twin, .example = "\"sensor-{key}\"",
                 .help = "The twin that an event's key stands for; `{key}` is the key."),
    GM_FIELD_STRS(struct gm_view_group_conf, via, .example = "[partOf, partOf]", .max = "8",
                  .help = "Relationships from there, one after the other; the twin at their end is "
                          "what the event counts for."),
    GM_FIELD_END,
};
const struct gm_field gm_view_fields[] = {
    GM_FIELD_STR(struct gm_view_conf, stream, .flags = GM_F_REQUIRED, .example = "telemetry",
                 .help = "The stream whose events are folded."),
    GM_FIELD_STR(struct gm_view_conf, by, .def = "$key", .example = "machine.machineId",
                 .help =
                     "What rows are about: `$key`, `$origin` or `$type` of the event, or a path "
                     "in its body."),
    GM_FIELD_STRUCT(struct gm_view_conf, group, .fields = group_fields,
                    .help =
                        "Counts events for what their thing belongs to in the graph: a sensor's "
                        "machine, line or factory."),
    GM_FIELD_SPAN(struct gm_view_conf, window, .def = "0", .example = "1m",
                  .help = "Length of a window of event time. 0: the latest value of each key."),
    GM_FIELD_SPAN(struct gm_view_conf, hop, .def = "0", .example = "10s",
                  .help =
                      "Time from one window's beginning to the next's; 0: `window`, so that they "
                      "do not overlap."),
    GM_FIELD_SPAN(struct gm_view_conf, lateness, .def = "10s",
                  .help =
                      "How far an event may be behind the newest one before its window counts as "
                      "closed. Later ones are folded in, too, and counted as corrections."),
    GM_FIELD_SPAN(struct gm_view_conf, keep, .def = "0", .example = "30d",
                  .help = "Windows that ended this long before the newest event are gone; 0: none "
                          "are."),
    GM_FIELD_MAP(struct gm_view_conf, values, .flags = GM_F_REQUIRED, .fields = value_fields,
                 .item_size = sizeof(struct gm_view_value_conf),
                 .example = "{ temperature: { of: machine.temperature, as: [mean, max] } }",
                 .help = "What is kept, by name."),
    GM_FIELD_END,
};

/* ---- aggregates ---- */

static const struct {
    const char *name_z;
    unsigned aggregate;
} aggregates[] = {
    {"count", GM_AGG_COUNT}, {"sum", GM_AGG_SUM},   {"mean", GM_AGG_MEAN},
    {"min", GM_AGG_MIN},     {"max", GM_AGG_MAX},   {"stddev", GM_AGG_STDDEV},
    {"first", GM_AGG_FIRST}, {"last", GM_AGG_LAST},
};

/* "p99.9": 0.999 */
static bool read_quantile(const char *text_z, double *out_quantile)
{
    double percent;
    if (text_z[0] != 'p' || !gm_parse_double(gm_str_z(text_z + 1), &percent) || percent < 0 ||
        percent > 100) {
        return false;
    }
    *out_quantile = percent / 100;
    return true;
}

/* 0: there is none of that name. */
static unsigned aggregate_of(const char *text_z)
{
    double ignored;
    for (size_t i = 0; i < GM_ARRAY_COUNT(aggregates); i++) {
        if (strcmp(aggregates[i].name_z, text_z) == 0) {
            return aggregates[i].aggregate;
        }
    }
    return read_quantile(text_z, &ignored) ? GM_AGG_QUANTILES : 0;
}

/* Its bit among the view's quantiles; 0: there are too many. */
static unsigned add_quantile(struct gm_view_spec *spec, double quantile)
{
    size_t i = 0;
    while (i < spec->quantile_count && spec->quantiles[i] != quantile) {
        i++;
    }
    if (i == GM_VIEW_QUANTILES_MAX) {
        return 0;
    }
    spec->quantiles[i] = quantile;
    spec->quantile_count += i == spec->quantile_count ? 1 : 0;
    return 1U << i;
}

static void read_aggregates(const struct gm_view_value_conf *conf, struct gm_view_value *value,
                            struct gm_view_spec *spec)
{
    value->aggregates = conf->as.n == 0 ? GM_AGG_MEAN | GM_AGG_MIN | GM_AGG_MAX : 0;
    for (size_t i = 0; i < conf->as.n; i++) {
        double quantile;
        value->aggregates |= aggregate_of(conf->as.at[i]);
        if (read_quantile(conf->as.at[i], &quantile)) {
            value->quantiles |= add_quantile(spec, quantile);
        }
    }
}

static struct gm_str group_text(const struct gm_view_group_conf *group, struct gm_arena *arena)
{
    struct gm_str text = gm_arena_dup(arena, gm_str_z(group->twin));
    for (size_t i = 0; i < group->via.n; i++) {
        text = gm_arena_format(arena, GM_STR_FMT " %s", GM_STR_ARG(text), group->via.at[i]);
    }
    return text;
}

void gm_view_conf_spec(const struct gm_conf_map_entry *entry, struct gm_arena *arena,
                       struct gm_view_spec *out_spec)
{
    const struct gm_view_conf *conf = entry->value;
    struct gm_view_value *values = gm_arena_zalloc(arena, (conf->values.n + 1) * sizeof(values[0]));
    GM_ASSERT(values != NULL);
    *out_spec = (struct gm_view_spec){.name = gm_str_z(entry->name_z),
                                      .stream = gm_str_z(conf->stream),
                                      .by = gm_str_z(conf->by),
                                      .size = conf->window,
                                      .hop = conf->hop,
                                      .lateness = conf->lateness,
                                      .keep = conf->keep,
                                      .values = values,
                                      .value_count = conf->values.n};
    if (conf->group.twin != NULL) {
        out_spec->group = group_text(&conf->group, arena);
    }
    for (size_t i = 0; i < conf->values.n; i++) {
        const struct gm_view_value_conf *value = conf->values.at[i].value;
        values[i].name = gm_str_z(conf->values.at[i].name_z);
        values[i].when = gm_str_z(value->when);
        values[i].path = value->of != NULL ? gm_str_z(value->of) : values[i].name;
        if (conf->window > 0) {
            read_aggregates(value, &values[i], out_spec);
        }
    }
}

/* ---- checks ---- */

static void check_condition(struct gm_conf_doc *doc, const char *view_z,
                            const struct gm_conf_map_entry *entry)
{
    const struct gm_view_value_conf *conf = entry->value;
    struct gm_condition *when = NULL;
    struct gm_err err = {0};
    if (conf->when == NULL) {
        return;
    }
    if (gm_condition_new(gm_str_z(conf->when), &when, &err) != GM_OK) {
        gm_conf_error(doc, &entry->node->place, "views.%s.values.%s.when: %s", view_z,
                      entry->name_z, err.text);
    }
    gm_condition_free(when);
}

static void check_value(struct gm_conf_doc *doc, const char *view_z,
                        const struct gm_conf_map_entry *entry, bool windowed)
{
    const struct gm_view_value_conf *conf = entry->value;
    const char *path_z = conf->of != NULL ? conf->of : entry->name_z;
    struct gm_path path;
    struct gm_err err = {0};
    if (gm_path_parse(gm_str_z(path_z), &path, &err) != GM_OK) {
        gm_conf_error(doc, &entry->node->place, "views.%s.values.%s: %s", view_z, entry->name_z,
                      err.text);
    }
    check_condition(doc, view_z, entry);
    if (!windowed && conf->as.n > 0) {
        gm_conf_error(
            doc, &entry->node->place,
            "views.%s.values.%s.as: a view without `window` keeps the latest value; leave "
            "it out, or write a `window`",
            view_z, entry->name_z);
    }
    for (size_t i = 0; windowed && i < conf->as.n; i++) {
        if (aggregate_of(conf->as.at[i]) == 0) {
            gm_conf_error(doc, &entry->node->place,
                          "views.%s.values.%s.as: `%s` is not known; write count, sum, mean, min, "
                          "max, stddev, first, last, or a quantile such as p99",
                          view_z, entry->name_z, conf->as.at[i]);
        }
    }
}

static void check_quantiles(struct gm_conf_doc *doc, const struct gm_conf_map_entry *entry)
{
    const struct gm_view_conf *conf = entry->value;
    struct gm_view_spec seen = {0};
    bool fit = true;
    for (size_t i = 0; i < conf->values.n; i++) {
        const struct gm_view_value_conf *value = conf->values.at[i].value;
        for (size_t k = 0; k < value->as.n; k++) {
            double quantile;
            fit = fit && (!read_quantile(value->as.at[k], &quantile) ||
                          add_quantile(&seen, quantile) != 0);
        }
    }
    if (!fit) {
        gm_conf_error(doc, &entry->node->place,
                      "views.%s.values: a view has %d different quantiles at most; make it two",
                      entry->name_z, GM_VIEW_QUANTILES_MAX);
    }
}

static void check_view(struct gm_conf_doc *doc, const struct gm_conf_map_entry *entry)
{
    const struct gm_view_conf *conf = entry->value;
    if (conf->values.n == 0 || conf->values.n > GM_VIEW_VALUES_MAX) {
        gm_conf_error(doc, &entry->node->place, "views.%s.values: write 1 to %d of them",
                      entry->name_z, GM_VIEW_VALUES_MAX);
    }
    gm_ns hop = conf->hop > 0 ? conf->hop : conf->window;
    if (conf->window > 0 && (conf->window + hop - 1) / hop > GM_VIEW_HOPS_MAX) {
        gm_conf_error(doc, &entry->node->place,
                      "views.%s.hop: an event would belong to more than %d windows; make it longer",
                      entry->name_z, GM_VIEW_HOPS_MAX);
    }
    if (conf->group.twin != NULL && strstr(conf->group.twin, "{key}") == NULL) {
        gm_conf_error(doc, &entry->node->place,
                      "views.%s.group.twin: `%s` has no {key}, so every event would be of one twin",
                      entry->name_z, conf->group.twin);
    }
    if (conf->group.twin == NULL && conf->group.via.n > 0) {
        gm_conf_error(doc, &entry->node->place,
                      "views.%s.group: `via` begins at a twin; write `twin: \"sensor-{key}\"`",
                      entry->name_z);
    }
    for (size_t i = 0; i < conf->values.n; i++) {
        check_value(doc, entry->name_z, &conf->values.at[i], conf->window > 0);
    }
    check_quantiles(doc, entry);
}

void gm_view_conf_check(struct gm_conf_doc *doc, const struct gm_conf_map *views)
{
    for (size_t i = 0; i < views->n; i++) {
        check_view(doc, &views->at[i]);
    }
}
