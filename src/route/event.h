/* Events: what changes of twins look like to those outside, as CloudEvents 1.0
 * (https://github.com/cloudevents/spec) in the shapes of Azure Digital Twins.
 *
 *     struct gm_event_maker *maker;
 *     GM_TRY(gm_event_maker_new(&(struct gm_event_source){store, db, source}, &maker, err));
 *     struct gm_events events = {.arena = arena};
 *     GM_TRY(gm_event_make(maker, &change, &events, err));
 *     for (i…) { gm_event_write(&events.at[i], &text); }
 *     gm_event_maker_free(maker);
 *
 *     change                     type                                     data
 *     CREATE                     Microsoft.DigitalTwins.Twin.Create       the twin
 *     UPDATE                     Microsoft.DigitalTwins.Twin.Update       {"modelId","patch":[…]}
 *     DELETE                     Microsoft.DigitalTwins.Twin.Delete       the twin
 *     RELATIONSHIPS add          Microsoft.DigitalTwins.Relationship.Create   the relationship
 *     RELATIONSHIPS replace      Microsoft.DigitalTwins.Relationship.Update   the same
 *     RELATIONSHIPS remove       Microsoft.DigitalTwins.Relationship.Delete   the relationship
 *     TELEMETRY                  microsoft.iot.telemetry                  the message
 *
 * A change of relationships gives an event for each of them, so the place of an event is the number
 * of its change and its part within that. `id` is made of the place, so that it is the same
 * whenever the event is delivered again; that of telemetry is the sender's Message-Id. What the log
 * does not say is looked up in the graph as it is now: the model that a twin had (`modelId`, always
 * found, in the twin's history if need be) and ETags of what is created (left out when the twin is
 * gone or has moved to another model since).
 *
 * Thread rule: one owner, that of the connection. */
#ifndef GM_ROUTE_EVENT_H
#define GM_ROUTE_EVENT_H

#include "store/store.h"
#include "json/json.h"

enum gm_event_type {
    GM_EVENT_TWIN_CREATE,
    GM_EVENT_TWIN_UPDATE,
    GM_EVENT_TWIN_DELETE,
    GM_EVENT_RELATIONSHIP_CREATE,
    GM_EVENT_RELATIONSHIP_UPDATE,
    GM_EVENT_RELATIONSHIP_DELETE,
    GM_EVENT_TELEMETRY,
    GM_EVENT_TYPE_COUNT,
};
const char *gm_event_type_name(enum gm_event_type type);

/* Of the text of one; what the log holds of a change is bounded below that. */
enum { GM_EVENT_SIZE_MAX = 64 << 20 };

/* Texts and values live in the arena of struct gm_events. */
struct gm_event {
    enum gm_event_type type;
    int64_t change; /* its place */
    int64_t part;
    struct gm_str twin; /* whose order it keeps */
    struct gm_str id, source;
    struct gm_str subject;    /* n 0: none */
    struct gm_str dataschema; /* n 0: none */
    gm_ns time;
    yyjson_mut_val *data;
};
struct gm_events {
    struct gm_arena *arena; /* given by the caller */
    struct gm_event *at;
    size_t count;
};

struct gm_event_source {
    struct gm_store *store;
    struct gm_db *db;     /* borrowed until free */
    struct gm_str source; /* the service's host name; copied */
};
struct gm_event_maker;
gm_rc gm_event_maker_new(const struct gm_event_source *source, struct gm_event_maker **out_maker,
                         struct gm_err *err) GM_MUST_CHECK;
void gm_event_maker_free(struct gm_event_maker *maker); /* NULL is fine */
/* The events of a change, in order; none for relationships that only wait. Changes in order of
 * their numbers are cheapest. GM_E_LIMIT: the arena is full. */
gm_rc gm_event_make(struct gm_event_maker *maker, const struct gm_change *change,
                    struct gm_events *events, struct gm_err *err) GM_MUST_CHECK;
/* Appends it in CloudEvents' JSON format, one line without its end. */
void gm_event_write(const struct gm_event *event, struct gm_buf *out);

#endif
