#include "support/faultvfs.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/vec.h"
#include "os/thread.h"

enum { SECTOR = 512 };

/* One change since the last sync. `data` NULL: the file was cut to `offset` bytes, or deleted. */
struct change {
    int64_t offset;
    size_t n;
    char *data;
    bool deletes;
};

/* What the disk holds of a path, whoever has it open. */
struct image {
    char *path_z;
    bool exists; /* at the last sync */
    char *bytes; /* at the last sync */
    size_t n;
    size_t capacity;
    GM_VEC(struct change) changes;
};

enum plan { PLAN_NONE, PLAN_FAIL, PLAN_CUT };

struct faultvfs {
    sqlite3_vfs vfs; /* first: SQLite hands it back */
    sqlite3_vfs *real;
    struct gm_mutex *mu;
    /* The rest is guarded by mu. */
    GM_VEC(struct image *) images;
    enum plan plan;
    enum faultvfs_kind kind;
    const char *only_z; /* files that the plan is about; NULL: all */
    uint64_t at;
    uint64_t seed;
    uint64_t operations;
    bool happened;
    bool dead; /* the power is off */
};

struct fault_file {
    sqlite3_file base;
    struct faultvfs *disk;
    struct image *image; /* NULL: a temporary file, which nobody misses */
    bool sync_folder;    /* the first sync makes the folder's entries durable, as unixSync does */
    sqlite3_file *real;  /* behind this struct */
};

static struct fault_file *file_of(sqlite3_file *file)
{
    return (struct fault_file *)file;
}

static struct faultvfs *disk_of(sqlite3_vfs *vfs)
{
    return (struct faultvfs *)vfs;
}

/* ---- images ---- */

static struct image *find_image(struct faultvfs *disk, const char *path_z)
{
    for (size_t i = 0; i < disk->images.n; i++) {
        if (strcmp(disk->images.at[i]->path_z, path_z) == 0) {
            return disk->images.at[i];
        }
    }
    return NULL;
}

static void resize_image(struct image *image, size_t n)
{
    if (n > image->capacity) {
        image->capacity = 2 * n;
        image->bytes = gm_realloc(image->bytes, image->capacity);
    }
    if (n > image->n) {
        memset(image->bytes + image->n, 0, n - image->n);
    }
    image->n = n;
}

/* What is there when the disk first meets a path counts as synced. */
static struct image *meet_image(struct faultvfs *disk, const char *path_z)
{
    struct image *image = find_image(disk, path_z);
    if (image != NULL) {
        return image;
    }
    image = gm_alloc(sizeof(*image));
    image->path_z = gm_strdup_z(path_z);
    FILE *file = fopen(path_z, "rb");
    if (file != NULL) {
        image->exists = true;
        (void)fseek(file, 0, SEEK_END);
        resize_image(image, (size_t)ftell(file));
        rewind(file);
        image->n = fread(image->bytes, 1, image->n, file);
        (void)fclose(file);
    }
    *gm_vec_push(&disk->images) = image;
    return image;
}

/* Bytes from..to of a write, counted within it. */
static void apply_write(struct image *image, const struct change *change, size_t from, size_t to)
{
    size_t end = (size_t)change->offset + to;
    image->exists = true;
    if (end > image->n) {
        resize_image(image, end);
    }
    memcpy(image->bytes + change->offset + from, change->data + from, to - from);
}

static void apply_cut(struct image *image, const struct change *change)
{
    if (change->deletes) {
        image->exists = false;
    }
    if ((size_t)change->offset < image->n) {
        resize_image(image, (size_t)change->offset);
    }
}

static void forget_changes(struct image *image)
{
    for (size_t i = 0; i < image->changes.n; i++) {
        gm_free(image->changes.at[i].data);
    }
    image->changes.n = 0;
}

static void sync_image(struct image *image)
{
    image->exists = true;
    for (size_t i = 0; i < image->changes.n; i++) {
        const struct change *change = &image->changes.at[i];
        if (change->data != NULL) {
            apply_write(image, change, 0, change->n);
        } else {
            apply_cut(image, change);
        }
    }
    forget_changes(image);
}

/* The sync of a folder: deletions in it are final. Files that were created reach the disk with
 * their own sync. */
