/* A disk under SQLite that fails on demand, or loses power.
 *
 *     struct faultvfs *disk = faultvfs_new("faulty");
 *     faultvfs_fail_at(disk, 7, FAULTVFS_IO_ERROR);          // the seventh write, sync or truncate
 *     gm_db_open(&(struct gm_db_options){.url_z = url_z, .vfs_z = "faulty", …}, &db, &err);
 *     …
 *     faultvfs_cut_at(disk, 7, seed);  // or: the power goes before the seventh
 *     … close everything …
 *     faultvfs_restore(disk);          // files are now as the disk has them
 *     faultvfs_free(disk);
 *
 * It stands on SQLite's own VFS. Every write goes to the real file at once, so that reading needs
 * no help. Of each file the disk remembers what was in it at its last sync, and the writes since:
 * those are what a power cut takes away, all of them (seed 0) or a random part, torn at 512 bytes.
 * Files that were created, cut or deleted since are as uncertain. After the cut every operation
 * fails until the connections are closed; then the plain VFS can open the files.
 *
 * A write that fails has written its first half. After FAULTVFS_FULL the disk stays full; after
 * FAULTVFS_IO_ERROR only the one operation fails, and what a failed sync was for stays unsynced.
 *
 * Thread rule: any thread; a mutex guards the disk. */
#ifndef GM_TESTS_SUPPORT_FAULTVFS_H
#define GM_TESTS_SUPPORT_FAULTVFS_H

#include <stdbool.h>
#include <stdint.h>

enum faultvfs_kind { FAULTVFS_IO_ERROR, FAULTVFS_FULL };

struct faultvfs;

struct faultvfs *faultvfs_new(const char *name_z); /* borrows the name */
void faultvfs_free(struct faultvfs *disk);

/* Counts, fails and cuts at operations only on files whose path ends so, from the next plan on:
 * "store.db" is written by checkpoints alone. Keeps the text; NULL: on all files, as at first. */
void faultvfs_only(struct faultvfs *disk, const char *path_end_z);
/* Operations are counted from now, from 1. */
void faultvfs_fail_at(struct faultvfs *disk, uint64_t operation, enum faultvfs_kind kind);
void faultvfs_cut_at(struct faultvfs *disk, uint64_t operation, uint64_t seed);
/* False when the operation was never reached: a sweep over all of them is done. */
bool faultvfs_happened(struct faultvfs *disk);
uint64_t faultvfs_operations(struct faultvfs *disk);
/* After a cut, and after everything is closed. */
void faultvfs_restore(struct faultvfs *disk);

#endif
