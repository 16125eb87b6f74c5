/* Folders: making, walking. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/vec.h"
#include "os/error.h"
#include "os/file.h"

static gm_rc make_one(const char *path_z, struct gm_err *err)
{
    if (mkdir(path_z, 0777) == 0) {
        return gm_folder_sync_parent(path_z, err);
    }
    int error = errno;
    struct gm_file_info info;
    GM_TRY(gm_file_info(path_z, &info, err));
    if (info.type == GM_FILE_FOLDER) {
        return GM_OK;
    }
    if (info.type != GM_FILE_MISSING) {
        return gm_fail(err, GM_E_CONFIG, "%s: is not a folder; move it away or choose another path",
                       path_z);
    }
    return gm_os_fail(err, error, path_z, "make the folder");
}

gm_rc gm_folder_make(const char *path_z, struct gm_err *err)
{
    GM_AUTO_FREE char *path = gm_strdup_z(path_z);
    for (char *p = path; *p != '\0'; p++) {
        if (p > path && *p == '/' && p[-1] != '/') {
            *p = '\0';
            GM_TRY(make_one(path, err));
            *p = '/';
        }
    }
    return make_one(path, err);
}

typedef GM_VEC(struct gm_str) name_list;

struct walk {
    struct gm_str root;
    bool recursive;
    gm_folder_fn fn;
    void *ctx;
};

static int compare_names(const void *a, const void *b)
{
    return gm_str_cmp(*(const struct gm_str *)a, *(const struct gm_str *)b);
}

static bool is_dots(const char *name_z)
{
    return strcmp(name_z, ".") == 0 || strcmp(name_z, "..") == 0;
}

/* The names of a folder in byte order, in `arena`. */
static gm_rc read_names(const char *path_z, struct gm_arena *arena, name_list *out_names,
                        struct gm_err *err)
{
    DIR *folder = opendir(path_z);
    if (folder == NULL) {
        return gm_os_fail(err, errno, path_z, "open the folder");
    }
    gm_rc rc = GM_OK;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(folder); // NOLINT(concurrency-mt-unsafe): own stream
        if (entry == NULL) {
            rc = errno != 0 ? gm_os_fail(err, errno, path_z, "read the folder") : GM_OK;
            break;
        }
        if (is_dots(entry->d_name)) {
            continue;
        }
        struct gm_str name = gm_arena_dup(arena, gm_str_z(entry->d_name));
        if (name.p == NULL) {
            rc = gm_fail(err, GM_E_LIMIT,
                         "%s: more names than fit into %d MiB; spread the files over folders",
                         path_z, GM_FOLDER_NAMES_SIZE_MAX >> 20);
            break;
        }
        *gm_vec_push(out_names) = name;
    }
    (void)closedir(folder);
    if (rc == GM_OK && out_names->n > 0) {
        qsort(out_names->at, out_names->n, sizeof(out_names->at[0]), compare_names);
    }
    return rc;
}

static gm_rc walk_folder(const struct walk *walk, struct gm_str relative, int depth,
                         struct gm_err *err);

/* Tells the callback of one entry and descends into it. `relative` is its path below the root. */
static gm_rc visit(const struct walk *walk, const char *relative_z, int depth, struct gm_err *err)
{
    GM_AUTO_FREE char *path_z = gm_path_join_z(walk->root, gm_str_z(relative_z));
    struct stat link;
    if (lstat(path_z, &link) != 0) {
        /* Removed since its name was read: as if it had been removed before. */
        return errno == ENOENT ? GM_OK : gm_os_fail(err, errno, path_z, "look at it");
    }
    struct gm_file_info info;
    GM_TRY(gm_file_info(path_z, &info, err));
    GM_TRY(walk->fn(walk->ctx, gm_str_z(relative_z), &info, err));
    if (walk->recursive && S_ISDIR(link.st_mode)) {
        return walk_folder(walk, gm_str_z(relative_z), depth + 1, err);
    }
    return GM_OK;
}

/* Recursion is bounded by GM_FOLDER_DEPTH_MAX. */
static gm_rc walk_folder(const struct walk *walk, struct gm_str relative, int depth,
                         struct gm_err *err)
{
    GM_AUTO_FREE char *path_z = gm_path_join_z(walk->root, relative);
    if (depth > GM_FOLDER_DEPTH_MAX) {
        return gm_fail(err, GM_E_LIMIT, "%s: more than %d folders deep", path_z,
                       GM_FOLDER_DEPTH_MAX);
    }
    struct gm_arena *arena = gm_arena_new(GM_FOLDER_NAMES_SIZE_MAX);
    name_list names = {0};
    gm_rc rc = read_names(path_z, arena, &names, err);
    for (size_t i = 0; i < names.n && rc == GM_OK; i++) {
        GM_AUTO_FREE char *name_z = gm_path_join_z(relative, names.at[i]);
        rc = visit(walk, name_z, depth, err);
    }
    gm_vec_deinit(&names);
    gm_arena_free(arena);
    return rc;
}

gm_rc gm_folder_walk(const char *path_z, bool recursive, gm_folder_fn fn, void *ctx,
                     struct gm_err *err)
{
    struct walk walk = {.root = gm_str_z(path_z), .recursive = recursive, .fn = fn, .ctx = ctx};
    return walk_folder(&walk, GM_STR(""), 1, err);
}
