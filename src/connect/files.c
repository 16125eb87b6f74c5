#include "connect/files.h"

#include <stdio.h>

#include "base/mem.h"

/* ---- patterns ---- */

static struct gm_str base_name(struct gm_str path)
{
    size_t at = path.n;
    while (at > 0 && path.p[at - 1] != '/') {
        at--;
    }
    return (struct gm_str){path.p + at, path.n - at};
}

bool gm_files_is_pattern(struct gm_str path)
{
    struct gm_str name = base_name(path);
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] == '*' || name.p[i] == '?' || name.p[i] == '[') {
            return true;
        }
    }
    return false;
}

/* Matches `c` with the set that begins behind '['. Returns where the set ends (behind ']'), or 0
 * when there is no ']': then '[' stands for itself. */
static size_t match_set(struct gm_str pattern, size_t at, unsigned char c, bool *out_match)
{
    bool negated = at < pattern.n && (pattern.p[at] == '!' || pattern.p[at] == '^');
    at += negated;
    bool match = false;
    for (size_t first = at; at < pattern.n && (pattern.p[at] != ']' || at == first); at++) {
        unsigned char low = (unsigned char)pattern.p[at];
        unsigned char high = low;
        if (at + 2 < pattern.n && pattern.p[at + 1] == '-' && pattern.p[at + 2] != ']') {
            high = (unsigned char)pattern.p[at + 2];
            at += 2;
        }
        match = match || (c >= low && c <= high);
    }
    *out_match = match != negated;
    return at < pattern.n ? at + 1 : 0;
}

/* One character of the pattern at `at` against `c`. Returns where the pattern goes on; 0: no. */
static size_t match_one(struct gm_str pattern, size_t at, char c)
{
    if (at >= pattern.n) {
        return 0;
    }
    if (pattern.p[at] == '[') {
        bool match;
        size_t end = match_set(pattern, at + 1, (unsigned char)c, &match);
        if (end > 0) {
            return match ? end : 0;
        }
    } else if (pattern.p[at] == '?') {
        return at + 1;
    }
    return pattern.p[at] == c ? at + 1 : 0;
}

/* On a mismatch only the last '*' takes one character more: quadratic at worst. */
bool gm_files_match(struct gm_str pattern, struct gm_str name)
{
    size_t p = 0;
    size_t n = 0;
    size_t star = SIZE_MAX;
    size_t star_n = 0;
    while (n < name.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            star_n = n;
            continue;
        }
        size_t next = match_one(pattern, p, name.p[n]);
        if (next > 0) {
            p = next;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++star_n;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*') {
        p++;
    }
    return p == pattern.n;
}

/* ---- listing ---- */

static bool is_in_progress(struct gm_str name)
{
    return gm_str_starts(name, GM_STR(".")) || gm_str_ends(name, GM_STR(".tmp")) ||
           gm_str_ends(name, GM_STR(".part"));
}

static void add_file(struct gm_files *files, struct gm_str name, char *path_z,
                     const struct gm_file_info *info)
{
    *gm_vec_push(&files->list) =
        (struct gm_files_entry){.name_z = gm_str_dup_z(name), .path_z = path_z, .info = *info};
    files->size_bytes += info->size_bytes;
}

struct listing {
    struct gm_files *files;
    struct gm_str folder;
    struct gm_str pattern;
};

static gm_rc list_entry(void *ctx, struct gm_str name, const struct gm_file_info *info,
                        struct gm_err *err)
{
    struct listing *listing = ctx;
    if (info->type != GM_FILE_REGULAR || is_in_progress(name) ||
        !gm_files_match(listing->pattern, name)) {
        return GM_OK;
    }
    if (listing->files->list.n == GM_FILES_MAX) {
        return gm_fail(err, GM_E_CONFIG,
                       GM_STR_FMT ": more than %d files; move those that are done with elsewhere",
                       GM_STR_ARG(listing->folder), GM_FILES_MAX);
    }
    add_file(listing->files, name, gm_path_join_z(listing->folder, name), info);
    return GM_OK;
}

static gm_rc list_folder(struct gm_str folder, struct gm_str pattern, struct gm_files *files,
                         struct gm_err *err)
{
    struct listing listing = {.files = files, .folder = folder, .pattern = pattern};
    GM_AUTO_FREE char *folder_z = folder.n > 0 ? gm_str_dup_z(folder) : gm_strdup_z(".");
    struct gm_file_info info;
    GM_TRY(gm_file_info(folder_z, &info, err));
    if (info.type == GM_FILE_MISSING) {
        return gm_fail(err, GM_E_CONFIG, "%s: there is no such folder; check `path`", folder_z);
    }
    if (info.type != GM_FILE_FOLDER) {
        return gm_fail(err, GM_E_CONFIG, "%s: is not a folder; check `path`", folder_z);
    }
    return gm_folder_walk(folder_z, false, list_entry, &listing, err);
}

