/* Comparing a batch with the sync state: a merge of two sorted lists.
 *
 * The batch's keys are sorted by an index beside it: entries of 16 bytes that hold the first bytes
 * in which keys differ, so that nearly every comparison is one of integers. The sort is a merge of
 * the runs that are there already. Sources deliver in the order of a table's key more often than
 * not; even numbers, whose texts sort differently ("10" before "9"), come as one run per count of
 * digits.
 *
 * Then one statement delivers the table's rows from the first wanted key on. A row that nobody
 * asked for is passed over; after SKIP_MAX of them in a row it is cheaper to begin anew at the
 * wanted key. */
#include "base/mem.h"
#include "sync/rows.h"
#include "sync/state.h"
#include "sync_sql.h"

enum {
    SKIP_MAX = 3, /* rows that cost about as much to pass over as a search costs */
    PREFIX_SIZE = 8,
};

struct entry {
    uint64_t prefix; /* bytes of the key behind what all keys begin with, as a big-endian number */
    uint32_t index;  /* of the record in its batch */
};

struct gm_state_reader {
    struct gm_db *db;
    struct gm_stmt *walk;
    struct entry *entries; /* GM_BATCH_RECORDS_MAX */
    struct entry *scratch; /* likewise */
    uint32_t *runs;        /* likewise and one more: where sorted runs begin; the last is the end */
};

gm_rc gm_state_reader_open(struct gm_db *db, struct gm_state_reader **out_reader,
                           struct gm_err *err)
{
    struct gm_stmt *walk;
    GM_TRY(gm_db_prepare(db, GM_SQL_STATE_WALK, &walk, err));
    struct gm_state_reader *reader = gm_alloc(sizeof(*reader));
    reader->db = db;
    reader->walk = walk;
    reader->entries = gm_alloc_array(GM_BATCH_RECORDS_MAX, sizeof(struct entry));
    reader->scratch = gm_alloc_array(GM_BATCH_RECORDS_MAX, sizeof(struct entry));
    reader->runs = gm_alloc_array(GM_BATCH_RECORDS_MAX + 1, sizeof(uint32_t));
    *out_reader = reader;
    return GM_OK;
}

void gm_state_reader_close(struct gm_state_reader *reader)
{
    if (reader != NULL) {
        gm_stmt_finalize(reader->walk);
        gm_free(reader->entries);
        gm_free(reader->scratch);
        gm_free(reader->runs);
        gm_free(reader);
    }
}

/* ---- sorting ---- */

static size_t common_prefix(struct gm_str a, struct gm_str b, size_t max)
{
    size_t n = 0;
    max = a.n < max ? a.n : max;
    max = b.n < max ? b.n : max;
    while (n < max && a.p[n] == b.p[n]) {
        n++;
    }
    return n;
}

/* Shorter keys count as if zeros followed: never more than what has other bytes there, and where
 * that makes two equal the whole keys decide. */
static uint64_t prefix_of(struct gm_str key, size_t skip)
{
    uint64_t prefix = 0;
    size_t n = key.n - skip < PREFIX_SIZE ? key.n - skip : PREFIX_SIZE;
    const unsigned char *p = (const unsigned char *)key.p + skip;
    for (size_t i = 0; i < n; i++) {
        prefix |= (uint64_t)p[i] << (56 - 8 * i);
    }
    return prefix;
}

static inline int compare_entries(const struct gm_batch *batch, const struct entry *a,
                                  const struct entry *b)
{
    if (a->prefix != b->prefix) {
        return a->prefix < b->prefix ? -1 : 1;
    }
    return gm_str_cmp(batch->records[a->index].key, batch->records[b->index].key);
}

/* The records that take part, in the batch's order. */
static size_t list_entries(struct gm_state_reader *reader, const struct gm_batch *batch)
{
    size_t count = 0, common = SIZE_MAX;
    struct gm_str first = {NULL, 0};
    for (size_t i = 0; i < batch->count; i++) {
        const struct gm_record *record = &batch->records[i];
        if (record->rc != GM_OK || record->verdict != GM_VERDICT_NONE) {
            continue;
        }
        first = count == 0 ? record->key : first;
        common = common_prefix(first, record->key, common);
        reader->entries[count++].index = (uint32_t)i;
    }
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = &reader->entries[i];
        entry->prefix = prefix_of(batch->records[entry->index].key, common);
    }
    return count;
}

