/* gemel import, export: graphs in the NDJSON format of Azure Digital Twins. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "os/file.h"
#include "os/process.h"
#include "twin/transfer.h"

enum { PROBLEMS_PRINTED_MAX = 100 };

/* ---- import ---- */

/* Sets of models that lines were checked against: they stay until the import is over. */
typedef GM_VEC(const struct gm_models *) held_models;

struct import {
    held_models held;
    struct gm_args *args;
    struct gm_store *store;
    struct gm_progress *progress;
    uint64_t size_bytes;
    int64_t problems;
    int64_t problems_max;
};

/* A writing job of the import, seen as one of the store. */
struct import_job {
    gm_writer_fn fn;
    void *ctx;
};

static gm_rc run_import_job(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct import_job *job = ctx;
    return job->fn(job->ctx, tx->db, err);
}

static gm_rc write_import(void *ctx, gm_writer_fn fn, void *fn_ctx, struct gm_err *err)
{
    struct import *import = ctx;
    struct import_job job = {fn, fn_ctx};
    return gm_store_write(import->store, run_import_job, &job, err);
}

static const struct gm_models *hold_models(struct import *import)
{
    const struct gm_models *models = gm_store_models_hold(import->store);
    *gm_vec_push(&import->held) = models;
    return models;
}

static void release_models(struct import *import)
{
    for (size_t i = 0; i < import->held.n; i++) {
        gm_store_models_release(import->store, import->held.at[i]);
    }
    gm_vec_deinit(&import->held);
}

static gm_rc add_interfaces(void *ctx, struct gm_import_interfaces *interfaces, struct gm_err *err)
{
    struct import *import = ctx;
    GM_TRY(gm_store_add_interfaces(import->store, interfaces->at, interfaces->count,
                                   &interfaces->added, err));
    interfaces->models = hold_models(import);
    return GM_OK;
}

static void print_problem(void *ctx, uint64_t line, enum gm_import_section section,
                          const char *text_z)
{
    struct import *import = ctx;
    if (++import->problems <= import->problems_max) {
        gm_progress_clear(import->progress);
        fprintf(stderr, "line %llu (%s): %s\n", (unsigned long long)line,
                gm_import_section_name(section), text_z);
    } else if (import->problems == import->problems_max + 1) {
        fprintf(stderr,
                "… more lines with problems are counted, not printed; --problems N prints more\n");
    }
}

static void show_import(void *ctx, const struct gm_import_counts *counts)
{
    struct import *import = ctx;
    char twins[32], relationships[32], text[200];
    gm_format_count(counts->twins_created + counts->twins_updated + counts->twins_same, twins);
    gm_format_count(counts->relationships_created + counts->relationships_updated +
                        counts->relationships_same,
                    relationships);
    int share = import->size_bytes > 0 ? (int)(100 * counts->bytes / import->size_bytes) : 0;
    snprintf(text, sizeof(text), "import  %s twins  %s relationships  %d%%", twins, relationships,
             share);
    gm_progress_text(import->progress, text);
}

static void print_import(const struct gm_args *args, const struct gm_import_counts *counts)
{
    if (args->json) {
        printf("{\"models\":{\"created\":%lld,\"same\":%lld},\"twins\":{\"created\":%lld,"
               "\"updated\":%lld,\"same\":%lld},"
               "\"relationships\":{\"created\":%lld,\"updated\":%lld,\"same\":%lld},\"failed\":%"
               "lld,\"lines\":%llu}\n",
               (long long)counts->models_created, (long long)counts->models_same,
               (long long)counts->twins_created, (long long)counts->twins_updated,
               (long long)counts->twins_same, (long long)counts->relationships_created,
               (long long)counts->relationships_updated, (long long)counts->relationships_same,
               (long long)counts->failed, (unsigned long long)counts->lines);
        return;
    }
    printf("models: %lld new, %lld there already\n", (long long)counts->models_created,
           (long long)counts->models_same);
    printf("twins: %lld created, %lld updated, %lld unchanged\n", (long long)counts->twins_created,
           (long long)counts->twins_updated, (long long)counts->twins_same);
    printf("relationships: %lld created, %lld updated, %lld unchanged\n",
           (long long)counts->relationships_created, (long long)counts->relationships_updated,
           (long long)counts->relationships_same);
    if (counts->failed > 0) {
        printf("lines that could not be imported: %lld\n", (long long)counts->failed);
    }
}

static gm_rc import_file(struct import *import, struct gm_import_counts *counts, struct gm_err *err)
{
    const char *path_z = import->args->words[0];
    struct gm_file_info info = {0};
    if (strcmp(path_z, "-") != 0) {
        GM_TRY(gm_file_info(path_z, &info, err));
    }
    import->size_bytes = info.size_bytes;
    GM_TRY(gm_args_int(import->args, "problems", PROBLEMS_PRINTED_MAX, &import->problems_max, err));
    GM_TRY(gm_args_store(import->args, &import->store, err));
    struct gm_import_store store = {.ctx = import,
                                    .write = write_import,
                                    .add_interfaces = add_interfaces,
                                    .graph = gm_store_graph(import->store),
                                    .models = hold_models(import)};
    struct gm_import_options options = {.path_z = path_z,
                                        .clock = gm_clock_system(),
                                        .ctx = import,
                                        .problem = print_problem,
                                        .progress = show_import};
    return gm_import_run(&store, &options, counts, err);
}

