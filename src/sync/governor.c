#include "sync/governor.h"

#include "base/mem.h"
#include "base/vec.h"
#include "os/thread.h"

enum {
    STEPS = 101,        /* of a second and the one under way */
    OBJECTS = 4096,     /* places for limits per object */
    OBJECT_RING = 10,   /* times that one remembers */
    USER_IDLE_MS = 100, /* without a wish for so long, a user is not short any more */
};
#define STEP (10 * GM_MS)
#define UTILISATION 0.98
#define BURST_SECONDS 0.4
#define PAUSE_FIRST (100 * GM_MS)
#define PAUSE_LONGEST (60 * GM_SECOND)
#define SPEED_MIN 0.05
#define SPEED_CUT 0.8
#define SPEED_RECOVERY 0.02 /* a second */
/* Of a class without a limit, while the target has lately refused: where the search for what it
 * grants begins. */
#define RATE_UNKNOWN 1000.0

/* One class. */
struct bucket {
    double limit; /* 0: none */
    double rate;  /* what holds now; 0: no limit */
    double tokens;
    gm_ns filled; /* until when; 0: not used yet */
    double steps[STEPS];
    int64_t step; /* the newest one, counted from the clock's 0 */
    double spent; /* sum of `steps` */
};

/* When the last writes of an object were. */
struct object {
    gm_ns at[OBJECT_RING];
    unsigned next;
};

struct gm_governor_user {
    struct governor *governor;
    double served[GM_RATE_CLASSES_MAX]; /* what it was granted, for equal shares */
    gm_ns short_until[GM_RATE_CLASSES_MAX];
    gm_ns last[GM_RATE_CLASSES_MAX];
};

struct governor {
    struct gm_governors *all;
    char *target_z;
    struct gm_mutex *mu;
    struct gm_rate_limits limits;
    /* guarded by mu */
    struct bucket buckets[GM_RATE_CLASSES_MAX];
    struct object *objects;
    GM_VEC(struct gm_governor_user *) users;
    gm_ns closed_until;
    unsigned refusals; /* in a row */
    double speed;      /* the share of the budget that the target seems to grant */
    gm_ns speed_at;    /* when `speed` was right */
};

struct gm_governors {
    struct gm_mutex *mu;
    GM_VEC(struct governor *) list; /* guarded by mu */
};

/* ---- who uses which ---- */

struct gm_governors *gm_governors_new(void)
{
    struct gm_governors *governors = gm_alloc(sizeof(*governors));
    governors->mu = gm_mutex_new();
    return governors;
}

static void governor_free(struct governor *governor)
{
    gm_mutex_free(governor->mu);
    gm_vec_deinit(&governor->users);
    gm_free(governor->objects);
    gm_free(governor->target_z);
    gm_free(governor);
}

void gm_governors_free(struct gm_governors *governors)
{
    if (governors == NULL) {
        return;
    }
    GM_ASSERT(governors->list.n == 0);
    gm_vec_deinit(&governors->list);
    gm_mutex_free(governors->mu);
    gm_free(governors);
}

/* Under governors->mu. */
static struct governor *find_governor(struct gm_governors *governors, struct gm_str target)
{
    for (size_t i = 0; i < governors->list.n; i++) {
        if (gm_str_is(target, governors->list.at[i]->target_z)) {
            return governors->list.at[i];
        }
    }
    struct governor *governor = gm_alloc(sizeof(*governor));
    governor->all = governors;
    governor->target_z = gm_str_dup_z(target);
    governor->mu = gm_mutex_new();
    governor->objects = gm_alloc_array(OBJECTS, sizeof(*governor->objects));
    governor->speed = 1;
    *gm_vec_push(&governors->list) = governor;
    return governor;
}

