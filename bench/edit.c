/* edit.*: single writes of clients, as the twin API hands them to the store's writer: many jobs in
 * flight, each with a commit that it waits for. In process: what HTTP costs comes on top. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "bench.h"
#include "os/queue.h"
#include "store/store.h"
#include "twin/edit.h"

enum {
    IN_FLIGHT = 64,
    SLOT_ARENA_SIZE = 1 << 20,
    TWINS_MAX = 100000,
};

static const char edit_model[] =
    "{\"@context\":\"dtmi:dtdl:context;3\",\"@id\":\"dtmi:bench:Press;1\",\"@type\":\"Interface\","
    "\"contents\":["
    "{\"@type\":\"Property\",\"name\":\"name\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"temperature\",\"schema\":\"double\"},"
    "{\"@type\":\"Property\",\"name\":\"pressure\",\"schema\":\"double\"},"
    "{\"@type\":\"Property\",\"name\":\"running\",\"schema\":\"boolean\"},"
    "{\"@type\":\"Property\",\"name\":\"strokes\",\"schema\":\"long\"},"
    "{\"@type\":\"Property\",\"name\":\"state\",\"schema\":\"string\"},"
    "{\"@type\":\"Property\",\"name\":\"serviced\",\"schema\":\"dateTime\"}]}";

/* One edit on its way. */
struct slot {
    struct gm_store_job job;
    struct gm_edit edit;
    struct gm_arena *arena;
    struct gm_queue *free; /* takes it back when it is committed */
    const struct gm_clock *clock;
    char id[32];
    char text[512];
    gm_rc rc;
};

struct edit_run {
    struct gm_store *store;
    struct gm_queue *free;
    struct slot *slots;
    struct gm_rng rng;
    int64_t twins, count;
    bool creates, one;
};

static gm_rc apply(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct slot *slot = ctx;
    struct gm_cause cause = {.actor = GM_STR("api"), .now = slot->clock->wall(slot->clock)};
    GM_TRY(gm_graph_begin(tx->graph, &cause, err));
    GM_TRY(gm_graph_edit(tx->graph, &slot->edit, err));
    return gm_graph_end(tx->graph, err);
}

static void done(void *ctx, gm_rc rc, const struct gm_err *err)
{
    struct slot *slot = ctx;
    bench_must(rc, err);
    if (slot->edit.outcome != GM_EDIT_DONE) {
        bench_die("edit of %s: %s", slot->id, slot->edit.why.text);
    }
    (void)gm_queue_push(slot->free, slot);
}

/* The request, as it comes: text. */
static void fill(struct edit_run *run, struct slot *slot, int64_t index)
{
    struct gm_err err = {0};
    int64_t twin = run->creates ? index
                   : run->one   ? 0
                                : (int64_t)gm_rng_below(&run->rng, (uint64_t)run->twins);
    (void)snprintf(slot->id, sizeof(slot->id), "press-%lld", (long long)twin);
    int n =
        run->creates
            ? snprintf(slot->text, sizeof(slot->text),
                       "{\"$metadata\":{\"$model\":\"dtmi:bench:Press;1\"},\"name\":\"Press "
                       "%lld\",\"temperature\":%lld.5,\"pressure\":2.25,\"running\":true,"
                       "\"strokes\":%lld,\"state\":\"idle\",\"serviced\":\"2026-11-20T17:09:55Z\"}",
                       (long long)twin, (long long)(index % 90), (long long)index)
            : snprintf(slot->text, sizeof(slot->text),
                       "[{\"op\":\"replace\",\"path\":\"/temperature\",\"value\":%lld.25},"
                       "{\"op\":\"add\",\"path\":\"/strokes\",\"value\":%lld}]",
                       (long long)(index % 90), (long long)index);
    gm_arena_reset(slot->arena);
    slot->edit = (struct gm_edit){.kind = run->creates ? GM_EDIT_PUT_TWIN : GM_EDIT_PATCH_TWIN,
                                  .twin = gm_str_z(slot->id),
                                  .doc = gm_json_doc_new(slot->arena)};
    bench_must(gm_json_parse(slot->edit.doc, (struct gm_str){slot->text, (size_t)n},
                             &slot->edit.value, &err),
               &err);
    slot->job = (struct gm_store_job){.fn = apply, .done = done, .ctx = slot};
}

static double run_edits(struct edit_run *run)
{
    struct gm_err err = {0};
    double before = bench_now();
    for (int64_t i = 0; i < run->count; i++) {
        struct slot *slot = gm_queue_pop(run->free);
        fill(run, slot, i);
        bench_must(gm_store_submit(run->store, &slot->job, &err), &err);
    }
    for (int i = 0; i < IN_FLIGHT; i++) { /* until all are committed */
        (void)gm_queue_pop(run->free);
    }
    double seconds = bench_now() - before;
    for (int i = 0; i < IN_FLIGHT; i++) {
        (void)gm_queue_push(run->free, &run->slots[i]);
    }
    return seconds;
}

static void open_run(const struct bench *bench, struct edit_run *run)
{
    struct gm_err err = {0};
    GM_AUTO_FREE char *folder_z = gm_format_z("%s/edits", bench->folder_z);
    GM_AUTO_FREE char *command_z = gm_format_z("rm -rf '%s'", folder_z);
    (void)bench_command(command_z);
    bench_must(gm_store_open(&(struct gm_store_options){.folder_z = folder_z}, &run->store, &err),
               &err);
    struct gm_arena *arena = gm_arena_new(1 << 20);
    yyjson_mut_val *interface;
    size_t added;
    bench_must(gm_json_parse(gm_json_doc_new(arena), GM_STR(edit_model), &interface, &err), &err);
    bench_must(gm_store_add_interfaces(run->store, &interface, 1, &added, &err), &err);
    gm_arena_free(arena);
    run->free = gm_queue_new(IN_FLIGHT);
    run->slots = gm_alloc_array(IN_FLIGHT, sizeof(run->slots[0]));
    for (int i = 0; i < IN_FLIGHT; i++) {
        run->slots[i].arena = gm_arena_new(SLOT_ARENA_SIZE);
        run->slots[i].free = run->free;
        run->slots[i].clock = gm_store_clock(run->store);
        (void)gm_queue_push(run->free, &run->slots[i]);
    }
}

static void close_run(struct edit_run *run)
{
    gm_store_close(run->store);
    for (int i = 0; i < IN_FLIGHT; i++) {
        gm_arena_free(run->slots[i].arena);
    }
    gm_queue_free(run->free);
    gm_free(run->slots);
}

static void measure(const struct bench *bench, const void *arg, struct bench_result *result)
{
    const char *what_z = arg;
    struct edit_run run = {.twins = bench->rows < TWINS_MAX ? bench->rows : TWINS_MAX};
    gm_rng_init(&run.rng, 1);
    open_run(bench, &run);
    run.count = run.twins;
    run.creates = true;
    result->seconds = run_edits(&run);
    run.creates = false;
    if (strcmp(what_z, "edit.create") != 0) {
        run.one = strcmp(what_z, "edit.one_twin") == 0;
        result->seconds = run_edits(&run);
    }
    result->rows = run.count;
    close_run(&run);
}

void bench_edit(const struct bench *bench)
{
    static const char *const names_z[] = {"edit.create", "edit.patch", "edit.one_twin"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(names_z); i++) {
        if (bench_wants(bench, names_z[i])) {
            struct bench_result result = bench_measure(bench, measure, names_z[i]);
            bench_print(bench, &(struct bench_line){.name_z = names_z[i],
                                                    .value = (double)result.rows / result.seconds,
                                                    .unit_z = "edits/s"});
        }
    }
}
