#include "hub/view_groups.h"

#include "base/mem.h"
#include "os/thread.h"
#include "twin/relationships.h"

struct gm_view_groups {
    const struct gm_view_group_conf *conf;
    struct gm_mutex *mu; /* guards the connection and what is prepared on it */
    struct gm_db *db;
    struct gm_twin_reader *twins;
    struct gm_relationship_reader *relationships;
    struct gm_buf id;
};

gm_rc gm_view_groups_new(struct gm_store *store, const struct gm_view_group_conf *conf,
                         struct gm_view_groups **out_groups, struct gm_err *err)
{
    struct gm_view_groups *groups = gm_alloc(sizeof(*groups));
    groups->conf = conf;
    groups->mu = gm_mutex_new();
    gm_buf_init(&groups->id, 2 * GM_EVENT_TEXT_SIZE_MAX + 1024);
    gm_rc rc = gm_store_reader(store, &groups->db, err);
    rc = rc == GM_OK ? gm_twin_reader_open(groups->db, &groups->twins, err) : rc;
    rc = rc == GM_OK ? gm_relationship_reader_open(groups->db, &groups->relationships, err) : rc;
    if (rc != GM_OK) {
        gm_view_groups_free(groups);
        return rc;
    }
    *out_groups = groups;
    return GM_OK;
}

void gm_view_groups_free(struct gm_view_groups *groups)
{
    if (groups != NULL) {
        gm_twin_reader_close(groups->twins);
        gm_relationship_reader_close(groups->relationships);
        gm_db_close(groups->db);
        gm_buf_deinit(&groups->id);
        gm_mutex_free(groups->mu);
        gm_free(groups);
    }
}

/* "sensor-{key}" → "sensor-17" */
static void write_id(const char *template_z, struct gm_str key, struct gm_buf *out)
{
    static const char hole[] = "{key}";
    const char *at;
    gm_buf_reset(out);
    while ((at = strstr(template_z, hole)) != NULL) {
        gm_buf_add(out, (struct gm_str){template_z, (size_t)(at - template_z)});
        gm_buf_add(out, key);
        template_z = at + sizeof(hole) - 1;
    }
    gm_buf_add_z(out, template_z);
}

struct target {
    struct gm_buf *id;
    bool found;
};

static gm_rc keep_target(void *ctx, const struct gm_relationship *relationship, struct gm_err *err)
{
    (void)err;
    struct target *target = ctx;
    gm_buf_reset(target->id);
    gm_buf_add(target->id, relationship->target_id);
    target->found = true;
    return GM_OK;
}

/* groups->id becomes that of the twin at the other end; GM_E_END: there is none. */
static gm_rc follow(struct gm_view_groups *groups, const char *name_z, struct gm_err *err)
{
    struct gm_twin twin;
    struct target target = {.id = &groups->id};
    GM_TRY(gm_twin_by_id(groups->twins, gm_buf_str(&groups->id), &twin, err));
    const struct gm_relationships_page page = {.twin = twin.num,
                                               .id = twin.id,
                                               .count_max = 1,
                                               .name = gm_str_z(name_z),
                                               .fn = keep_target,
                                               .ctx = &target};
    GM_TRY(gm_relationships_out(groups->relationships, &page, err));
    return target.found ? GM_OK : GM_E_END;
}

static gm_rc find(struct gm_view_groups *groups, struct gm_str key, struct gm_err *err)
{
    struct gm_twin twin;
    write_id(groups->conf->twin, key, &groups->id);
    for (size_t i = 0; i < groups->conf->via.n; i++) {
        GM_TRY(follow(groups, groups->conf->via.at[i], err));
    }
    return gm_twin_by_id(groups->twins, gm_buf_str(&groups->id), &twin, err);
}

gm_rc gm_view_groups_find(void *ctx, struct gm_str key, struct gm_buf *out, struct gm_err *err)
{
    struct gm_view_groups *groups = ctx;
    gm_mutex_lock(groups->mu);
    gm_rc rc = find(groups, key, err);
    if (rc == GM_OK) {
        gm_buf_add(out, gm_buf_str(&groups->id));
    }
    gm_twin_reader_reset(groups->twins);
    gm_relationship_reader_reset(groups->relationships);
    gm_mutex_unlock(groups->mu);
    return rc == GM_E_END ? GM_OK : rc;
}
