/* The twin API: the data plane of Azure Digital Twins over HTTPS, so that its SDKs and tools work
 * unchanged.
 *
 *     GM_TRY(gm_adt_start(&(struct gm_adt_options){.config = config, .store = store}, &adt, err));
 *     puts(gm_adt_url_z(adt));       // "https://127.0.0.1:8443"
 *     gm_adt_stop(adt);
 *
 * Operations stand in a table (operations.h) that requests are matched against and that the
 * reference page is made of; each names the role that it needs. What a handler has at hand, and how
 * it answers, stands in call.h.
 *
 * The way of a call: route, api-version, who asks and whether they may, size, then the handler.
 * Reads of one thing run on the thread that serves the connection, over a pool of reading
 * connections; queries and listings run on the server's workers under a deadline; writes are parsed
 * on the serving thread and handed to the store's writer, which answers them after the commit. So
 * no thread waits for another, and an answer is never ahead of what is durable.
 *
 * Writes that wait are counted: beyond GM_ADT_WRITES_MAX of them a write is answered 503 with
 * Retry-After at once, so that the store's queue never fills and stalls those who only read. */
#ifndef GM_API_ADT_ADT_H
#define GM_API_ADT_ADT_H

#include "api/adt/operations.h"
#include "engine/config.h"
#include "job/job.h"
#include "store/store.h"

/* Under way in the store's queue, of this API: less than the queue holds, so that handing one over
 * does not wait while pipelines write, too. */
enum { GM_ADT_WRITES_MAX = 768 };

/* More operations, of other parts of the program, on the same server: matched behind those of the
 * service, with the same tokens, roles and rates. Their handlers find `ctx` in call->mount. */
struct gm_adt_mount {
    const struct gm_adt_operation *operations; /* NULL: none */
    void *ctx;
};

struct gm_adt_options {
    const struct gm_config *config; /* keeps */
    struct gm_store *store;         /* keeps */
    struct gm_jobs *jobs;           /* keeps */
    struct gm_routes *routes;       /* keeps; NULL: there are no endpoints */
    struct gm_adt_mount mount;      /* keeps what it points at */
};

struct gm_adt;
/* *out_adt is NULL when the configuration has it off. GM_E_CONFIG: the address is taken or not to
 * be had. */
gm_rc gm_adt_start(const struct gm_adt_options *options, struct gm_adt **out_adt,
                   struct gm_err *err) GM_MUST_CHECK;
const char *gm_adt_url_z(const struct gm_adt *adt);
/* To be called now and then, by who started it: takes up another certificate, logs what is wrong
 * with tokens and keys. NULL is fine. */
void gm_adt_tend(struct gm_adt *adt);
/* Takes no more calls, stops queries under way, waits for writes under way; NULL is fine. */
void gm_adt_stop(struct gm_adt *adt);

#endif
