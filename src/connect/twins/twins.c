/* The sink `twins`: records become twins and relationships of this store's graph. */
#include "connect/twins/twins.h"

#include "connect/twins/read_back.h"

#include "base/mem.h"

static gm_rc twins_open(const void *conf, const struct gm_sink_env *env, void **out_self,
                        struct gm_err *err)
{
    (void)conf;
    (void)err;
    struct twins_sink *sink = gm_alloc(sizeof(*sink));
    sink->preparer.env = *env;
    *out_self = sink;
    return GM_OK;
}

static void twins_close(void *self)
{
    twins_read_back_close(self);
    gm_free(self);
}

static gm_rc twins_prepare(void *self, struct gm_batch *batch, struct gm_err *err)
{
    struct twins_sink *sink = self;
    return gm_twin_items_prepare(&sink->preparer, batch, err);
}

/* ---- apply ---- */

static bool is_ready(const struct gm_record *record)
{
    return record->prepared != NULL && record->rc == GM_OK && record->verdict == GM_VERDICT_NONE;
}

static enum gm_verdict verdict_of(enum gm_put_outcome outcome)
{
    return outcome == GM_PUT_CREATED   ? GM_VERDICT_CREATED
           : outcome == GM_PUT_UPDATED ? GM_VERDICT_UPDATED
                                       : GM_VERDICT_SAME;
}

static gm_rc apply_twin(struct twins_sink *sink, struct gm_batch *batch, struct gm_record *record,
                        struct gm_err *err)
{
    struct gm_twin_item *item = record->prepared;
    struct gm_err own = {0};
    item->twin.err = &own;
    GM_TRY(gm_graph_put_twin(sink->preparer.env.graph, &item->twin, err));
    item->twin.err = NULL;
    if (item->twin.rc != GM_OK) {
        gm_record_fail(batch, record, item->twin.rc, "%s", own.text);
    }
    return GM_OK;
}

/* Twins that are new as far as the pipeline knows, to be created together. Where one was there all
 * the same, as when pipelines share twins, the batch's others most likely are, too: these are put
 * one by one, since creating them in vain costs more than it saves. */
struct newcomers {
    struct twins_sink *sink;
    struct gm_batch *batch;
    bool one_by_one;
    size_t count;
    struct gm_record *records[GM_GRAPH_TOGETHER];
};

static gm_rc apply_newcomers(struct newcomers *newcomers, struct gm_err *err)
{
    size_t count = newcomers->count;
    bool created = false;
    newcomers->count = 0;
    if (count == GM_GRAPH_TOGETHER && !newcomers->one_by_one) {
        struct gm_twin_put *puts[GM_GRAPH_TOGETHER];
        for (size_t i = 0; i < count; i++) {
            puts[i] = &((struct gm_twin_item *)newcomers->records[i]->prepared)->twin;
        }
        GM_TRY(gm_graph_create_twins(newcomers->sink->preparer.env.graph, puts, &created, err));
        newcomers->one_by_one = !created;
    }
    for (size_t i = 0; !created && i < count; i++) {
        GM_TRY(apply_twin(newcomers->sink, newcomers->batch, newcomers->records[i], err));
    }
    return GM_OK;
}

static gm_rc add_twin(struct newcomers *newcomers, struct gm_record *record, struct gm_err *err)
{
    struct gm_twin_put *put = &((struct gm_twin_item *)record->prepared)->twin;
    put->fresh = !record->known || record->target == 0;
    put->expected_num = record->known ? record->target : 0;
    put->position = record->position;
    if (put->expected_num != 0) { /* those before it may be about the same twin */
        GM_TRY(apply_newcomers(newcomers, err));
        return apply_twin(newcomers->sink, newcomers->batch, record, err);
    }
    newcomers->records[newcomers->count++] = record;
    return newcomers->count < GM_GRAPH_TOGETHER ? GM_OK : apply_newcomers(newcomers, err);
}

/* The key made another twin before: that one is no longer delivered. */
static gm_rc release_former(struct twins_sink *sink, const struct gm_record *record,
                            struct gm_err *err)
{
    const struct gm_twin_item *item = record->prepared;
    bool deleted;
    if (!record->known || record->target == 0 || !item->twin.joined) {
        return GM_OK;
    }
    return gm_graph_release_twin(sink->preparer.env.graph, record->target, sink->preparer.env.names,
                                 &deleted, err);
}

static gm_rc finish_twin(struct twins_sink *sink, struct gm_batch *batch, struct gm_record *record,
                         struct gm_err *err)
{
    struct gm_twin_item *item = record->prepared;
    struct gm_err own = {0};
    item->twin.err = &own;
    GM_TRY(gm_graph_put_relationships(sink->preparer.env.graph, &item->twin, err));
    GM_TRY(release_former(sink, record, err));
    record->target = item->twin.num;
    if (item->twin.rc != GM_OK) {
        gm_record_fail(batch, record, item->twin.rc, "%s", own.text);
        return GM_OK;
    }
    record->delivered = item->twin.id;
    record->verdict = verdict_of(item->twin.outcome);
    return GM_OK;
}

