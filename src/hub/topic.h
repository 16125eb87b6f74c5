/* Topics with names in them: what to subscribe to, and what a message's topic says.
 *
 *     GM_TRY(gm_topics_new(&conf, &topics, err));           // "factory/{factory}/+/{sensor}"
 *     gm_topics_filter(topics, 0)                           // "factory/+/+/+"
 *     struct gm_event known = {0};
 *     gm_topics_read(topics, topic, arena, &known);         // key, type, origin of the templates
 *
 * A level is a text, `+`, `{name}`, or `#` at the end. A message is read by the first topic that it
 * fits. Templates are text with `{name}` in it; one whose name the fitting topic does not have
 * says nothing.
 *
 * Thread rule: read-only once made. */
#ifndef GM_HUB_TOPIC_H
#define GM_HUB_TOPIC_H

#include "base/arena.h"
#include "flow/event.h"
#include "hub/mqtt_conf.h"

enum { GM_TOPIC_LEVELS_MAX = 32, GM_TOPIC_NAMES_MAX = 16 };

struct gm_topics;
/* `conf` is kept. GM_E_CONFIG: a topic or a template in it is wrong. */
gm_rc gm_topics_new(const struct gm_mqtt_conf *conf, struct gm_topics **out_topics,
                    struct gm_err *err) GM_MUST_CHECK;
void gm_topics_free(struct gm_topics *topics); /* NULL is fine */

size_t gm_topics_count(const struct gm_topics *topics);
/* As the broker wants it, "$share/NAME/" in front when it is shared. */
const char *const *gm_topics_filters(const struct gm_topics *topics);

/* Sets key, type and origin as the templates say, n 0 where they say nothing; texts are in the
 * arena. False: the arena is full. */
bool gm_topics_read(const struct gm_topics *topics, struct gm_str topic, struct gm_arena *arena,
                    struct gm_event *out_known);

#endif
