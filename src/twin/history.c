/* Walking a twin's changes, and the twin as it was. */
#include "twin/history.h"

#include "base/mem.h"
#include "base/vec.h"
#include "twin/fold.h"
#include "twin_sql.h"

/* One twin's chain of changes. */
struct chain {
    struct gm_db *db;
    struct gm_change_reader *reader;
    struct gm_str twin;
};

static gm_rc chain_open(struct gm_db *db, struct gm_str twin, struct chain *out_chain,
                        struct gm_err *err)
{
    *out_chain = (struct chain){.db = db, .twin = twin};
    return gm_change_reader_open(db, &out_chain->reader, err);
}

static gm_rc find_last(const struct chain *chain, int64_t *out_num, struct gm_err *err)
{
    struct gm_stmt *stmt;
    GM_TRY(gm_db_prepare(chain->db, GM_SQL_HISTORY_LAST, &stmt, err));
    gm_bind_text(stmt, 1, chain->twin);
    gm_rc rc = gm_step(stmt, err);
    if (rc == GM_OK) {
        *out_num = gm_column_i64(stmt, 0);
    }
    gm_stmt_finalize(stmt);
    return rc;
}

/* Whether retention has taken the change; what it left begins at *out_oldest. */
static gm_rc is_trimmed(const struct chain *chain, int64_t num, int64_t *out_oldest,
                        bool *out_trimmed, struct gm_err *err)
{
    int64_t newest;
    GM_TRY(gm_changes_range(chain->db, out_oldest, &newest, err));
    *out_trimmed = num < *out_oldest;
    return GM_OK;
}

/* A change that the chain names must be there and be this twin's. GM_E_LIMIT: it was, and is not
 * kept. */
static gm_rc read_link(const struct chain *chain, int64_t num, struct gm_change *out_change,
                       struct gm_err *err)
{
    gm_rc rc = gm_change_read(chain->reader, num, out_change, err);
    bool is_link =
        rc == GM_OK && gm_str_eq(out_change->twin, chain->twin) && out_change->previous < num;
    if (rc == GM_E_END) {
        int64_t oldest;
        bool trimmed;
        GM_TRY(is_trimmed(chain, num, &oldest, &trimmed, err));
        if (trimmed) {
            return gm_fail(err, GM_E_LIMIT,
                           "twin \"" GM_STR_FMT "\": its changes before %lld are not kept any more",
                           GM_STR_ARG(chain->twin), (long long)oldest);
        }
    }
    if (rc == GM_E_END || (rc == GM_OK && !is_link)) {
        return gm_fail(err, GM_E_CORRUPT,
                       "twin \"" GM_STR_FMT "\": its history is broken at change %lld",
                       GM_STR_ARG(chain->twin), (long long)num);
    }
    return rc;
}

/* Where a walk over changes below `before` (0: all) may begin: at the newest change, or right
 * behind `before` when that is one of this twin's. */
static gm_rc find_start(const struct chain *chain, int64_t before, int64_t *out_num,
                        struct gm_err *err)
{
    GM_TRY(find_last(chain, out_num, err));
    if (before == 0 || before > *out_num) {
        return GM_OK;
    }
    struct gm_change change;
    gm_rc rc = gm_change_read(chain->reader, before, &change, err);
    if (rc == GM_OK && gm_str_eq(change.twin, chain->twin)) {
        *out_num = change.previous;
    }
    return rc == GM_E_END ? GM_OK : rc;
}

static gm_rc too_long(const struct chain *chain, struct gm_err *err)
{
    return gm_fail(err, GM_E_LIMIT, "twin \"" GM_STR_FMT "\" has more than %d changes",
                   GM_STR_ARG(chain->twin), GM_HISTORY_STEPS_MAX);
}

static gm_rc walk(const struct chain *chain, const struct gm_history_query *query, gm_change_fn fn,
                  void *ctx, struct gm_err *err)
{
    int64_t num;
    GM_TRY(find_start(chain, query->before, &num, err));
    size_t told = 0;
    for (size_t steps = 0; num != 0 && (query->limit == 0 || told < query->limit); steps++) {
        if (steps == GM_HISTORY_STEPS_MAX) {
            return too_long(chain, err);
        }
        struct gm_change change;
        gm_rc rc = read_link(chain, num, &change, err);
        if (rc == GM_E_LIMIT) {
            return GM_OK; /* what is left has been told */
        }
        GM_TRY(rc);
        num = change.previous;
        if (query->before == 0 || change.num < query->before) {
            told++;
            GM_TRY(fn(ctx, &change, err));
        }
    }
    return GM_OK;
}