static void sync_folder(struct faultvfs *disk)
{
    for (size_t i = 0; i < disk->images.n; i++) {
        struct image *image = disk->images.at[i];
        size_t settled = 0;
        for (size_t c = 0; c < image->changes.n; c++) {
            settled = image->changes.at[c].deletes ? c + 1 : settled;
        }
        if (settled == 0) {
            continue;
        }
        for (size_t c = 0; c < settled; c++) {
            gm_free(image->changes.at[c].data);
        }
        image->changes.n -= settled;
        memmove(image->changes.at, image->changes.at + settled,
                image->changes.n * sizeof(*image->changes.at));
        image->exists = false;
        resize_image(image, 0);
    }
}

/* Each sector of each write, and each cut, reached the disk or did not. */
static void tear_image(struct image *image, struct gm_rng *rng)
{
    for (size_t i = 0; i < image->changes.n; i++) {
        const struct change *change = &image->changes.at[i];
        if (change->data == NULL) {
            if (gm_rng_below(rng, 2) != 0) {
                apply_cut(image, change);
            }
            continue;
        }
        for (size_t from = 0; from < change->n;) {
            size_t sector_end = SECTOR - ((size_t)change->offset + from) % SECTOR;
            size_t to = from + sector_end < change->n ? from + sector_end : change->n;
            if (gm_rng_below(rng, 2) != 0) {
                apply_write(image, change, from, to);
            }
            from = to;
        }
    }
}

static void write_back(const struct image *image)
{
    if (!image->exists) {
        (void)remove(image->path_z);
        return;
    }
    FILE *file = fopen(image->path_z, "wb");
    if (file == NULL || fwrite(image->bytes, 1, image->n, file) != image->n || fclose(file) != 0) {
        perror(image->path_z);
        abort();
    }
}

/* ---- the plan ---- */

static bool is_planned(const struct faultvfs *disk, const struct fault_file *file)
{
    return disk->only_z == NULL ||
           (file->image != NULL &&
            gm_str_ends(gm_str_z(file->image->path_z), gm_str_z(disk->only_z)));
}

/* Counts an operation; SQLITE_OK, or how it fails. */
static int count_operation(struct fault_file *file)
{
    struct faultvfs *disk = file->disk;
    if (disk->dead) {
        return SQLITE_IOERR;
    }
    bool full = disk->happened && disk->plan == PLAN_FAIL && disk->kind == FAULTVFS_FULL;
    if (!full && !is_planned(disk, file)) {
        return SQLITE_OK;
    }
    if (++disk->operations != disk->at && !full) {
        return SQLITE_OK;
    }
    if (disk->plan == PLAN_NONE) {
        return SQLITE_OK;
    }
    disk->happened = true;
    if (disk->plan == PLAN_CUT) {
        disk->dead = true;
        return SQLITE_IOERR;
    }
    return disk->kind == FAULTVFS_FULL ? SQLITE_FULL : SQLITE_IOERR;
}

static bool is_dead(struct faultvfs *disk)
{
    gm_mutex_lock(disk->mu);
    bool dead = disk->dead;
    gm_mutex_unlock(disk->mu);
    return dead;
}

/* ---- files ---- */

static int file_close(sqlite3_file *base)
{
    return file_of(base)->real->pMethods->xClose(file_of(base)->real);
}

static int file_read(sqlite3_file *base, void *to, int n, sqlite3_int64 offset)
{
    struct fault_file *file = file_of(base);
    if (is_dead(file->disk)) {
        return SQLITE_IOERR_READ;
    }
    return file->real->pMethods->xRead(file->real, to, n, offset);
}

static void note_write(struct fault_file *file, const void *from, size_t n, int64_t offset)
{
    if (file->image != NULL && n > 0) {
        struct change *change = gm_vec_push(&file->image->changes);
        *change = (struct change){.offset = offset, .n = n, .data = gm_alloc(n)};
        memcpy(change->data, from, n);
    }
}

