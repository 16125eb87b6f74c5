/* What the service's two files share: life (adt.c) and the way of a call (serve.c). */
#ifndef GM_API_ADT_INSIDE_H
#define GM_API_ADT_INSIDE_H

#include "api/adt/call.h"

enum {
    GM_ADT_LARGE_BODIES = 32,    /* times what one model may have: the body of a call with many */
    GM_ADT_FREE_SIZE = 64 << 10, /* of bodies that are read before it is known who asks */
};

/* The server's functions; `ctx` is the struct gm_adt. */
void gm_adt_handle(void *ctx, struct gm_http_call *http);
size_t gm_adt_admit(void *ctx, const struct gm_http_call *http, uint64_t length);
/* What the server refuses by itself, in the service's form. */
void gm_adt_word_refusal(struct gm_http_call *http, int status, const char *code_z,
                         const char *message_z);
void gm_adt_reader_close(struct gm_adt_reader *reader);

#endif
