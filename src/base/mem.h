/* Memory whose size the program chose: zeroed, and the program aborts when there is none. These and arena/buf
 * are the only callers of the C allocator. Sizes chosen by input go through gm_arena or gm_buf with a limit. */
#ifndef GM_BASE_MEM_H
#define GM_BASE_MEM_H

#include <stddef.h>

#include "base/str.h"

void *gm_alloc(size_t size); /* zeroed */
void *gm_alloc_array(size_t count, size_t size);
void *gm_realloc(void *p, size_t size); /* new bytes are not zeroed */
void gm_free(void *p);
char *gm_strdup_z(const char *z);        /* returns owned; NULL gives NULL */
char *gm_str_dup_z(struct gm_str s);     /* returns owned, NUL-terminated copy */
char *gm_format_z(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* returns owned */

/* Scope cleanup for owned strings:  GM_AUTO_FREE char *text = gm_format_z(…); */
void gm_free_cleanup(void *pp);
#define GM_AUTO_FREE __attribute__((cleanup(gm_free_cleanup)))

#endif