static int write_locked(struct fault_file *file, const void *from, int n, sqlite3_int64 offset)
{
    if (file->disk->dead) {
        return SQLITE_IOERR_WRITE;
    }
    int failure = count_operation(file);
    if (file->disk->dead) { /* under way when the power went: any part of it may be there */
        note_write(file, from, (size_t)n, offset);
        return SQLITE_IOERR_WRITE;
    }
    int written = failure != SQLITE_OK ? n / 2 : n;
    note_write(file, from, (size_t)written, offset);
    int rc = file->real->pMethods->xWrite(file->real, from, written, offset);
    if (failure == SQLITE_OK) {
        return rc;
    }
    return failure == SQLITE_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int file_write(sqlite3_file *base, const void *from, int n, sqlite3_int64 offset)
{
    struct fault_file *file = file_of(base);
    gm_mutex_lock(file->disk->mu);
    int rc = write_locked(file, from, n, offset);
    gm_mutex_unlock(file->disk->mu);
    return rc;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    struct fault_file *file = file_of(base);
    gm_mutex_lock(file->disk->mu);
    int rc = SQLITE_IOERR_TRUNCATE;
    if (count_operation(file) == SQLITE_OK) {
        if (file->image != NULL) {
            *gm_vec_push(&file->image->changes) = (struct change){.offset = size};
        }
        rc = file->real->pMethods->xTruncate(file->real, size);
    }
    gm_mutex_unlock(file->disk->mu);
    return rc;
}

static int file_sync(sqlite3_file *base, int flags)
{
    struct fault_file *file = file_of(base);
    (void)flags;
    gm_mutex_lock(file->disk->mu);
    int rc = SQLITE_IOERR_FSYNC;
    if (count_operation(file) == SQLITE_OK) {
        if (file->image != NULL) {
            sync_image(file->image);
        }
        if (file->sync_folder) {
            sync_folder(file->disk);
            file->sync_folder = false;
        }
        rc = SQLITE_OK; /* the machine's own disk need not hear of it */
    }
    gm_mutex_unlock(file->disk->mu);
    return rc;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *out_size)
{
    return file_of(base)->real->pMethods->xFileSize(file_of(base)->real, out_size);
}

static int file_lock(sqlite3_file *base, int level)
{
    return file_of(base)->real->pMethods->xLock(file_of(base)->real, level);
}

static int file_unlock(sqlite3_file *base, int level)
{
    return file_of(base)->real->pMethods->xUnlock(file_of(base)->real, level);
}

static int file_check_lock(sqlite3_file *base, int *out_held)
{
    return file_of(base)->real->pMethods->xCheckReservedLock(file_of(base)->real, out_held);
}

static int file_control(sqlite3_file *base, int operation, void *arg)
{
    return file_of(base)->real->pMethods->xFileControl(file_of(base)->real, operation, arg);
}

static int file_sector_size(sqlite3_file *base)
{
    return file_of(base)->real->pMethods->xSectorSize(file_of(base)->real);
}

static int file_characteristics(sqlite3_file *base)
{
    return file_of(base)->real->pMethods->xDeviceCharacteristics(file_of(base)->real);
}

/* Shared memory is no disk: a power cut takes it, and the next open rebuilds it. */
static int file_shm_map(sqlite3_file *base, int page, int size, int extend, void volatile **out)
{
    return file_of(base)->real->pMethods->xShmMap(file_of(base)->real, page, size, extend, out);
}

static int file_shm_lock(sqlite3_file *base, int offset, int n, int flags)
{
    return file_of(base)->real->pMethods->xShmLock(file_of(base)->real, offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *base)
{
    file_of(base)->real->pMethods->xShmBarrier(file_of(base)->real);
}

static int file_shm_unmap(sqlite3_file *base, int deletes)
{
    return file_of(base)->real->pMethods->xShmUnmap(file_of(base)->real, deletes);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2, /* without memory mapping, which would write behind our back */
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

/* ---- the file system ---- */

static int disk_open(sqlite3_vfs *vfs, const char *path_z, sqlite3_file *base, int flags,
                     int *out_flags)
{
    struct faultvfs *disk = disk_of(vfs);
    struct fault_file *file = file_of(base);
    *file = (struct fault_file){.disk = disk, .real = (sqlite3_file *)(void *)(file + 1)};
    gm_mutex_lock(disk->mu);
    int rc = SQLITE_IOERR;
    if (!disk->dead) {
        if (path_z != NULL && (flags & SQLITE_OPEN_DELETEONCLOSE) == 0) {
            file->image = meet_image(disk, path_z);
            int journal = SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL;
            file->sync_folder = (flags & SQLITE_OPEN_CREATE) != 0 && (flags & journal) != 0;
        }
        rc = disk->real->xOpen(disk->real, path_z, file->real, flags, out_flags);
    }
    gm_mutex_unlock(disk->mu);
    if (rc == SQLITE_OK) {
        file->base.pMethods = &methods;
    }
    return rc;
}

static int disk_delete(sqlite3_vfs *vfs, const char *path_z, int syncs_folder)
{
    struct faultvfs *disk = disk_of(vfs);
    gm_mutex_lock(disk->mu);
    int rc = SQLITE_IOERR_DELETE;
    if (!disk->dead) {
        struct image *image = meet_image(disk, path_z);
        *gm_vec_push(&image->changes) = (struct change){.deletes = true};
        if (syncs_folder != 0) {
            sync_folder(disk);
        }
        rc = disk->real->xDelete(disk->real, path_z, 0);
    }
    gm_mutex_unlock(disk->mu);
    return rc;
}

static int disk_access(sqlite3_vfs *vfs, const char *path_z, int flags, int *out_yes)
{
    return disk_of(vfs)->real->xAccess(disk_of(vfs)->real, path_z, flags, out_yes);
}

static int disk_full_path(sqlite3_vfs *vfs, const char *path_z, int n, char *out)
{
    return disk_of(vfs)->real->xFullPathname(disk_of(vfs)->real, path_z, n, out);
}

static int disk_randomness(sqlite3_vfs *vfs, int n, char *out)
{
    return disk_of(vfs)->real->xRandomness(disk_of(vfs)->real, n, out);
}

static int disk_sleep(sqlite3_vfs *vfs, int microseconds)
{
    return disk_of(vfs)->real->xSleep(disk_of(vfs)->real, microseconds);
}

static int disk_time(sqlite3_vfs *vfs, sqlite3_int64 *out_time)
{
    return disk_of(vfs)->real->xCurrentTimeInt64(disk_of(vfs)->real, out_time);
}

static int disk_last_error(sqlite3_vfs *vfs, int n, char *out)
{
    return disk_of(vfs)->real->xGetLastError(disk_of(vfs)->real, n, out);
}

struct faultvfs *faultvfs_new(const char *name_z)
{
    struct faultvfs *disk = gm_alloc(sizeof(*disk));
    disk->mu = gm_mutex_new();
    disk->real = sqlite3_vfs_find(NULL);
    disk->vfs = (sqlite3_vfs){
        .iVersion = 2,
        .szOsFile = (int)sizeof(struct fault_file) + disk->real->szOsFile,
        .mxPathname = disk->real->mxPathname,
        .zName = name_z,
        .xOpen = disk_open,
        .xDelete = disk_delete,
        .xAccess = disk_access,
        .xFullPathname = disk_full_path,
        .xRandomness = disk_randomness,
        .xSleep = disk_sleep,
        .xGetLastError = disk_last_error,
        .xCurrentTimeInt64 = disk_time,
    };
    (void)sqlite3_vfs_register(&disk->vfs, 0);
    return disk;
}

void faultvfs_free(struct faultvfs *disk)
{
    (void)sqlite3_vfs_unregister(&disk->vfs);
    for (size_t i = 0; i < disk->images.n; i++) {
        struct image *image = disk->images.at[i];
        forget_changes(image);
        gm_vec_deinit(&image->changes);
        gm_free(image->bytes);
        gm_free(image->path_z);
        gm_free(image);
    }
    gm_vec_deinit(&disk->images);
    gm_mutex_free(disk->mu);
    gm_free(disk);
}

static void make_plan(struct faultvfs *disk, enum plan plan, uint64_t operation)
{
    gm_mutex_lock(disk->mu);
    disk->plan = plan;
    disk->at = operation;
    disk->operations = 0;
    disk->happened = false;
    gm_mutex_unlock(disk->mu);
}

void faultvfs_fail_at(struct faultvfs *disk, uint64_t operation, enum faultvfs_kind kind)
{
    disk->kind = kind;
    make_plan(disk, PLAN_FAIL, operation);
}

void faultvfs_cut_at(struct faultvfs *disk, uint64_t operation, uint64_t seed)
{
    disk->seed = seed;
    make_plan(disk, PLAN_CUT, operation);
}

void faultvfs_only(struct faultvfs *disk, const char *path_end_z)
{
    disk->only_z = path_end_z;
}

bool faultvfs_happened(struct faultvfs *disk)
{
    gm_mutex_lock(disk->mu);
    bool happened = disk->happened;
    gm_mutex_unlock(disk->mu);
    return happened;
}

uint64_t faultvfs_operations(struct faultvfs *disk)
{
    gm_mutex_lock(disk->mu);
    uint64_t operations = disk->operations;
    gm_mutex_unlock(disk->mu);
    return operations;
}

void faultvfs_restore(struct faultvfs *disk)
{
    struct gm_rng rng;
    gm_rng_init(&rng, disk->seed);
    for (size_t i = 0; i < disk->images.n; i++) {
        struct image *image = disk->images.at[i];
        if (disk->seed != 0) {
            tear_image(image, &rng);
        }
        forget_changes(image);
        write_back(image);
    }
}
