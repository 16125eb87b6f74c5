#include "base/metrics.h"

#include <math.h>
/* tidy: libraries: os/thread.h lies above base, and the registry needs one static mutex */
#include <pthread.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/status.h"

static const struct gm_metric_info infos[GM_METRIC_COUNT] = {
    [GM_M_BUILD_INFO] = {"gemel_build_info", "gauge", "version",
                         "Always 1; the label says which version runs."},
    [GM_M_RECORDS_READ] = {"gemel_records_read_total", "counter", "pipeline",
                           "Records read from the source."},
    [GM_M_RECORDS_UNCHANGED] =
        {"gemel_records_unchanged_total", "counter", "pipeline",
         "Records that were equal to what was delivered before, so nothing was written."},
    [GM_M_RECORDS_CREATED] = {"gemel_records_created_total", "counter", "pipeline",
                              "Objects created in the sink."},
    [GM_M_RECORDS_UPDATED] = {"gemel_records_updated_total", "counter", "pipeline",
                              "Objects updated in the sink."},
    [GM_M_RECORDS_DELETED] = {"gemel_records_deleted_total", "counter", "pipeline",
                              "Objects deleted from the sink."},
    [GM_M_RECORDS_PARKED] = {"gemel_records_parked_total", "counter", "pipeline",
                             "Records parked as dead letters, with the later ones of their key."},
    [GM_M_RUNS_STARTED] = {"gemel_runs_started_total", "counter", "pipeline",
                           "Runs that were started."},
    [GM_M_RUNS_SUCCEEDED] = {"gemel_runs_succeeded_total", "counter", "pipeline",
                             "Runs that went through."},
    [GM_M_RUNS_FAILED] = {"gemel_runs_failed_total", "counter", "pipeline",
                          "Runs that failed or were stopped."},
    [GM_M_RUNS_SKIPPED] = {"gemel_runs_skipped_total", "counter", "pipeline",
                           "Runs that were due while the one before was still under way."},
    [GM_M_RUN_RUNNING] = {"gemel_run_running", "gauge", "pipeline",
                          "1 while a run is under way, else 0."},
    [GM_M_RUN_LAST_SECONDS] = {"gemel_run_last_duration_seconds", "gauge", "pipeline",
                               "How long the last run took."},
    [GM_M_RUN_LAST_SUCCESS_TIME] = {"gemel_run_last_success_timestamp_seconds", "gauge", "pipeline",
                                    "When the last run that went through ended, as Unix time."},
    [GM_M_SWEEPS_BLOCKED] = {"gemel_sweeps_blocked_total", "counter", "pipeline",
                             "Deletion sweeps that a gate held back."},
    [GM_M_STREAM_LAG] = {"gemel_stream_lag", "gauge", "pipeline",
                         "Events of its stream that a pipeline has not delivered yet."},
    [GM_M_DEAD_LETTERS] = {"gemel_dead_letters", "gauge", "pipeline",
                           "Records that are parked now."},
    [GM_M_PENDING_RELATIONSHIPS] = {"gemel_pending_relationships", "gauge", NULL,
                                    "Relationships that wait for their target."},
    [GM_M_WEBHOOK_FAILURES] = {"gemel_webhook_failures_total", "counter", NULL,
                               "Run reports that no webhook took."},
    [GM_M_STORE_COMMITS] = {"gemel_store_commits_total", "counter", NULL, "Commits of the store."},
    [GM_M_STORE_COMMIT_SECONDS] = {"gemel_store_commit_seconds_total", "counter", NULL,
                                   "Time spent in commits."},
    [GM_M_STORE_SIZE_BYTES] = {"gemel_store_size_bytes", "gauge", NULL,
                               "Size of the store's files."},
    [GM_M_RESIDENT_BYTES] = {"gemel_resident_memory_bytes", "gauge", NULL,
                             "Resident memory of the process."},
    [GM_M_API_CALLS] = {"gemel_api_calls_total", "counter", "operation",
                        "Calls of the twin API that were answered."},
    [GM_M_API_SECONDS] = {"gemel_api_seconds_total", "counter", "operation",
                          "Time from a call's arrival to its answer, of all of them."},
    [GM_M_TARGET_CALLS] = {"gemel_target_calls_total", "counter", "target",
                           "Calls that services outside have answered, by address."},
    [GM_M_TARGET_REFUSALS] = {"gemel_target_refusals_total", "counter", "target",
                              "Calls that services outside have put off (429, 503)."},
    [GM_M_TARGET_FAILURES] = {"gemel_target_failures_total", "counter", "target",
                              "Calls that got no answer, or a 5xx, and were tried again."},
    [GM_M_API_REFUSED] = {"gemel_api_refused_total", "counter", "code",
                          "Calls of the twin API that were answered with an error."},
    [GM_M_ROUTE_DELIVERED] = {"gemel_route_events_total", "counter", "route",
                              "Events that the endpoint confirmed."},
    [GM_M_ROUTE_FAILURES] = {"gemel_route_failures_total", "counter", "route",
                             "Attempts to deliver that failed."},
    [GM_M_ROUTE_LAG] = {"gemel_route_lag_changes", "gauge", "route",
                        "Changes in the log that the route has not settled yet."},
    [GM_M_ROUTE_LETTERS] = {"gemel_route_dead_letters", "gauge", "route",
                            "Events that are parked or wait behind one that is."},
    [GM_M_INTAKE_CONNECTIONS] = {"gemel_intake_connections", "gauge", "source",
                                 "Connections to a stream's source that are up."},
    [GM_M_INTAKE_MESSAGES] = {"gemel_intake_messages_total", "counter", "source",
                              "Messages that were taken and acknowledged."},
    [GM_M_INTAKE_EVENTS] = {"gemel_intake_events_total", "counter", "source",
                            "Events of messages that were appended to the stream."},
    [GM_M_INTAKE_DUPLICATES] = {"gemel_intake_duplicates_total", "counter", "source",
                                "Events of messages that the stream had taken before."},
    [GM_M_INTAKE_REFUSED] = {"gemel_intake_refused_total", "counter", "source",
                             "Messages that held something that is no event."},
    [GM_M_FORWARD_EVENTS] = {"gemel_forward_events_total", "counter", "stream",
                             "Events that the other Gemel confirmed."},
    [GM_M_FORWARD_DUPLICATES] = {"gemel_forward_duplicates_total", "counter", "stream",
                                 "Events that were sent again and that it had already."},
    [GM_M_FORWARD_FAILURES] = {"gemel_forward_failures_total", "counter", "stream",
                               "Requests to the other Gemel that failed."},
    [GM_M_FORWARD_LOST] = {"gemel_forward_lost_events_total", "counter", "stream",
                           "Events that were gone before they were forwarded."},
    [GM_M_FORWARD_LAG] = {"gemel_forward_lag_events", "gauge", "stream",
                          "Events that the other Gemel has not confirmed yet."},
    [GM_M_FOLLOWER_LAG] = {"gemel_follower_lag_events", "gauge", "follower",
                           "Events (of `changes`: changes) that a client which follows over HTTP "
                           "has not been sent yet, while it is connected."},
    [GM_M_VIEW_LAG] = {"gemel_view_lag_events", "gauge", "view",
                       "Events of the stream that are not in the view yet."},
    [GM_M_VIEW_FOLLOWERS] = {"gemel_view_followers", "gauge", "view",
                             "Who follows the view's changes."},
    [GM_M_VIEW_FOLLOWER_LAG] = {"gemel_view_follower_lag_events", "gauge", "view",
                                "Events of the stream that the follower who is farthest behind has "
                                "not seen."},
};

