/* A request to Azure Storage, before it is signed. Internal to blob.c and blob_sign.c. */
#ifndef GM_NET_BLOB_REQUEST_H
#define GM_NET_BLOB_REQUEST_H

#include "net/blob.h"
#include "net/header.h"

enum { GM_BLOB_HEADERS_MAX = 8 };
#define GM_BLOB_BODY_TYPE "application/octet-stream"

struct gm_blob_request {
    const struct gm_blob_account *account;
    const char *method_z;
    const char *url_z;
    struct gm_http_header headers[GM_BLOB_HEADERS_MAX]; /* x-ms-…, in lower case */
    size_t header_count;
    struct gm_str body;
};

/* The value of the Authorization header; the caller frees it. */
gm_rc gm_blob_sign(const struct gm_blob_request *request, char **out_authorization_z,
                   struct gm_err *err) GM_MUST_CHECK;

#endif
