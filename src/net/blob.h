/* Objects by their URL: files, objects of any web server, and blobs of Azure Storage.
 *
 *     struct gm_blob_client client = {.accounts = accounts, .account_count = 1, .clock = clock};
 *     GM_TRY(gm_blob_locate(&client, "https://acct.blob.core.windows.net/in/graph.ndjson?sig=…",
 *                           &place, err));
 *     GM_TRY(gm_blob_fetch(&client, &place, "data/jobs/7.input", err));
 *     …
 *     gm_blob_place_deinit(&place);
 *
 *     file:///PATH           a file of this machine
 *     http(s)://…            GET, and PUT of the whole
 *     an Azure blob          what lies under an account's URL (Shared Key authorization), carries a
 *                            shared access signature (sig=), or is at *.blob.core.windows.net
 *                            (https://learn.microsoft.com/rest/api/storageservices/, version
 *                            2021-08-06)
 *
 * A log is published as an append blob: blocks are appended at a stated position, so that one that
 * is sent twice is there once. Signatures in URLs are secrets: messages show URLs without their
 * query.
 *
 * Errors: GM_E_CONFIG (no such object, access refused, the URL is wrong), GM_E_RETRY (the server is
 * down, slow or busy), GM_E_IO (the local file), GM_E_CANCELLED. Thread rule: any thread; a place
 * belongs to one. */
#ifndef GM_NET_BLOB_H
#define GM_NET_BLOB_H

#include "base/buf.h"
#include "base/status.h"
#include "os/clock.h"

enum {
    GM_BLOB_APPEND_SIZE_MAX = 4 << 20, /* of a block, as the service has it */
    GM_BLOB_PUT_SIZE_MAX = 64 << 20,   /* of an object that is PUT whole */
};

/* An account of Azure Storage, or of an emulator. */
struct gm_blob_account {
    const char *url_z; /* "https://acct.blob.core.windows.net", "http://127.0.0.1:10000/acct" */
    const char *name_z;
    const char *key_z; /* base64 */
};

struct gm_blob_client {
    const struct gm_blob_account *accounts;
    size_t account_count;
    const char *ca_file_z;      /* see net/http.h; NULL: the system's */
    const struct gm_stop *stop; /* NULL: cannot be stopped */
    const struct gm_clock *clock;
};

enum gm_blob_kind { GM_BLOB_FILE, GM_BLOB_HTTP, GM_BLOB_AZURE };

struct gm_blob_place {
    enum gm_blob_kind kind;
    char *url_z;
    char *shown_z;                         /* the URL without its query */
    char *path_z;                          /* FILE: of the file; NULL otherwise */
    const struct gm_blob_account *account; /* AZURE: who signs; NULL: the URL does */
};
/* GM_E_INVALID: no URL of these kinds. The caller deinits. */
gm_rc gm_blob_locate(const struct gm_blob_client *client, const char *url_z,
                     struct gm_blob_place *out_place, struct gm_err *err) GM_MUST_CHECK;
void gm_blob_place_deinit(struct gm_blob_place *place);

/* Copies the object, of any size, to a file of that path: whole or not at all. Not of FILE. */
gm_rc gm_blob_fetch(const struct gm_blob_client *client, const struct gm_blob_place *place,
                    const char *path_z, struct gm_err *err) GM_MUST_CHECK;
/* Makes the object anew, empty: an append blob. Of HTTP nothing happens yet. Not of FILE. */
gm_rc gm_blob_begin(const struct gm_blob_client *client, const struct gm_blob_place *place,
                    struct gm_err *err) GM_MUST_CHECK;
/* Appends what the file has behind the blob's length; `path_z` only ever grew since gm_blob_begin.
 * Of HTTP the whole file is PUT. Not of FILE. */
gm_rc gm_blob_publish(const struct gm_blob_client *client, const struct gm_blob_place *place,
                      const char *path_z, struct gm_err *err) GM_MUST_CHECK;

#endif