static double lower_limit(double a, double b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

struct gm_governor_user *gm_governors_join(struct gm_governors *governors, struct gm_str target,
                                           const struct gm_rate_limits *limits)
{
    struct gm_governor_user *user = gm_alloc(sizeof(*user));
    gm_mutex_lock(governors->mu);
    struct governor *governor = find_governor(governors, target);
    gm_mutex_lock(governor->mu);
    GM_ASSERT(governor->users.n < GM_GOVERNOR_USERS_MAX);
    user->governor = governor;
    *gm_vec_push(&governor->users) = user;
    for (size_t i = 0; i < GM_RATE_CLASSES_MAX; i++) {
        governor->limits.per_second[i] =
            lower_limit(governor->limits.per_second[i], limits->per_second[i]);
        governor->buckets[i].limit = governor->limits.per_second[i];
    }
    governor->limits.per_object = lower_limit(governor->limits.per_object, limits->per_object);
    gm_mutex_unlock(governor->mu);
    gm_mutex_unlock(governors->mu);
    return user;
}

void gm_governor_leave(struct gm_governor_user *user)
{
    if (user == NULL) {
        return;
    }
    struct governor *governor = user->governor;
    struct gm_governors *all = governor->all;
    gm_mutex_lock(all->mu);
    gm_mutex_lock(governor->mu);
    for (size_t i = 0; i < governor->users.n; i++) {
        if (governor->users.at[i] == user) {
            governor->users.at[i] = governor->users.at[--governor->users.n];
            break;
        }
    }
    bool empty = governor->users.n == 0;
    gm_mutex_unlock(governor->mu);
    for (size_t i = 0; empty && i < all->list.n; i++) {
        if (all->list.at[i] == governor) {
            all->list.at[i] = all->list.at[--all->list.n];
            governor_free(governor);
            break;
        }
    }
    gm_mutex_unlock(all->mu);
    gm_free(user);
}

/* ---- a class ---- */

static double speed_of(struct governor *governor, gm_ns now)
{
    if (governor->speed < 1) {
        double seconds = (double)(now - governor->speed_at) / (double)GM_SECOND;
        governor->speed += seconds > 0 ? seconds * SPEED_RECOVERY : 0;
        governor->speed = governor->speed < 1 ? governor->speed : 1;
    }
    governor->speed_at = now;
    return governor->speed;
}

static double burst_of(double fill_rate)
{
    double burst = fill_rate * BURST_SECONDS;
    return burst > 1 ? burst : 1;
}

static void fill(struct bucket *bucket, double fill_rate, gm_ns now)
{
    if (bucket->filled == 0) { /* it begins empty: the first second is a second like any other */
        bucket->filled = now;
    }
    double seconds = (double)(now - bucket->filled) / (double)GM_SECOND;
    if (seconds > 0) {
        double burst = burst_of(fill_rate);
        bucket->tokens += seconds * fill_rate;
        bucket->tokens = bucket->tokens < burst ? bucket->tokens : burst;
        bucket->filled = now;
    }
}

/* Takes the steps that are more than a second ago out of the sum. */
static void advance(struct bucket *bucket, gm_ns now)
{
    int64_t step = now / STEP;
    if (step - bucket->step >= STEPS) {
        memset(bucket->steps, 0, sizeof(bucket->steps));
        bucket->spent = 0;
        bucket->step = step;
    }
    while (bucket->step < step) {
        double *oldest = &bucket->steps[++bucket->step % STEPS];
        bucket->spent -= *oldest;
        *oldest = 0;
    }
}

/* How long until `cost` may be spent; 0: now. More than fits goes when the bucket is full, and is
 * owed. */
static gm_ns bucket_wait(struct bucket *bucket, double fill_rate, double cost, gm_ns now)
{
    fill(bucket, fill_rate, now);
    advance(bucket, now);
    double burst = burst_of(fill_rate);
    double needed = cost < burst ? cost : burst;
    if (bucket->tokens < needed) {
        double seconds = (needed - bucket->tokens) / fill_rate;
        return (gm_ns)(seconds * (double)GM_SECOND) + 1;
    }
    if (bucket->spent > 0 && bucket->spent + cost > bucket->rate + 1e-9) {
        return (bucket->step + 1) * STEP - now;
    }
    return 0;
}

static void spend(struct bucket *bucket, double amount, gm_ns now)
{
    advance(bucket, now);
    bucket->tokens -= amount;
    bucket->steps[bucket->step % STEPS] += amount;
    bucket->spent += amount;
}

/* ---- an object ---- */

/* The oldest of the times that count; with limits above OBJECT_RING a second, a shorter span. */
static gm_ns object_wait(const struct governor *governor, uint64_t object, gm_ns now)
{
    double limit = governor->limits.per_object;
    if (object == 0 || limit == 0) {
        return 0;
    }
    const struct object *place = &governor->objects[object % OBJECTS];
    unsigned count = limit >= OBJECT_RING ? OBJECT_RING : limit >= 1 ? (unsigned)limit : 1;
    gm_ns span = (gm_ns)((double)count / (limit * UTILISATION) * (double)GM_SECOND);
    gm_ns oldest = place->at[(place->next + OBJECT_RING - count) % OBJECT_RING];
    return oldest != 0 && oldest + span > now ? oldest + span - now : 0;
}

static void note_object(struct governor *governor, uint64_t object, gm_ns now)
{
    if (object != 0 && governor->limits.per_object != 0) {
        struct object *place = &governor->objects[object % OBJECTS];
        place->at[place->next] = now != 0 ? now : 1;
        place->next = (place->next + 1) % OBJECT_RING;
    }
}

/* ---- equal shares ---- */

/* Who comes back after a pause has no claim to what it did not want meanwhile. */
static void catch_up(struct gm_governor_user *user, unsigned class, gm_ns now)
{
    const struct governor *governor = user->governor;
    double least = -1;
    if (now - user->last[class] < USER_IDLE_MS * GM_MS) {
        return;
    }
    for (size_t i = 0; i < governor->users.n; i++) {
        const struct gm_governor_user *other = governor->users.at[i];
        bool active = other != user && now - other->last[class] < USER_IDLE_MS * GM_MS;
        if (active && (least < 0 || other->served[class] < least)) {
            least = other->served[class];
        }
    }
    user->served[class] = user->served[class] < least ? least : user->served[class];
}

/* Another one is short, and has had less. */
static bool is_ahead(const struct gm_governor_user *user, unsigned class, double slack, gm_ns now)
{
    const struct governor *governor = user->governor;
    for (size_t i = 0; i < governor->users.n; i++) {
        const struct gm_governor_user *other = governor->users.at[i];
        if (other != user && other->short_until[class] > now &&
            user->served[class] > other->served[class] + slack) {
            return true;
        }
    }
    return false;
}

/* ---- reserving ---- */

/* Under mu. */
static gm_ns reserve(struct gm_governor_user *user, const struct gm_rate_ask *ask, gm_ns now)
{
    struct governor *governor = user->governor;
    struct bucket *bucket = &governor->buckets[ask->class];
    if (governor->closed_until > now) {
        return governor->closed_until - now;
    }
    gm_ns wait = object_wait(governor, ask->object, now);
    if (wait > 0) {
        return wait;
    }
    double speed = speed_of(governor, now);
    bucket->rate = bucket->limit != 0 ? bucket->limit : speed < 1 ? RATE_UNKNOWN : 0;
    if (bucket->rate > 0) {
        double fill_rate = bucket->rate * UTILISATION * speed;
        catch_up(user, ask->class, now);
        user->last[ask->class] = now;
        wait = bucket_wait(bucket, fill_rate, ask->cost, now);
        if (wait == 0 && is_ahead(user, ask->class, ask->cost, now)) {
            return GM_MS;
        }
        if (wait > 0) {
            user->short_until[ask->class] = now + wait + USER_IDLE_MS * GM_MS;
            return wait;
        }
        spend(bucket, ask->cost, now);
        user->served[ask->class] += ask->cost;
    }
    note_object(governor, ask->object, now);
    return 0;
}

gm_ns gm_governor_reserve(struct gm_governor_user *user, const struct gm_rate_ask *ask, gm_ns now)
{
    GM_ASSERT(ask->class < GM_RATE_CLASSES_MAX && ask->cost >= 0);
    gm_mutex_lock(user->governor->mu);
    gm_ns wait = reserve(user, ask, now);
    gm_mutex_unlock(user->governor->mu);
    return wait;
}

void gm_governor_settle(struct gm_governor_user *user, const struct gm_rate_ask *ask, double actual,
                        gm_ns now)
{
    struct governor *governor = user->governor;
    struct bucket *bucket = &governor->buckets[ask->class];
    gm_mutex_lock(governor->mu);
    if (bucket->rate > 0) {
        spend(bucket, actual - ask->cost, now);
        user->served[ask->class] += actual - ask->cost;
    }
    gm_mutex_unlock(governor->mu);
}

void gm_governor_refused(struct gm_governor_user *user, gm_ns retry_after, double random, gm_ns now)
{
    struct governor *governor = user->governor;
    gm_mutex_lock(governor->mu);
    gm_ns pause = retry_after;
    bool first = governor->closed_until <= now; /* of those that were under way together */
    if (pause <= 0) {
        gm_ns longest = PAUSE_FIRST;
        for (unsigned i = 0; i < governor->refusals && longest < PAUSE_LONGEST; i++) {
            longest *= 2;
        }
        longest = longest < PAUSE_LONGEST ? longest : PAUSE_LONGEST;
        pause = (gm_ns)(random * (double)longest) + GM_MS;
    }
    if (first) {
        double speed = speed_of(governor, now) * SPEED_CUT;
        governor->speed = speed > SPEED_MIN ? speed : SPEED_MIN;
        governor->refusals++;
    }
    gm_ns until = now + pause;
    if ((first || retry_after > 0) && until > governor->closed_until) {
        governor->closed_until = until;
        /* It goes on at an even pace: what was saved up before would be refused again at once. */
        for (size_t i = 0; i < GM_RATE_CLASSES_MAX; i++) {
            struct bucket *bucket = &governor->buckets[i];
            bucket->tokens = bucket->tokens < 0 ? bucket->tokens : 0;
            bucket->filled = until;
        }
    }
    gm_mutex_unlock(governor->mu);
}

void gm_governor_accepted(struct gm_governor_user *user)
{
    gm_mutex_lock(user->governor->mu);
    user->governor->refusals = 0;
    gm_mutex_unlock(user->governor->mu);
}

/* ---- slots ---- */

enum { SLOTS_FIRST = 4 };
#define SLOTS_TOLERANCE 2.0 /* times the usual latency that mean nothing yet */
#define SLOTS_QUEUE 4.0  /* requests that may wait at the target: what a round grows by at most */
#define SLOTS_WEIGHT 0.2 /* of a round */
#define LATE_WEIGHT 0.125
#define USUAL_WEIGHT 0.004

void gm_slots_init(struct gm_slots *slots, size_t max)
{
    GM_ASSERT(max > 0);
    *slots = (struct gm_slots){.max = (double)max};
    slots->limit = slots->max < SLOTS_FIRST ? slots->max : SLOTS_FIRST;
}

size_t gm_slots_count(const struct gm_slots *slots)
{
    return slots->limit > 1 ? (size_t)slots->limit : 1;
}

static void end_round(struct gm_slots *slots)
{
    double gradient = SLOTS_TOLERANCE * slots->usual / slots->late;
    gradient = gradient > 1 ? 1 : gradient < 0.5 ? 0.5 : gradient;
    slots->known = slots->known || gradient < 1;
    if (!slots->known && slots->busy) {
        slots->limit *= 2;
    }
    double wanted = slots->limit * gradient + SLOTS_QUEUE;
    if (wanted < slots->limit || slots->busy) {
        slots->limit += SLOTS_WEIGHT * (wanted - slots->limit);
    }
    slots->limit = slots->limit > slots->max ? slots->max : slots->limit;
    slots->round = 0;
    slots->busy = false;
}

void gm_slots_answered(struct gm_slots *slots, gm_ns took, bool busy)
{
    double latency = took > 0 ? (double)took : 1;
    if (slots->usual == 0) {
        slots->usual = slots->late = latency;
    }
    slots->late += LATE_WEIGHT * (latency - slots->late);
    slots->usual += USUAL_WEIGHT * (latency - slots->usual);
    if (slots->usual > SLOTS_TOLERANCE * slots->late) { /* it was slow, and is fast again */
        slots->usual *= 0.95;
    }
    slots->busy = slots->busy || busy;
    if (++slots->round >= gm_slots_count(slots)) {
        end_round(slots);
    }
}

void gm_slots_refused(struct gm_slots *slots, gm_ns now)
{
    if (slots->shrunk == 0 || (double)(now - slots->shrunk) > slots->late) {
        slots->limit = slots->limit / 2 > 1 ? slots->limit / 2 : 1;
        slots->known = true;
        slots->shrunk = now;
    }
}