static int import(struct gm_args *args)
{
    struct import work = {.args = args, .progress = gm_progress_new()};
    struct gm_import_counts counts = {0};
    struct gm_err err = {0};
    gm_rc rc = import_file(&work, &counts, &err);
    gm_progress_clear(work.progress);
    gm_progress_free(work.progress);
    release_models(&work);
    gm_store_close(work.store);
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    print_import(args, &counts);
    return counts.failed > 0 ? GM_EXIT_FAILED : GM_EXIT_OK;
}

static const struct gm_option import_options[] = {
    {"problems", "N", "Print at most N lines that could not be imported (default: 100)."},
    {0},
};

const struct gm_command gm_command_import = {
    .name_z = "import",
    .args_z = "FILE",
    .args_min = 1,
    .args_max = 1,
    .summary_z = "Import models, twins and relationships from an NDJSON file.",
    .help_z = "The format of Azure Digital Twins' import jobs. Lines that cannot be imported are "
              "named and stop nothing else; importing\n"
              "again is harmless. FILE may be - for standard input.",
    .example_z = "gemel import energy-grid.ndjson --data ./data",
    .options = import_options,
    .run = import,
};

/* ---- export ---- */

static const struct gm_option export_options[] = {
    {"author", "TEXT", "Author in the file's header."},
    {"organization", "TEXT", "Organization in the file's header."},
    {0},
};

static gm_rc write_export(void *ctx, struct gm_str bytes, struct gm_err *err)
{
    return gm_file_write(ctx, bytes, err);
}

static gm_rc export_to(struct gm_args *args, struct gm_file *file, struct gm_export_counts *counts,
                       struct gm_err *err)
{
    struct gm_db *db;
    const char *author_z = gm_args_value(args, "author"),
               *organization_z = gm_args_value(args, "organization");
    GM_TRY(gm_args_reader(args, &db, err));
    struct gm_export_options options = {.author = gm_str_z(author_z != NULL ? author_z : "gemel"),
                                        .organization = gm_str_z(organization_z),
                                        .ctx = file,
                                        .write = write_export};
    gm_rc rc = gm_export_run(db, &options, counts, err);
    gm_db_close(db);
    return rc;
}

/* Pipes and devices are written to; a file is replaced when its new content is whole. */
static bool is_replaced(const char *path_z)
{
    struct gm_file_info info;
    struct gm_err ignored;
    return gm_file_info(path_z, &info, &ignored) == GM_OK &&
           (info.type == GM_FILE_MISSING || info.type == GM_FILE_REGULAR);
}

static gm_rc export_to_file(struct gm_args *args, const char *path_z,
                            struct gm_export_counts *counts, struct gm_err *err)
{
    bool replaced = is_replaced(path_z);
    GM_AUTO_FREE char *new_z = gm_format_z(replaced ? "%s.part" : "%s", path_z);
    struct gm_file *file = NULL;
    gm_rc rc = gm_file_create(new_z, &file, err);
    rc = rc == GM_OK ? export_to(args, file, counts, err) : rc;
    rc = rc == GM_OK && replaced ? gm_file_sync(file, err) : rc;
    gm_file_close(file);
    if (rc == GM_OK && replaced) {
        rc = gm_file_rename(new_z, path_z, err);
    }
    if (rc != GM_OK && replaced) {
        struct gm_err ignored; /* the first failure is the one to tell */
        gm_rc removed = gm_file_remove(new_z, &ignored);
        (void)removed;
    }
    return rc;
}

static int export(struct gm_args *args)
{
    bool to_stdout = args->word_count == 0 || strcmp(args->words[0], "-") == 0;
    struct gm_export_counts counts = {0};
    struct gm_err err = {0};
    struct gm_file *out = to_stdout ? gm_file_stdout() : NULL;
    gm_rc rc = to_stdout ? export_to(args, out, &counts, &err)
                         : export_to_file(args, args->words[0], &counts, &err);
    gm_file_close(out);
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    bool as_json = args->json && !to_stdout;
    fprintf(as_json ? stdout : stderr,
            as_json ? "{\"models\":%lld,\"twins\":%lld,\"relationships\":%lld}\n"
                    : "%lld models, %lld twins, %lld relationships\n",
            (long long)counts.models, (long long)counts.twins, (long long)counts.relationships);
    return GM_EXIT_OK;
}

const struct gm_command gm_command_export = {
    .name_z = "export",
    .args_z = "[FILE]",
    .args_max = 1,
    .summary_z = "Export models, twins and relationships to an NDJSON file.",
    .help_z = "The same format as import, from one snapshot, in an order that depends on the graph "
              "alone. Without FILE to standard output.",
    .example_z = "gemel export graph.ndjson --config demo/gemel.yaml",
    .options = export_options,
    .run = export,
};
