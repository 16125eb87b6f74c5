/* What the files of the HTTP server share: the server, and a connection with its one call at a
 * time. Internal to net/.
 *
 * A call's way. The library's thread that serves the connection gathers the body, then runs the
 * handler. `state` says who sends the answer:
 *
 *     HANDLED ── the answer comes while the handler runs ──▶ ANSWERED: that thread sends it
 *        │
 *        └─ the handler returned without one: the connection is suspended, *then* ──▶ SUSPENDED
 *                                                                                        │
 *           the answer comes, from any thread: ANSWERED, and the connection resumes ◀────┘
 *
 * Both changes of HANDLED are exchanges of one atomic, so exactly one side sees the other's: the
 * answer never resumes a connection that is not suspended yet. A suspended connection cannot go
 * away: a client that disconnects is noticed when the answer is sent.
 *
 * Two counts lead to the end. `unanswered` (times two; its lowest bit says that the server stops)
 * is what handlers still have in their hands: the one who takes the last one away while the bit is
 * set wakes gm_http_server_stop, and touches nothing but the mutex after that. `delivering` are
 * calls whose answer has not reached the client; it changes on the library's threads alone. */
#ifndef GM_NET_SERVER_INSIDE_H
#define GM_NET_SERVER_INSIDE_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "net/server.h"
#include "net/workers.h"
#include "os/clock.h"
#include "os/thread.h"

enum gm_call_state { GM_CALL_HANDLED, GM_CALL_SUSPENDED, GM_CALL_ANSWERED };

/* Of a streamed body. AWAKE: `produce` is or will be called. It had nothing: the connection is
 * suspended, *then* ASLEEP. Who wakes it exchanges for WOKEN, and resumes it when it was ASLEEP;
 * who finds WOKEN instead of AWAKE when it wants to sleep resumes it itself. */
enum gm_stream_state { GM_STREAM_AWAKE, GM_STREAM_ASLEEP, GM_STREAM_WOKEN };

/* A certificate with its key. Former ones are kept: handshakes may be under way with them. */
struct gm_server_identity;
gm_rc gm_server_identity_new(const struct gm_http_tls *tls,
                             struct gm_server_identity **out_identity, struct gm_err *err)
    GM_MUST_CHECK;
void gm_server_identity_free(struct gm_server_identity *identity); /* with the former ones */

struct gm_link;
struct gm_http_server {
    struct gm_http_server_options options; /* without zeros */
    struct MHD_Daemon *daemon;
    char *url_z;
    struct gm_workers *workers;
    struct gm_thread *watch;
    struct gm_server_identity *_Atomic identity; /* NULL: plain HTTP */
    _Atomic size_t links_count;
    _Atomic uint64_t unanswered;
    _Atomic size_t delivering;
    _Atomic bool stopping;
    struct gm_mutex *mu;
    struct gm_cond *moved; /* of unanswered and delivering, at the end */
    struct gm_cond *due;   /* there is something to watch, or the end */
    struct gm_link *links; /* guarded by mu */
    bool all_answered;     /* guarded by mu */
    bool closed;           /* guarded by mu */
    size_t identity_count; /* guarded by mu */
};

/* A connection. Belongs to the library's thread that serves it, but for what says otherwise; while
 * its call is in a handler's hands, `call` belongs to the handler. */
struct gm_link {
    struct gm_http_server *server;
    struct MHD_Connection *connection;
    struct gm_link *next, *prev; /* guarded by server->mu */
    int fd;
    _Atomic gm_ns due;  /* when it is cut off; 0: never. Read by the watch */
    _Atomic int state;  /* enum gm_call_state */
    gm_ns began;        /* the request's headers were there */
    bool delivering;    /* counted so */
    struct gm_buf body; /* its limit: what this call was admitted with */
    uint64_t body_size; /* also of what was thrown away */
    struct gm_http_call call;
    bool streaming; /* `stream` makes the body */
    struct gm_http_stream stream;
    _Atomic int stream_state; /* enum gm_stream_state */
    struct gm_work work;
    void (*work_fn)(void *ctx, struct gm_http_call *call);
    void *work_ctx;
};

/* What a request's headers say about its body. */
struct gm_framing {
    const char *wrong_z;  /* why it cannot be read; NULL: it can */
    const char *length_z; /* NULL: not told */
    bool chunked;
    bool expects; /* waits for leave to send the body */
};
void gm_link_framing(const struct gm_link *link, struct gm_framing *out_framing);

/* Sends call->reply. On the thread that serves the connection. */
/* An answer of the server's own. */
void gm_link_word(struct gm_link *link, int status, const char *code_z, const char *message_z);
enum MHD_Result gm_link_send(struct gm_link *link);

#endif