/* The only lock of rank 0; held for arithmetic only. */
static pthread_mutex_t metrics_mu = PTHREAD_MUTEX_INITIALIZER;
static struct gm_map
    *samples[GM_METRIC_COUNT]; /* guarded by metrics_mu; label → bits of a double; NULL: none yet */

static void lock_metrics(void)
{
    GM_ASSERT(pthread_mutex_lock(&metrics_mu) == 0);
}

static void unlock_metrics(void)
{
    GM_ASSERT(pthread_mutex_unlock(&metrics_mu) == 0);
}

static uint64_t to_bits(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    return bits;
}

static double from_bits(uint64_t bits)
{
    double v;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

const struct gm_metric_info *gm_metric_info(enum gm_metric metric)
{
    GM_ASSERT((size_t)metric < GM_METRIC_COUNT);
    return &infos[metric];
}

/* The label a sample is kept under. */
static struct gm_str sample_label(enum gm_metric metric, struct gm_str label)
{
    uint64_t known;
    if (infos[metric].label_z == NULL) {
        return GM_STR("");
    }
    if (samples[metric] != NULL && gm_map_count(samples[metric]) >= GM_METRIC_LABELS_MAX &&
        !gm_map_get(samples[metric], label, &known)) {
        return GM_STR("other");
    }
    return label;
}

static double get_sample(enum gm_metric metric, struct gm_str label)
{
    uint64_t bits;
    bool known = samples[metric] != NULL && gm_map_get(samples[metric], label, &bits);
    return known ? from_bits(bits) : 0;
}

static void set_sample(enum gm_metric metric, struct gm_str label, double value)
{
    if (samples[metric] == NULL) {
        samples[metric] = gm_map_new();
    }
    gm_map_set(samples[metric], label, to_bits(value));
}

void gm_metric_add(enum gm_metric metric, struct gm_str label, double delta)
{
    GM_ASSERT((size_t)metric < GM_METRIC_COUNT);
    lock_metrics();
    label = sample_label(metric, label);
    set_sample(metric, label, get_sample(metric, label) + delta);
    unlock_metrics();
}

void gm_metric_set(enum gm_metric metric, struct gm_str label, double value)
{
    GM_ASSERT((size_t)metric < GM_METRIC_COUNT);
    lock_metrics();
    set_sample(metric, sample_label(metric, label), value);
    unlock_metrics();
}

void gm_metric_forget(enum gm_metric metric, struct gm_str label)
{
    GM_ASSERT((size_t)metric < GM_METRIC_COUNT);
    lock_metrics();
    if (samples[metric] != NULL) {
        (void)gm_map_remove(samples[metric], label);
    }
    unlock_metrics();
}

double gm_metric_get(enum gm_metric metric, struct gm_str label)
{
    GM_ASSERT((size_t)metric < GM_METRIC_COUNT);
    lock_metrics();
    double value = get_sample(metric, infos[metric].label_z != NULL ? label : GM_STR(""));
    unlock_metrics();
    return value;
}

static void write_label_value(struct gm_buf *out, struct gm_str label)
{
    for (size_t i = 0; i < label.n; i++) {
        switch (label.p[i]) {
        case '\\':
            gm_buf_add(out, GM_STR("\\\\"));
            break;
        case '"':
            gm_buf_add(out, GM_STR("\\\""));
            break;
        case '\n':
            gm_buf_add(out, GM_STR("\\n"));
            break;
        default:
            gm_buf_add_char(out, label.p[i]);
        }
    }
}

static void write_value(struct gm_buf *out, double v)
{
    static const double exact = 9007199254740992.0; /* 2^53 */
    char text[GM_NUM_TEXT_SIZE];
    if (isnan(v)) {
        gm_buf_add(out, GM_STR("NaN"));
    } else if (isinf(v)) {
        gm_buf_add_z(out, v > 0 ? "+Inf" : "-Inf");
    } else if (v == floor(v) && fabs(v) < exact) {
        gm_buf_add(out, (struct gm_str){text, gm_format_i64((int64_t)v, text)});
    } else {
        gm_buf_add(out, (struct gm_str){text, gm_format_double(v, text)});
    }
}

static void write_sample(struct gm_buf *out, const struct gm_metric_info *info, struct gm_str label,
                         double value)
{
    gm_buf_add_z(out, info->name_z);
    if (info->label_z != NULL) {
        gm_buf_add_char(out, '{');
        gm_buf_add_z(out, info->label_z);
        gm_buf_add(out, GM_STR("=\""));
        write_label_value(out, label);
        gm_buf_add(out, GM_STR("\"}"));
    }
    gm_buf_add_char(out, ' ');
    write_value(out, value);
    gm_buf_add_char(out, '\n');
}

/* In order of labels: two expositions of the same values are the same bytes. Selection by insertion
 * is quadratic, with at most GM_METRIC_LABELS_MAX + 1 labels. */
static void write_samples(struct gm_buf *out, const struct gm_metric_info *info,
                          const struct gm_map *map)
{
    size_t count = gm_map_count(map);
    size_t order[GM_METRIC_LABELS_MAX + 1];
    GM_ASSERT(count <= GM_ARRAY_COUNT(order));
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && gm_str_cmp(gm_map_key_at(map, order[at - 1]), gm_map_key_at(map, i)) > 0;
             at--) {
            order[at] = order[at - 1];
        }
        order[at] = i;
    }
    for (size_t i = 0; i < count; i++) {
        write_sample(out, info, gm_map_key_at(map, order[i]),
                     from_bits(gm_map_value_at(map, order[i])));
    }
}

void gm_metrics_write(struct gm_buf *out)
{
    lock_metrics();
    for (size_t i = 0; i < GM_METRIC_COUNT; i++) {
        const struct gm_metric_info *info = &infos[i];
        gm_buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", info->name_z, info->help_z, info->name_z,
                    info->type_z);
        if (samples[i] != NULL) {
            write_samples(out, info, samples[i]);
        } else if (info->label_z == NULL) {
            write_sample(out, info, GM_STR(""), 0);
        }
    }
    unlock_metrics();
}
