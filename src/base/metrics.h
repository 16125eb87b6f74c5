/* Metrics: a table of families known at compile time, each with at most one label, in Prometheus'
 * text format (https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4).
 *
 *     gm_metric_add(GM_M_ROWS_READ, GM_STR("products"), 77);
 *
 * The families stand in metrics.c's table, from which the reference page is derived. Counters and
 * gauges are doubles behind one mutex per registry; hot paths add once a batch, not once a record.
 * Label values are bounded: above GM_METRIC_LABELS_MAX per family they are added under "other".
 * Families without a label ignore it and are exposed as 0 from the start.
 * Thread rule: any thread. */
#ifndef GM_BASE_METRICS_H
#define GM_BASE_METRICS_H

#include "base/buf.h"
#include "base/str.h"

enum gm_metric {
    GM_M_BUILD_INFO,            /* gauge, label version: 1 */
    GM_M_RECORDS_READ,          /* counter, label pipeline */
    GM_M_RECORDS_UNCHANGED,     /* counter, label pipeline */
    GM_M_RECORDS_CREATED,       /* counter, label pipeline */
    GM_M_RECORDS_UPDATED,       /* counter, label pipeline */
    GM_M_RECORDS_DELETED,       /* counter, label pipeline */
    GM_M_RECORDS_PARKED,        /* counter, label pipeline */
    GM_M_RUNS_STARTED,          /* counter, label pipeline */
    GM_M_RUNS_SUCCEEDED,        /* counter, label pipeline */
    GM_M_RUNS_FAILED,           /* counter, label pipeline */
    GM_M_RUNS_SKIPPED,          /* counter, label pipeline: overlap refused */
    GM_M_RUN_RUNNING,           /* gauge, label pipeline: 1 while a run is under way */
    GM_M_RUN_LAST_SECONDS,      /* gauge, label pipeline: duration of the last run */
    GM_M_RUN_LAST_SUCCESS_TIME, /* gauge, label pipeline: unix time */
    GM_M_SWEEPS_BLOCKED,        /* counter, label pipeline */
    GM_M_DEAD_LETTERS,          /* gauge, label pipeline */
    GM_M_STREAM_LAG,            /* gauge, label pipeline */
    GM_M_PENDING_RELATIONSHIPS, /* gauge */
    GM_M_WEBHOOK_FAILURES,      /* counter */
    GM_M_STORE_COMMITS,         /* counter */
    GM_M_STORE_COMMIT_SECONDS,  /* counter: total time spent in commits */
    GM_M_STORE_SIZE_BYTES,      /* gauge */
    GM_M_RESIDENT_BYTES,        /* gauge: resident memory of the process */
    GM_M_API_CALLS,             /* counter, label operation */
    GM_M_API_SECONDS,           /* counter, label operation: total time until the answer */
    GM_M_TARGET_CALLS,          /* counter, label target: calls that services answered */
    GM_M_TARGET_REFUSALS,       /* counter, label target: 429 and 503 */
    GM_M_TARGET_FAILURES,       /* counter, label target: no answer, or a 5xx */
    GM_M_API_REFUSED,           /* counter, label code */
    GM_M_ROUTE_DELIVERED,       /* counter, label route: events */
    GM_M_ROUTE_FAILURES,        /* counter, label route: attempts */
    GM_M_ROUTE_LAG,             /* gauge, label route: changes */
    GM_M_ROUTE_LETTERS,         /* gauge, label route */
    GM_M_INTAKE_CONNECTIONS,    /* gauge, label source: that are up */
    GM_M_INTAKE_MESSAGES,       /* counter, label source */
    GM_M_INTAKE_EVENTS,         /* counter, label source: appended */
    GM_M_INTAKE_DUPLICATES,     /* counter, label source: events taken before */
    GM_M_INTAKE_REFUSED,        /* counter, label source: messages */
    GM_M_FORWARD_EVENTS,        /* counter, label stream: that the other Gemel confirmed */
    GM_M_FORWARD_DUPLICATES,    /* counter, label stream: of these, that it had already */
    GM_M_FORWARD_FAILURES,      /* counter, label stream: requests */
    GM_M_FORWARD_LOST,          /* counter, label stream: events that were gone */
    GM_M_FORWARD_LAG,           /* gauge, label stream: events that are not confirmed */
    GM_M_VIEW_LAG,              /* gauge, label view: events that are not folded */
    GM_M_VIEW_FOLLOWERS,        /* gauge, label view */
    GM_M_VIEW_FOLLOWER_LAG,     /* gauge, label view: events, of who is farthest behind */
    GM_M_FOLLOWER_LAG,          /* gauge, label follower: events or changes */
    GM_METRIC_COUNT,
};

enum { GM_METRIC_LABELS_MAX = 1000 };

struct gm_metric_info {
    const char *name_z;  /* "gemel_records_read_total" */
    const char *type_z;  /* "counter", "gauge" */
    const char *label_z; /* NULL: none */
    const char *help_z;
};
const struct gm_metric_info *gm_metric_info(enum gm_metric metric);

void gm_metric_add(enum gm_metric metric, struct gm_str label, double delta);
void gm_metric_set(enum gm_metric metric, struct gm_str label, double value);
/* The sample is shown no more: what it is about has gone. */
void gm_metric_forget(enum gm_metric metric, struct gm_str label);
double gm_metric_get(enum gm_metric metric, struct gm_str label);
void gm_metrics_write(struct gm_buf *out); /* the whole exposition */

#endif
