/* Keys and what they belong to. */
#include "view/inside.h"

uint32_t gm_view_key_number(struct gm_view *view, struct gm_str key)
{
    uint64_t number = view->guess;
    size_t count = gm_map_count(view->numbers);
    bool guessed = number < count && gm_str_eq(gm_map_key_at(view->numbers, number), key);
    if (!guessed && !gm_map_get(view->numbers, key, &number)) {
        number = count++;
        (void)gm_map_set(view->numbers, key, number);
    }
    view->guess = number + 1 < count ? number + 1 : 0;
    return (uint32_t)number;
}

static uint32_t member_number(struct gm_part *part, struct gm_str key)
{
    uint64_t number;
    if (!gm_map_get(part->member_numbers, key, &number)) {
        number = part->members.n;
        (void)gm_vec_push(&part->members);
        (void)gm_map_set(part->member_numbers, key, number);
    }
    return (uint32_t)number;
}

static uint32_t number_of_group(struct gm_view *view, struct gm_str belongs_to)
{
    return belongs_to.n > 0 ? gm_view_key_number(view, belongs_to) : UINT32_MAX;
}

void gm_view_load_member(struct gm_view *view, int partition, struct gm_str key, int64_t first,
                         struct gm_str belongs_to)
{
    struct gm_part *part = &view->parts[partition];
    uint32_t number = member_number(part, key);
    *gm_vec_push(&part->members.at[number].at) =
        (struct gm_membership){first, number_of_group(view, belongs_to)};
}

/* The membership that holds at an offset; NULL: none is known. */
static const struct gm_membership *find_membership(const struct gm_member *member, int64_t offset)
{
    for (size_t i = member->at.n; i > 0; i--) {
        if (member->at.at[i - 1].first <= offset) {
            return &member->at.at[i - 1];
        }
    }
    return NULL;
}

static gm_rc ask(struct gm_view *view, struct gm_str key, uint32_t *out_group, struct gm_err *err)
{
    gm_buf_reset(&view->text);
    GM_TRY(view->options.group_of(view->options.ctx, key, &view->text, err));
    struct gm_str text = gm_buf_str(&view->text);
    if (text.n > GM_EVENT_TEXT_SIZE_MAX) {
        return gm_fail(err, GM_E_LIMIT, "what key " GM_STR_FMT " belongs to has %zu bytes",
                       GM_STR_ARG(key), text.n);
    }
    *out_group = number_of_group(view, text);
    return GM_OK;
}

/* Asks when nothing is known, or when the answer may have changed and no later one is known: the
 * past of a view that is made anew is taken from the old one. */
static gm_rc refresh(struct gm_view *view, const struct gm_grouping *grouping, uint32_t number,
                     struct gm_err *err)
{
    struct gm_part *part = &view->parts[grouping->partition];
    struct gm_member *member = &part->members.at[number];
    int64_t offset = grouping->event->offset;
    uint32_t group;
    bool newest = member->at.n == 0 || member->at.at[member->at.n - 1].first <= offset;
    bool settled = member->at.n > 0 && offset < part->settled_until;
    if (member->asked == view->generation || !newest || settled || offset < part->known_until) {
        return GM_OK;
    }
    GM_TRY(ask(view, grouping->key, &group, err));
    member->asked = view->generation;
    if (member->at.n > 0 && member->at.at[member->at.n - 1].group == group) {
        return GM_OK;
    }
    struct gm_membership membership = {offset, group};
    *gm_vec_push(&member->at) = membership;
    *gm_vec_push(&view->new_members) =
        (struct gm_new_member){grouping->partition, number, membership};
    return GM_OK;
}

gm_rc gm_view_group(struct gm_view *view, struct gm_grouping *grouping, struct gm_err *err)
{
    if (view->options.group_of == NULL) {
        grouping->group = gm_view_key_number(view, grouping->key);
        grouping->some = true;
        return GM_OK;
    }
    struct gm_part *part = &view->parts[grouping->partition];
    uint32_t number = member_number(part, grouping->key);
    GM_TRY(refresh(view, grouping, number, err));
    const struct gm_membership *membership =
        find_membership(&part->members.at[number], grouping->event->offset);
    grouping->some = membership != NULL && membership->group != UINT32_MAX;
    grouping->group = grouping->some ? membership->group : 0;
    return GM_OK;
}