gm_rc gm_history_walk(struct gm_db *db, const struct gm_history_query *query, gm_change_fn fn,
                      void *ctx, struct gm_err *err)
{
    struct chain chain;
    GM_TRY(chain_open(db, query->twin, &chain, err));
    gm_rc rc = walk(&chain, query, fn, ctx, err);
    gm_change_reader_close(chain.reader);
    return rc;
}

/* ---- the twin as it was ---- */

typedef GM_VEC(int64_t) change_list;

/* The twin's changes up to `last`, back to its creation, newest first. GM_E_END: it did not exist
 * then. */
static gm_rc collect(const struct chain *chain, int64_t last, change_list *nums, struct gm_err *err)
{
    int64_t num;
    GM_TRY(find_start(chain, last < INT64_MAX ? last + 1 : 0, &num, err));
    for (struct gm_change change; num != 0; num = change.previous) {
        GM_TRY(read_link(chain, num, &change, err));
        if (change.num > last) {
            continue;
        }
        if (change.kind == GM_CHANGE_DELETE) {
            return GM_E_END;
        }
        if (nums->n == GM_HISTORY_STEPS_MAX) {
            return too_long(chain, err);
        }
        *gm_vec_push(nums) = num;
        if (change.kind == GM_CHANGE_CREATE) {
            return GM_OK;
        }
    }
    return GM_E_END;
}

/* The state as one value of the caller's document. */
static gm_rc give(const struct gm_fold *fold, struct gm_str twin, yyjson_mut_doc *doc,
                  yyjson_mut_val **out_value, struct gm_err *err)
{
    yyjson_mut_val *value = gm_json_copy(doc, fold->twin);
    yyjson_mut_val *key = gm_json_strref(doc, GM_STR("$dtId"));
    yyjson_mut_val *id = gm_json_strcpy(doc, twin);
    yyjson_mut_val *list = yyjson_mut_arr(doc);
    bool ok = yyjson_mut_is_obj(value) && key != NULL && id != NULL &&
              yyjson_mut_obj_insert(value, key, id, 0);
    gm_json_sort(fold->doc, fold->relationships);
    yyjson_mut_obj_iter iter = yyjson_mut_obj_iter_with(fold->relationships);
    for (yyjson_mut_val *name; ok && (name = yyjson_mut_obj_iter_next(&iter)) != NULL;) {
        yyjson_mut_val *copy = gm_json_copy(doc, yyjson_mut_obj_iter_get_val(name));
        ok = copy != NULL && yyjson_mut_arr_append(list, copy);
    }
    if (!ok || !gm_json_set(doc, value, GM_STR("$relationships"), list)) {
        return gm_fail(err, GM_E_LIMIT, "no room for the twin's state");
    }
    *out_value = value;
    return GM_OK;
}

static gm_rc fold_all(struct gm_fold *fold, const struct chain *chain, const change_list *nums,
                      struct gm_err *err)
{
    for (size_t i = nums->n; i-- > 0;) {
        struct gm_change change;
        GM_TRY(read_link(chain, nums->at[i], &change, err));
        GM_TRY(gm_fold_apply(fold, &change, err));
    }
    return GM_OK;
}

gm_rc gm_history_at(struct gm_db *db, const struct gm_history_point *point, yyjson_mut_doc *doc,
                    yyjson_mut_val **out_value, struct gm_err *err)
{
    struct chain chain;
    GM_TRY(chain_open(db, point->twin, &chain, err));
    struct gm_fold fold;
    change_list nums = {0};
    gm_fold_init(&fold, GM_HISTORY_STATE_SIZE);
    gm_rc rc = collect(&chain, point->change, &nums, err);
    rc = rc == GM_OK ? fold_all(&fold, &chain, &nums, err) : rc;
    rc = rc == GM_OK ? give(&fold, point->twin, doc, out_value, err) : rc;
    gm_vec_deinit(&nums);
    gm_fold_deinit(&fold);
    gm_change_reader_close(chain.reader);
    return rc;
}
