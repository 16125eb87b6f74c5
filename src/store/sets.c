/* The store's sets of models: counted, replaced as a whole, shown when they are committed. */
#include "base/mem.h"
#include "os/thread.h"
#include "store/inside.h"
#include "twin/models.h"

enum { CHANGE_ATTEMPTS_MAX = 100 };

void gm_store_sets_init(struct gm_store_sets *sets)
{
    *sets = (struct gm_store_sets){.mu = gm_mutex_new()};
}

void gm_store_sets_deinit(struct gm_store_sets *sets)
{
    for (size_t i = 0; i < sets->list.n; i++) {
        gm_models_free(sets->list.at[i].models);
    }
    gm_vec_deinit(&sets->list);
    gm_mutex_free(sets->mu);
}

/* The one before goes when nobody holds it. */
void gm_store_sets_add(struct gm_store_sets *sets, struct gm_models *models)
{
    struct gm_models *unused = NULL;
    gm_mutex_lock(sets->mu);
    size_t last = sets->list.n - 1;
    if (sets->list.n > 0 && sets->list.at[last].holders == 0) {
        unused = sets->list.at[last].models;
        sets->list.n--;
    }
    gm_vec_push(&sets->list)->models = models;
    gm_mutex_unlock(sets->mu);
    gm_models_free(unused);
}

const struct gm_models *gm_store_models_hold(struct gm_store *store)
{
    struct gm_store_sets *sets = gm_store_sets(store);
    gm_mutex_lock(sets->mu);
    struct gm_store_set *newest = &sets->list.at[sets->list.n - 1];
    newest->holders++;
    const struct gm_models *models = newest->models;
    gm_mutex_unlock(sets->mu);
    return models;
}

void gm_store_models_release(struct gm_store *store, const struct gm_models *models)
{
    struct gm_store_sets *sets = gm_store_sets(store);
    struct gm_models *unused = NULL;
    if (models == NULL) {
        return;
    }
    gm_mutex_lock(sets->mu);
    size_t at = sets->list.n - 1; /* most often it is still the newest */
    while (sets->list.at[at].models != models) {
        GM_ASSERT(at > 0);
        at--;
    }
    struct gm_store_set *set = &sets->list.at[at];
    GM_ASSERT(set->holders > 0);
    set->holders--;
    if (set->holders == 0 && at < sets->list.n - 1) {
        unused = set->models;
        memmove(set, set + 1, (sets->list.n - 1 - at) * sizeof(*set));
        sets->list.n--;
    }
    gm_mutex_unlock(sets->mu);
    gm_models_free(unused);
}

size_t gm_store_models_sets(struct gm_store *store)
{
    struct gm_store_sets *sets = gm_store_sets(store);
    gm_mutex_lock(sets->mu);
    size_t count = sets->list.n;
    gm_mutex_unlock(sets->mu);
    return count;
}

/* ---- the writer's thread ---- */

static const struct gm_models *newest(struct gm_store_sets *sets)
{
    gm_mutex_lock(sets->mu);
    const struct gm_models *models = sets->list.at[sets->list.n - 1].models;
    gm_mutex_unlock(sets->mu);
    return models;
}

void gm_store_sets_committed(struct gm_store_sets *sets)
{
    if (sets->tip != NULL) {
        gm_store_sets_add(sets, sets->tip);
        sets->tip = NULL;
    }
}

/* Whoever made the tip frees it: the failure is told to them. */
void gm_store_sets_undone(struct gm_store_sets *sets, struct gm_models *tip_before,
                          struct gm_graph *graph)
{
    if (sets->tip == tip_before) {
        return;
    }
    sets->tip = tip_before;
    gm_graph_set_models(graph, tip_before != NULL ? tip_before : newest(sets));
}

/* One attempt at a change, on the writer's thread. */
struct attempt {
    const struct gm_store_models_change *change;
    struct gm_store_sets *sets;
    const struct gm_models *base;
    struct gm_models *models;
    bool moved; /* out: another change came first */
};