/* How far ahead of what is folded memberships are said to hold, so that it is seldom said. It is
 * cut to the end of the stream when the view is opened. */
enum { KEPT_AHEAD = 1 << 16 };

static gm_rc keep_groups(struct gm_view *view, struct gm_err *err)
{
    int64_t kept_until[GM_VIEW_PARTITIONS_MAX];
    bool kept = view->new_members.n == 0;
    if (view->broken != GM_OK || view->saving) {
        return gm_fail(err, GM_E_RETRY, "the view is being saved");
    }
    for (int p = 0; p < view->options.partitions; p++) {
        const struct gm_part *part = &view->parts[p];
        kept = kept && part->next <= part->kept_until;
        kept_until[p] = part->next + KEPT_AHEAD;
    }
    if (kept) {
        return GM_OK;
    }
    gm_rc rc = gm_view_write_groups(view, kept_until, err);
    if (rc != GM_OK) {
        view->broken = rc;
        view->why = *err;
        return GM_E_RETRY;
    }
    view->new_members.n = 0;
    for (int p = 0; p < view->options.partitions; p++) {
        view->parts[p].kept_until = kept_until[p];
    }
    return GM_OK;
}

gm_rc gm_view_keep_groups(struct gm_view *view, struct gm_err *err)
{
    if (view->options.group_of == NULL) {
        return GM_OK;
    }
    gm_mutex_lock(view->mu);
    gm_rc rc = keep_groups(view, err);
    gm_mutex_unlock(view->mu);
    return rc;
}

bool gm_view_group_was(struct gm_view *view, const struct gm_grouping *grouping,
                       uint32_t *out_group)
{
    uint64_t number;
    const struct gm_part *part = &view->parts[grouping->partition];
    if (view->options.group_of == NULL) {
        bool known = gm_map_get(view->numbers, grouping->key, &number);
        *out_group = known ? (uint32_t)number : 0;
        return known;
    }
    if (!gm_map_get(part->member_numbers, grouping->key, &number)) {
        return false;
    }
    const struct gm_membership *membership =
        find_membership(&part->members.at[number], grouping->event->offset);
    *out_group = membership != NULL ? membership->group : UINT32_MAX;
    return *out_group != UINT32_MAX;
}

static bool same_group(const struct gm_view *view, uint32_t group, const struct gm_view *old,
                       uint32_t old_group)
{
    if (group == UINT32_MAX || old_group == UINT32_MAX) {
        return group == old_group;
    }
    return gm_str_eq(gm_map_key_at(view->numbers, group), gm_map_key_at(old->numbers, old_group));
}

/* How many memberships begin in front of an offset. */
static size_t count_before(const struct gm_member *member, int64_t offset)
{
    size_t count = member->at.n;
    while (count > 0 && member->at.at[count - 1].first >= offset) {
        count--;
    }
    return count;
}

/* The memberships that `was` has, and no others in front of `end`. */
static bool same_member(const struct gm_view *view, const struct gm_member *is,
                        const struct gm_view *old, const struct gm_member *was, int64_t end)
{
    size_t count = count_before(is, end);
    if (count != was->at.n) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (is->at.at[i].first != was->at.at[i].first ||
            !same_group(view, is->at.at[i].group, old, was->at.at[i].group)) {
            return false;
        }
    }
    return true;
}

static bool same_in_part(const struct gm_view *view, const struct gm_view *old, int partition)
{
    const struct gm_part *part = &view->parts[partition], *before = &old->parts[partition];
    size_t there = 0, wanted = 0;
    for (size_t m = 0; m < before->members.n; m++) {
        const struct gm_member *was = &before->members.at[m];
        uint64_t number;
        if (was->at.n == 0) {
            continue;
        }
        if (!gm_map_get(part->member_numbers, gm_map_key_at(before->member_numbers, m), &number) ||
            !same_member(view, &part->members.at[number], old, was, before->next)) {
            return false;
        }
        wanted++;
    }
    for (size_t m = 0; m < part->members.n; m++) {
        there += count_before(&part->members.at[m], before->next) > 0 ? 1 : 0;
    }
    return there == wanted;
}

bool gm_view_same_groups(const struct gm_view *view, const struct gm_view *old)
{
    for (int p = 0; p < view->options.partitions; p++) {
        if (!same_in_part(view, old, p)) {
            return false;
        }
    }
    return true;
}