static gm_rc apply_link(struct twins_sink *sink, struct gm_batch *batch, struct gm_record *record,
                        struct gm_err *err)
{
    struct gm_twin_item *item = record->prepared;
    struct gm_err own = {0};
    struct gm_str former = record->target_id, source, id;
    item->link.err = &own;
    item->link.position = record->position;
    if (former.p != NULL && !gm_str_eq(former, item->link_id) &&
        gm_str_cut(former, '/', &source, &id)) {
        GM_TRY(gm_graph_remove_link(sink->preparer.env.graph, source, id, record->position, err));
    }
    GM_TRY(gm_graph_put_link(sink->preparer.env.graph, &item->link, err));
    if (item->link.rc != GM_OK) {
        gm_record_fail(batch, record, item->link.rc, "%s", own.text);
        return GM_OK;
    }
    record->target_id = item->link_id;
    record->delivered = item->link_id;
    record->verdict = verdict_of(item->link.outcome);
    return GM_OK;
}

static struct gm_cause cause_of(const struct gm_sink_work *work, struct gm_str actor)
{
    return (struct gm_cause){
        .pipeline = work->pipeline, .run = work->run, .actor = actor, .now = work->now};
}

static gm_rc twins_apply(void *self, const struct gm_sink_work *work, struct gm_batch *batch,
                         struct gm_err *err)
{
    struct twins_sink *sink = self;
    struct gm_cause cause = cause_of(work, batch->origin);
    struct newcomers newcomers = {.sink = sink, .batch = batch};
    GM_TRY(gm_graph_begin(sink->preparer.env.graph, &cause, err));
    for (size_t i = 0; i < batch->count; i++) {
        struct gm_record *record = &batch->records[i];
        if (is_ready(record) && !((struct gm_twin_item *)record->prepared)->is_link) {
            GM_TRY(add_twin(&newcomers, record, err));
        }
    }
    GM_TRY(apply_newcomers(&newcomers, err));
    /* Twins first: so relationships within the batch find their ends. */
    for (size_t i = 0; i < batch->count; i++) {
        struct gm_record *record = &batch->records[i];
        if (is_ready(record)) {
            bool link = ((struct gm_twin_item *)record->prepared)->is_link;
            GM_TRY(link ? apply_link(sink, batch, record, err)
                        : finish_twin(sink, batch, record, err));
        }
    }
    return gm_graph_end(sink->preparer.env.graph, err);
}

static gm_rc twins_remove(void *self, const struct gm_sink_work *work,
                          const struct gm_sink_target *targets, size_t count, struct gm_err *err)
{
    struct twins_sink *sink = self;
    struct gm_cause cause = cause_of(work, GM_STR("sweep"));
    GM_TRY(gm_graph_begin(sink->preparer.env.graph, &cause, err));
    for (size_t i = 0; i < count; i++) {
        struct gm_str source, id;
        bool deleted;
        if (targets[i].id.p != NULL && gm_str_cut(targets[i].id, '/', &source, &id)) {
            GM_TRY(gm_graph_remove_link(sink->preparer.env.graph, source, id, 0, err));
        } else if (targets[i].num != 0) {
            GM_TRY(gm_graph_release_twin(sink->preparer.env.graph, targets[i].num,
                                         sink->preparer.env.names, &deleted, err));
        }
    }
    return gm_graph_end(sink->preparer.env.graph, err);
}

static const struct gm_field twins_fields[] = {GM_FIELD_END};

const struct gm_connector gm_connector_twins = {
    .name_z = "twins",
    .self = &gm_connector_twins,
    .help_z = "Twins and relationships of the graph in the data directory. Records come from "
              "`map`, or from a source of JSON "
              "documents in the form that `map` makes: `{\"$dtId\", \"$metadata\": {\"$model\"}, "
              "…, \"$relationships\": […]}` for twins, "
              "`{\"$sourceId\", \"$relationshipName\", \"$targetId\", …}` for relationships. "
              "Such a document is the whole twin: properties and relationships that it does not "
              "have are removed; use a `map` where pipelines share twins. "
              "Everything is checked against the "
              "models. A relationship whose other end is missing waits for it.",
    .example_z = "twins\n",
    .roles = GM_ROLE_SINK,
    .fields = twins_fields,
    .conf_size = 1,
    .sink_open = twins_open,
    .prepare = twins_prepare,
    .apply = twins_apply,
    .remove = twins_remove,
    .expect = twins_expect,
    .actual = twins_actual,
    .sink_close = twins_close,
};