static gm_rc run_attempt(void *ctx, const struct gm_store_tx *tx, struct gm_err *err)
{
    struct attempt *attempt = ctx;
    struct gm_store_sets *sets = attempt->sets;
    attempt->moved = sets->tip != NULL || attempt->base != newest(sets);
    if (attempt->moved) {
        return GM_OK;
    }
    GM_TRY(attempt->change->store(attempt->change->ctx, tx->db, attempt->models, err));
    sets->tip = attempt->models;
    gm_graph_set_models(tx->graph, attempt->models);
    return GM_OK;
}

/* *out_done = false: another change came first. */
static gm_rc try_change(struct gm_store *store, const struct gm_store_models_change *change,
                        bool *out_done, struct gm_err *err)
{
    struct attempt attempt = {.change = change, .sets = gm_store_sets(store)};
    attempt.base = gm_store_models_hold(store);
    gm_rc rc = change->make(change->ctx, attempt.base, &attempt.models, err);
    bool writes = rc == GM_OK && attempt.models != NULL;
    if (writes) {
        rc = gm_store_write(store, run_attempt, &attempt, err);
        if (rc == GM_E_CONFLICT) {
            attempt.moved = true;
            rc = GM_OK;
        }
    }
    gm_store_models_release(store, attempt.base);
    if (writes && (rc != GM_OK || attempt.moved)) {
        gm_models_free(attempt.models);
    }
    *out_done = !attempt.moved;
    return rc;
}

gm_rc gm_store_change_models(struct gm_store *store, const struct gm_store_models_change *change,
                             struct gm_err *err)
{
    bool done = false;
    for (int i = 0; i < CHANGE_ATTEMPTS_MAX && !done; i++) {
        GM_TRY(try_change(store, change, &done, err));
    }
    return done ? GM_OK
                : gm_fail(err, GM_E_RETRY, "models are being changed by many at once; try again");
}

/* ---- adding ---- */

struct addition {
    struct gm_store_interfaces given;
    const struct gm_models *old;
    gm_ns now;
};

static gm_rc make_addition(void *ctx, const struct gm_models *old, struct gm_models **out_models,
                           struct gm_err *err)
{
    struct addition *addition = ctx;
    struct gm_models *models;
    *out_models = NULL;
    addition->old = old;
    GM_TRY(gm_store_models_with(old, &addition->given, addition->now, &models, err));
    if (addition->given.added == 0) {
        gm_models_free(models);
        return GM_OK;
    }
    *out_models = models;
    return GM_OK;
}

static gm_rc store_addition(void *ctx, struct gm_db *db, struct gm_models *models,
                            struct gm_err *err)
{
    struct addition *addition = ctx;
    return gm_store_write_models(db, addition->old, models, addition->now, err);
}

gm_rc gm_store_add_interfaces(struct gm_store *store, yyjson_mut_val *const *interfaces,
                              size_t count, size_t *out_added, struct gm_err *err)
{
    const struct gm_clock *clock = gm_store_clock(store);
    struct addition addition = {.given = {.at = interfaces, .count = count},
                                .now = clock->wall(clock)};
    struct gm_store_models_change change = {&addition, make_addition, store_addition};
    GM_TRY(gm_store_change_models(store, &change, err));
    *out_added = addition.given.added;
    return GM_OK;
}

gm_rc gm_store_add_models(struct gm_store *store, const char *path_z, size_t *out_added,
                          struct gm_err *err)
{
    enum { MODELS_ARENA_SIZE = 1 << 30 };
    struct gm_arena *arena = gm_arena_new(MODELS_ARENA_SIZE);
    yyjson_mut_doc *doc = gm_json_doc_new(arena);
    yyjson_mut_val **interfaces;
    size_t count;
    gm_rc rc = gm_models_read_folder(doc, path_z, &interfaces, &count, err);
    if (rc == GM_OK) {
        rc = gm_store_add_interfaces(store, interfaces, count, out_added, err);
    }
    gm_arena_free(arena);
    return rc;
}
