/* Telling somebody about a failure: the report of a run, posted as JSON to a webhook.
 *
 * The body is the report of sync/run.h with "event": "run.failed" or "sweep.blocked". Three
 * attempts with pauses; a failure to tell is logged and counted (gemel_webhook_failures_total) and
 * holds nothing up but the calling runner for at most its time-outs. */
#ifndef GM_ENGINE_NOTIFY_H
#define GM_ENGINE_NOTIFY_H

#include "engine/config.h"
#include "sync/run.h"

/* Does nothing when no webhook is configured or there is nothing to tell. `stop` cuts the pauses
 * short. */
void gm_notify_run(const struct gm_notify_conf *conf, const struct gm_run *run,
                   struct gm_stop *stop);

#endif
