/* Filters of event routes, as Azure Digital Twins has them: which events a route delivers.
 *
 *     struct gm_event_filter *filter;
 *     GM_TRY(gm_event_filter_parse(arena, GM_STR("type = 'Microsoft.DigitalTwins.Twin.Update' AND "
 *                                                "$body.modelId = 'dtmi:acme:Press;1'"),
 *                                  &filter, err));
 *     if (gm_event_filter_match(filter, &event)) { … }
 *
 * true or false, or comparisons (= != < <= > >=) and STARTS_WITH, ENDS_WITH, CONTAINS of texts,
 * joined by AND, OR, NOT and parentheses. What is compared: type, source, subject, dataschema,
 * datacontenttype, specversion, $body.PATH (members of objects in the event's data; what stands in
 * arrays, as operations of a patch do, cannot be reached) and values: texts in single quotes,
 * numbers, true, false, null. $eventType is of an older form of filters, which SDKs' examples still
 * write; its values are 'DigitalTwinTelemetryMessages', 'DigitalTwinLifecycleNotification' (twins
 * created and deleted), 'DigitalTwinChangeNotification' and
 * 'DigitalTwinRelationshipChangeNotification'.
 *
 * What holds is said in expr/match.h: types are strict, a comparison with what is not there, or of
 * different types, is false. Lexer and grammar are those of expr/expr.h, with its bounds. Thread
 * rule: read-only once made. */
#ifndef GM_ROUTE_FILTER_H
#define GM_ROUTE_FILTER_H

#include "route/event.h"

struct gm_event_filter;
/* GM_E_INVALID: "line L, column C: …"; GM_E_LIMIT: the arena is full. Texts may borrow from
 * `text`. */
gm_rc gm_event_filter_parse(struct gm_arena *arena, struct gm_str text,
                            struct gm_event_filter **out_filter, struct gm_err *err) GM_MUST_CHECK;
bool gm_event_filter_match(const struct gm_event_filter *filter, const struct gm_event *event);

#endif
