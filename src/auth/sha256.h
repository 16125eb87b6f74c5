/* The hash under which tokens are known. Internal to auth/. */
#ifndef GM_AUTH_SHA256_H
#define GM_AUTH_SHA256_H

#include <stdint.h>

#include "base/str.h"

enum { GM_SHA256_SIZE = 32 };
void gm_sha256(struct gm_str text, uint8_t out[GM_SHA256_SIZE]);

#endif
