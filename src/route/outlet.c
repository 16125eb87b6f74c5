#include "route/outlet.h"

void gm_outlet_init(struct gm_outlet *outlet, const char *name_z,
                    const struct gm_conf_choice *choice)
{
    *outlet = (struct gm_outlet){.name_z = name_z,
                                 .endpoint = choice->alternative->self,
                                 .conf = choice->conf,
                                 .mu = gm_mutex_new(),
                                 .cond = gm_cond_new()};
}

void gm_outlet_deinit(struct gm_outlet *outlet)
{
    if (outlet->shared != NULL) {
        outlet->endpoint->close(outlet->shared);
    }
    gm_cond_free(outlet->cond);
    gm_mutex_free(outlet->mu);
}

static void take_turn(struct gm_outlet *outlet)
{
    gm_mutex_lock(outlet->mu);
    while (outlet->taken) {
        gm_cond_wait(outlet->cond, outlet->mu);
    }
    outlet->taken = true;
    gm_mutex_unlock(outlet->mu);
}

static void give_turn(struct gm_outlet *outlet)
{
    gm_mutex_lock(outlet->mu);
    outlet->taken = false;
    gm_cond_signal(outlet->cond);
    gm_mutex_unlock(outlet->mu);
}

gm_rc gm_outlet_open(struct gm_outlet *outlet, const struct gm_stream_directory *streams,
                     void **out_self, struct gm_err *err)
{
    gm_rc rc = GM_OK;
    if (!outlet->endpoint->shared) {
        return outlet->endpoint->open(outlet->conf, streams, out_self, err);
    }
    *out_self = NULL;
    take_turn(outlet);
    if (outlet->shared == NULL) {
        rc = outlet->endpoint->open(outlet->conf, streams, &outlet->shared, err);
    }
    give_turn(outlet);
    return rc;
}

gm_rc gm_outlet_deliver(struct gm_outlet *outlet, void *self, struct gm_delivery *delivery,
                        struct gm_err *err)
{
    if (!outlet->endpoint->shared) {
        return outlet->endpoint->deliver(self, delivery, err);
    }
    take_turn(outlet);
    gm_rc rc = outlet->endpoint->deliver(outlet->shared, delivery, err);
    give_turn(outlet);
    return rc;
}

void gm_outlet_close(struct gm_outlet *outlet, void *self)
{
    if (outlet != NULL && self != NULL) {
        outlet->endpoint->close(self);
    }
}
