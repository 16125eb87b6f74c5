/* Files and folders. Errors name the path, what the OS said, and, where it is known, the cure.
 *
 *     GM_AUTO_FREE char *path = gm_path_join_z(gm_str_z(folder), GM_STR("report.json"));
 *     GM_TRY(gm_file_write_atomic(path, gm_buf_str(&text), 0644, err));
 *
 * Outcomes: GM_E_CONFIG (no such path, no access), GM_E_IO (disk full, disk failing), GM_E_RETRY
 * (too many open files, out of memory), GM_E_LIMIT (a bound named here).
 * Thread rule: functions on paths from any thread; a gm_file and a gm_lock belong to one thread at
 * a time. */
#ifndef GM_OS_FILE_H
#define GM_OS_FILE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "base/time.h"

enum gm_file_type { GM_FILE_MISSING, GM_FILE_REGULAR, GM_FILE_FOLDER, GM_FILE_OTHER };

struct gm_file_info {
    enum gm_file_type type;
    uint64_t size_bytes;
    gm_ns modified;
    uint64_t inode;
};
/* Links are followed. A path that is not there is GM_OK with type GM_FILE_MISSING. */
gm_rc gm_file_info(const char *path_z, struct gm_file_info *out_info, struct gm_err *err)
    GM_MUST_CHECK;

/* Appends to `out`, whose limit holds: GM_E_LIMIT when the file is larger. On failure `out` is as
 * it was. */
gm_rc gm_file_read_all(const char *path_z, struct gm_buf *out, struct gm_err *err) GM_MUST_CHECK;
/* Whole or not at all: temporary file beside it, sync, rename, sync of the folder. */
gm_rc gm_file_write_atomic(const char *path_z, struct gm_str content, uint32_t mode,
                           struct gm_err *err) GM_MUST_CHECK;
/* Replaces what is at `to_z`, and syncs its folder. */
gm_rc gm_file_rename(const char *from_z, const char *to_z, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_file_remove(const char *path_z, struct gm_err *err) GM_MUST_CHECK; /* missing is GM_OK */
gm_rc gm_folder_make(const char *path_z, struct gm_err *err)
    GM_MUST_CHECK; /* with parents; existing is GM_OK */

/* Makes durable that `path_z` was created, renamed or removed in its folder. */
gm_rc gm_folder_sync_parent(const char *path_z, struct gm_err *err) GM_MUST_CHECK;

/* Names in byte order within each folder, without "." and ".."; paths are relative to `path_z`.
 * Everything is reported, folders before what is in them; a link as what it leads to,
 * GM_FILE_MISSING when that is not there. Recursive when asked; links to folders are not followed.
 * The callback returning anything but GM_OK ends the walk with that, and so does a folder that
 * cannot be read: an incomplete walk is never a success. Depth and size of the names of one folder
 * are bounded. */
enum { GM_FOLDER_DEPTH_MAX = 32, GM_FOLDER_NAMES_SIZE_MAX = 64 << 20 };
typedef gm_rc (*gm_folder_fn)(void *ctx, struct gm_str relative_path,
                              const struct gm_file_info *info, struct gm_err *err);
gm_rc gm_folder_walk(const char *path_z, bool recursive, gm_folder_fn fn, void *ctx,
                     struct gm_err *err) GM_MUST_CHECK;

/* Sequential reading with a plain descriptor. */
struct gm_file;
gm_rc gm_file_open(const char *path_z, struct gm_file **out_file, struct gm_err *err) GM_MUST_CHECK;
/* Goes on at `offset`, counted from the beginning: of files, not of pipes. */
gm_rc gm_file_seek(struct gm_file *file, uint64_t offset, struct gm_err *err) GM_MUST_CHECK;
/* Up to `size` bytes; *out_n = 0 at the end. */
gm_rc gm_file_read(struct gm_file *file, void *to, size_t size, size_t *out_n, struct gm_err *err)
    GM_MUST_CHECK;
/* Opens for writing, new or cut to nothing. */
gm_rc gm_file_create(const char *path_z, struct gm_file **out_file, struct gm_err *err)
    GM_MUST_CHECK;
/* Opens for writing at the end, new when it is not there. */
gm_rc gm_file_append(const char *path_z, struct gm_file **out_file, struct gm_err *err)
    GM_MUST_CHECK;
/* Opens for appending whole lines, new or behind what is there; *out_size: its size. A last line
 * without its end, which a crash left behind, is cut off: so what is there ends with a line. */
gm_rc gm_file_append_lines(const char *path_z, struct gm_file **out_file, uint64_t *out_size,
                           struct gm_err *err) GM_MUST_CHECK;
/* Everything behind the first `size` bytes goes. */
gm_rc gm_file_cut(struct gm_file *file, uint64_t size, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_file_write(struct gm_file *file, struct gm_str bytes, struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_file_sync(struct gm_file *file, struct gm_err *err) GM_MUST_CHECK;
struct gm_file *gm_file_stdin(void);
struct gm_file *gm_file_stdout(void);
void gm_file_close(struct gm_file *file); /* NULL is fine */

/* An exclusive advisory lock on a file that holds the owner's process id; released when the process
 * ends, however. GM_E_RETRY when another process holds it; the message names its id. */
struct gm_lock;
gm_rc gm_lock_take(const char *path_z, struct gm_lock **out_lock, struct gm_err *err) GM_MUST_CHECK;
void gm_lock_release(struct gm_lock *lock);

/* Joins with exactly one '/'; an absolute `name` stays as it is. Returns owned. */
char *gm_path_join_z(struct gm_str folder, struct gm_str name);

/* From the root: behind the working folder when it does not begin there, and without "." as a part.
 * Symbolic links and ".." stay. Returns owned; GM_E_IO: the working folder cannot be told. */
gm_rc gm_path_absolute(const char *path_z, char **out_path_z, struct gm_err *err) GM_MUST_CHECK;

#endif