/* The folder part of a path, "" when it has none. */
static struct gm_str folder_of(struct gm_str path)
{
    struct gm_str name = base_name(path);
    size_t n = path.n - name.n;
    while (n > 1 && path.p[n - 1] == '/') {
        n--;
    }
    return (struct gm_str){path.p, n};
}

static gm_rc list_path(const char *path_z, bool may_be_missing, struct gm_files *files,
                       struct gm_err *err)
{
    struct gm_str path = gm_str_z(path_z);
    struct gm_file_info info;
    GM_TRY(gm_file_info(path_z, &info, err));
    switch (info.type) {
    case GM_FILE_REGULAR:
        add_file(files, base_name(path), gm_strdup_z(path_z), &info);
        return GM_OK;
    case GM_FILE_FOLDER:
        return list_folder(path, GM_STR("*"), files, err);
    case GM_FILE_OTHER:
        return gm_fail(err, GM_E_CONFIG, "%s: is neither a file nor a folder; check `path`",
                       path_z);
    case GM_FILE_MISSING:
        break;
    }
    if (gm_files_is_pattern(path)) {
        return list_folder(folder_of(path), base_name(path), files, err);
    }
    if (!may_be_missing) {
        return gm_fail(err, GM_E_CONFIG, "%s: there is no such file or folder; check `path`",
                       path_z);
    }
    /* Only the file may be gone, not what it lies in. */
    return list_folder(folder_of(path), GM_STR(""), files, err);
}

gm_rc gm_files_list(const char *path_z, bool may_be_missing, struct gm_files *out_files,
                    struct gm_err *err)
{
    struct gm_files files = {0};
    gm_rc rc = list_path(path_z, may_be_missing, &files, err);
    if (rc != GM_OK) {
        gm_files_deinit(&files);
        return rc;
    }
    *out_files = files;
    return GM_OK;
}

void gm_files_deinit(struct gm_files *files)
{
    for (size_t i = 0; i < files->list.n; i++) {
        gm_free(files->list.at[i].name_z);
        gm_free(files->list.at[i].path_z);
    }
    gm_vec_deinit(&files->list);
    files->size_bytes = 0;
}

/* ---- archive ---- */

static gm_rc is_taken(const char *path_z, bool *out_taken, struct gm_err *err)
{
    struct gm_file_info info;
    GM_TRY(gm_file_info(path_z, &info, err));
    *out_taken = info.type != GM_FILE_MISSING;
    return GM_OK;
}

/* A path in the archive that is not taken: NAME, TIME-NAME, TIME-2-NAME, … Returns owned. */
static gm_rc choose_place(const char *folder_z, const char *name_z, gm_ns now, char **out_path_z,
                          struct gm_err *err)
{
    enum { TRIES_MAX = 1000 };
    struct gm_date date;
    gm_time_split(now, &date);
    for (int i = 0; i < TRIES_MAX; i++) {
        char prefix[GM_TIME_TEXT_SIZE * 2] = "";
        if (i > 0) {
            (void)snprintf(prefix, sizeof(prefix), "%04d-%02d-%02dT%02d%02d%02dZ-", date.year,
                           date.month, date.day, date.hour, date.minute, date.second);
        }
        char number[16] = "";
        if (i > 1) {
            (void)snprintf(number, sizeof(number), "%d-", i);
        }
        char *path_z = gm_format_z("%s/%s%s%s", folder_z, prefix, number, name_z);
        bool taken = true;
        gm_rc rc = is_taken(path_z, &taken, err);
        if (rc == GM_OK && !taken) {
            *out_path_z = path_z;
            return GM_OK;
        }
        gm_free(path_z);
        GM_TRY(rc);
    }
    return gm_fail(err, GM_E_CONFIG, "%s: no free name for %s; tidy up the archive", folder_z,
                   name_z);
}

static gm_rc archive_file(const struct gm_files_entry *file, const char *folder_z, gm_ns now,
                          struct gm_err *err)
{
    struct gm_file_info info;
    GM_TRY(gm_file_info(file->path_z, &info, err));
    if (info.type != file->info.type || info.size_bytes != file->info.size_bytes ||
        info.modified != file->info.modified || info.inode != file->info.inode) {
        return GM_OK;
    }
    char *place_z = NULL;
    GM_TRY(choose_place(folder_z, file->name_z, now, &place_z, err));
    gm_rc rc = gm_file_rename(file->path_z, place_z, err);
    gm_free(place_z);
    return rc;
}

gm_rc gm_files_archive(const struct gm_files *files, const char *folder_z, gm_ns now,
                       struct gm_err *err)
{
    GM_TRY(gm_folder_make(folder_z, err));
    for (size_t i = 0; i < files->list.n; i++) {
        GM_TRY(archive_file(&files->list.at[i], folder_z, now, err));
    }
    return GM_OK;
}
