/* The files that a setting `path` means: one file, all files of a folder, or those whose names
 * match a pattern (`orders-*.csv`). And the archive, where they go when they are done with.
 *
 *     GM_TRY(gm_files_list("in/orders-*.csv", may_be_missing, &files, err));
 *     for (i…) { open(files.at[i].path_z); }
 *     GM_TRY(gm_files_archive(&files, "done", now, err));
 *     gm_files_deinit(&files);
 *
 * Files stand in byte order of their names. Names that say that a file is still being made (a dot
 * in front, .tmp or .part at the end) are passed over, except when `path` names one itself.
 * Thread rule: one owner. */
#ifndef GM_CONNECT_FILES_H
#define GM_CONNECT_FILES_H

#include "base/time.h"
#include "base/vec.h"
#include "os/file.h"

enum { GM_FILES_MAX = 100000 };

struct gm_files_entry {
    char *name_z; /* within its folder */
    char *path_z;
    struct gm_file_info info; /* when it was listed, then when it was opened */
};

/* Zero-initialise. */
struct gm_files {
    GM_VEC(struct gm_files_entry) list;
    uint64_t size_bytes; /* of all */
};

/* A path that is not there is GM_E_CONFIG, except a single file when `may_be_missing` (it may have
 * gone to the archive): then there are no files. */
gm_rc gm_files_list(const char *path_z, bool may_be_missing, struct gm_files *out_files,
                    struct gm_err *err) GM_MUST_CHECK;
void gm_files_deinit(struct gm_files *files);

/* Moves the files to `folder_z`; a name that is taken there gets the time `now` in front. Files
 * that changed since they were read stay where they are: the next run reads them again. */
gm_rc gm_files_archive(const struct gm_files *files, const char *folder_z, gm_ns now,
                       struct gm_err *err) GM_MUST_CHECK;

/* The last part of a path is a pattern. */
bool gm_files_is_pattern(struct gm_str path);
/* '*' any text, '?' any character's byte, '[a-c]' or '[!a-c]' one of a set. */
bool gm_files_match(struct gm_str pattern, struct gm_str name);

#endif
