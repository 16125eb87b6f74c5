#include "command/twins.h"

#include "base/mem.h"
#include "os/thread.h"
#include "twin/graph.h"

struct gm_command_twins {
    struct gm_store *store;
    struct gm_mutex *mu; /* guards the connection and what is prepared on it */
    struct gm_db *db;
    struct gm_twin_reader *reader;
};

gm_rc gm_command_twins_new(struct gm_store *store, struct gm_command_twins **out_twins,
                           struct gm_err *err)
{
    struct gm_command_twins *twins = gm_alloc(sizeof(*twins));
    twins->store = store;
    twins->mu = gm_mutex_new();
    gm_rc rc = gm_store_reader(store, &twins->db, err);
    rc = rc == GM_OK ? gm_twin_reader_open(twins->db, &twins->reader, err) : rc;
    if (rc != GM_OK) {
        gm_command_twins_free(twins);
        return rc;
    }
    *out_twins = twins;
    return GM_OK;
}

void gm_command_twins_free(struct gm_command_twins *twins)
{
    if (twins != NULL) {
        gm_twin_reader_close(twins->reader);
        gm_db_close(twins->db);
        gm_mutex_free(twins->mu);
        gm_free(twins);
    }
}

static bool is_of(const struct gm_command_twins *twins, int64_t num, struct gm_str wanted)
{
    if (wanted.n == 0) {
        return true;
    }
    const struct gm_models *models = gm_store_models_hold(twins->store);
    const struct gm_model *model = gm_models_by_num(models, gm_twin_model_num(num));
    const struct gm_model *base = gm_models_find(models, wanted);
    bool is = model != NULL && base != NULL && gm_model_is(model, base);
    gm_store_models_release(twins->store, models);
    return is;
}

gm_rc gm_command_twins_find(struct gm_command_twins *twins, struct gm_str id, struct gm_str model,
                            struct gm_err *err)
{
    struct gm_twin twin;
    gm_mutex_lock(twins->mu);
    gm_rc rc = gm_twin_by_id(twins->reader, id, &twin, err);
    int64_t num = rc == GM_OK ? twin.num : 0;
    gm_twin_reader_reset(twins->reader);
    gm_mutex_unlock(twins->mu);
    return rc == GM_OK && !is_of(twins, num, model) ? GM_E_END : rc;
}
