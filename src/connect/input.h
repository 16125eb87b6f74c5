/* One file of a source as a stream of plain bytes: gzip (RFC 1952) and zstd (RFC 8878) are
 * recognised by their first bytes and decompressed on the way.
 *
 *     GM_TRY(gm_input_open(path_z, &input, err));
 *     while (gm_input_read(input, to, sizeof(to), &n, err) == GM_OK && n > 0) { … }
 *     GM_TRY(gm_input_check_unchanged(input, err));      // nobody wrote to it meanwhile
 *     gm_input_close(input);
 *
 * Compressed data that ends early is GM_E_RETRY: the file may still be written. Damaged data is
 * GM_E_CONFIG. Thread rule: one owner. */
#ifndef GM_CONNECT_INPUT_H
#define GM_CONNECT_INPUT_H

#include <stdint.h>

#include "base/status.h"
#include "os/file.h"

struct gm_input;

gm_rc gm_input_open(const char *path_z, struct gm_input **out_input, struct gm_err *err)
    GM_MUST_CHECK;
/* Up to `size` bytes; *out_n = 0 at the end. */
gm_rc gm_input_read(struct gm_input *input, void *to, size_t size, size_t *out_n,
                    struct gm_err *err) GM_MUST_CHECK;
const struct gm_file_info *gm_input_info(const struct gm_input *input); /* when it was opened */
uint64_t gm_input_bytes_read(const struct gm_input *input); /* of the file, as it is on disk */
/* GM_E_RETRY when the file is not the one that was opened, or has changed since. */
gm_rc gm_input_check_unchanged(const struct gm_input *input, struct gm_err *err) GM_MUST_CHECK;
void gm_input_close(struct gm_input *input); /* NULL is fine */

#endif
