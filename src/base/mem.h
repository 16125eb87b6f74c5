/* Memory whose size the program chose: zeroed, and the program aborts when there is none. This
 * module is the only caller of the C allocator. Sizes chosen by input go through gm_arena or gm_buf
 * with a limit.
 *
 *     struct thing *thing = gm_alloc(sizeof(*thing));
 *     GM_AUTO_FREE char *name = gm_format_z("%s.tmp", path_z);
 *     gm_free(thing);
 *
 * Thread rule: any thread; memory may be freed by another thread than the one that made it. */
#ifndef GM_BASE_MEM_H
#define GM_BASE_MEM_H

#include <stddef.h>

#include "base/status.h"
#include "base/str.h"

void *gm_alloc(size_t size); /* zeroed; size 0 gives a valid pointer */
void *gm_alloc_array(size_t count, size_t size);
void *gm_realloc(void *p, size_t size); /* new bytes are not zeroed */
void gm_free(void *p);                  /* NULL is fine */

/* As gm_realloc, but NULL when there is no memory; `p` stays valid then. For arenas and buffers. */
void *gm_realloc_try(void *p, size_t size) GM_MUST_CHECK;

char *gm_strdup_z(const char *z);                        /* returns owned; NULL gives NULL */
char *gm_str_dup_z(struct gm_str s);                     /* returns owned, NUL-terminated copy */
char *gm_format_z(const char *fmt, ...) GM_PRINTF(1, 2); /* returns owned */

/* Scope cleanup for owned strings:  GM_AUTO_FREE char *text = gm_format_z(…); */
void gm_free_cleanup(void *pp);
#define GM_AUTO_FREE __attribute__((cleanup(gm_free_cleanup)))

#endif