static void merge(const struct gm_batch *batch, const struct entry *a, const struct entry *b,
                  const struct entry *end, struct entry *out)
{
    const struct entry *a_end = b;
    while (a < a_end && b < end) {
        /* Equal keys keep their order: the first record of a key stays the first. */
        bool take_b = compare_entries(batch, b, a) < 0;
        *out++ = take_b ? *b : *a;
        b += take_b;
        a += !take_b;
    }
    memcpy(out, a, (size_t)(a_end - a) * sizeof(*a));
    out += a_end - a;
    memcpy(out, b, (size_t)(end - b) * sizeof(*b));
}

static size_t find_runs(struct gm_state_reader *reader, const struct gm_batch *batch, size_t count)
{
    size_t runs = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || compare_entries(batch, &reader->entries[i], &reader->entries[i - 1]) < 0) {
            reader->runs[runs++] = (uint32_t)i;
        }
    }
    reader->runs[runs] = (uint32_t)count;
    return runs;
}

static void sort_entries(struct gm_state_reader *reader, const struct gm_batch *batch, size_t count)
{
    size_t runs = find_runs(reader, batch, count);
    uint32_t *at = reader->runs;
    while (runs > 1) {
        struct entry *from = reader->entries;
        size_t merged = 0;
        for (size_t i = 0; i < runs; i += 2) {
            size_t middle = at[i + 1], end = i + 1 < runs ? at[i + 2] : middle;
            size_t begin = at[i];
            merge(batch, from + begin, from + middle, from + end, reader->scratch + begin);
            at[merged++] = (uint32_t)begin;
        }
        at[merged] = (uint32_t)count;
        runs = merged;
        reader->entries = reader->scratch;
        reader->scratch = from;
    }
}

/* ---- verdicts ---- */

/* What an earlier comparison of the same batch left. */
static void forget_verdict(struct gm_record *record)
{
    if (record->verdict == GM_VERDICT_UNCHANGED || record->verdict == GM_VERDICT_STALE) {
        record->verdict = GM_VERDICT_NONE;
    }
    record->known = false;
    record->revive = false;
    record->slot = 0;
    record->target = 0;
    record->target_id = (struct gm_str){NULL, 0};
    record->known_hash = (struct gm_hash128){0};
}

static gm_rc keep_target_id(const struct gm_stmt *walk, struct gm_batch *batch,
                            struct gm_record *record)
{
    struct gm_str id = gm_column_text(walk, 6);
    if (id.p == NULL) {
        return GM_OK;
    }
    record->target_id = gm_arena_dup(batch->arena, id);
    if (record->target_id.p == NULL) {
        gm_record_fail(batch, record, GM_E_LIMIT,
                       "key \"" GM_STR_FMT "\": its batch has no memory left",
                       GM_STR_ARG(record->key));
        return GM_E_LIMIT;
    }
    return GM_OK;
}

/* The row under the statement is the record's. */
static gm_rc judge(const struct gm_stmt *walk, struct gm_batch *batch, struct gm_record *record,
                   struct gm_err *err)
{
    int64_t state = gm_column_i64(walk, 2);
    if (state == GM_STATE_DELETED) {
        return GM_OK; /* as if it had never been; its slot comes back when it is written */
    }
    record->slot = gm_column_i64(walk, 1);
    if (record->slot <= 0 || record->slot > GM_SLOT_MAX) {
        return gm_fail(err, GM_E_CORRUPT,
                       "sync state of key \"" GM_STR_FMT "\": slot %lld; restore the store from a "
                       "backup",
                       GM_STR_ARG(record->key), (long long)record->slot);
    }
    GM_TRY(gm_column_hash(walk, 3, record->key, &record->known_hash, err));
    record->known = true;
    record->target = gm_column_i64(walk, 4);
    if (keep_target_id(walk, batch, record) != GM_OK) {
        return GM_OK;
    }
    bool was_missing = gm_column_i64(walk, 7) != 0;
    bool applied = state == GM_STATE_COMPLETED || state == GM_STATE_DEAD;
    if (applied && gm_hash128_eq(record->hash, record->known_hash)) {
        record->verdict = GM_VERDICT_UNCHANGED;
        record->revive = was_missing || state == GM_STATE_DEAD;
    } else if (record->version != 0 && gm_column_i64(walk, 5) > record->version) {
        record->verdict = GM_VERDICT_STALE;
        record->revive = was_missing;
    }
    return GM_OK;
}

