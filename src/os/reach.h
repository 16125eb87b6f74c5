/* Whether a server is to be had, before a client library goes and waits for it without an end.
 *
 *     GM_TRY(gm_reach("broker", 1883, &deadline, err));
 *
 * Connects and hangs up. GM_E_RETRY: nobody listens there, or the deadline passed; GM_E_CANCELLED:
 * its stop was requested. Names are looked up by the system, which keeps its own time.
 * Thread rule: any thread. */
#ifndef GM_OS_REACH_H
#define GM_OS_REACH_H

#include "os/clock.h"

gm_rc gm_reach(const char *host_z, int port, const struct gm_deadline *deadline, struct gm_err *err)
    GM_MUST_CHECK;

#endif