/* A record whose key came before in the batch, and has been judged. */
static void judge_repetition(struct gm_batch *batch, const struct gm_record *first,
                             struct gm_record *later)
{
    later->known = first->known;
    later->known_hash = first->known_hash;
    if (gm_hash128_eq(first->hash, later->hash)) {
        later->verdict = GM_VERDICT_UNCHANGED;
        later->slot = -1;
        return;
    }
    later->slot = first->slot;
    later->target = first->target;
    later->target_id = first->target_id;
    gm_record_fail(batch, later, GM_E_INVALID,
                   "key \"" GM_STR_FMT "\" came before in this run with other content; make `key` "
                   "name what tells records apart",
                   GM_STR_ARG(later->key));
    later->repeated = true;
}

/* ---- the walk ---- */

struct walk {
    struct gm_stmt *stmt;
    struct gm_batch *batch;
    const struct entry *at, *end; /* the wanted key, and behind the last one */
};

static struct gm_str wanted(const struct walk *walk)
{
    return walk->batch->records[walk->at->index].key;
}

/* On to the next key; the records in between repeat this one. */
static void advance(struct walk *walk)
{
    const struct entry *first = walk->at++;
    while (walk->at < walk->end && compare_entries(walk->batch, first, walk->at) == 0) {
        judge_repetition(walk->batch, &walk->batch->records[first->index],
                         &walk->batch->records[walk->at->index]);
        walk->at++;
    }
}

/* From the wanted key on, as long as the rows are near. GM_OK: seek again. GM_E_END: no more
 * rows. */
static gm_rc walk_near(struct walk *walk, struct gm_err *err)
{
    gm_reset(walk->stmt);
    gm_bind_text(walk->stmt, 2, wanted(walk));
    for (int skipped = 0; skipped <= SKIP_MAX;) {
        GM_TRY(gm_step(walk->stmt, err));
        struct gm_str key = gm_column_text(walk->stmt, 0);
        int order = gm_str_cmp(key, wanted(walk));
        while (order > 0) { /* the table has no row for the wanted key */
            advance(walk);
            if (walk->at == walk->end) {
                return GM_OK;
            }
            order = gm_str_cmp(key, wanted(walk));
        }
        if (order < 0) {
            skipped++;
            continue;
        }
        GM_TRY(judge(walk->stmt, walk->batch, &walk->batch->records[walk->at->index], err));
        advance(walk);
        if (walk->at == walk->end) {
            return GM_OK;
        }
        skipped = 0;
    }
    return GM_OK;
}

static gm_rc walk_all(struct walk *walk, struct gm_err *err)
{
    gm_rc rc = GM_OK;
    while (rc == GM_OK && walk->at < walk->end) {
        rc = walk_near(walk, err);
    }
    gm_reset(walk->stmt);
    while (rc == GM_E_END && walk->at < walk->end) {
        advance(walk);
    }
    return rc == GM_E_END ? GM_OK : rc;
}

gm_rc gm_state_compare(struct gm_state_reader *reader, int64_t pipeline, struct gm_batch *batch,
                       struct gm_err *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->records[i].rc == GM_OK) {
            forget_verdict(&batch->records[i]);
        }
    }
    size_t count = list_entries(reader, batch);
    sort_entries(reader, batch, count);
    struct walk walk = {reader->walk, batch, reader->entries, reader->entries + count};
    /* One snapshot for the batch's searches: taking one costs several times a search. None is held
     * between batches, or the store's log could not be cut back. */
    bool own_snapshot = !gm_db_in_transaction(reader->db);
    if (own_snapshot) {
        GM_TRY(gm_db_begin_snapshot(reader->db, err));
    }
    gm_bind_i64(reader->walk, 1, pipeline);
    gm_rc rc = walk_all(&walk, err);
    if (own_snapshot) {
        gm_db_rollback(reader->db);
    }
    return rc;
}
