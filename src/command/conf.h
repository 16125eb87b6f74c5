/* The `commands:` section of the configuration: what may be asked of entities, and what has to be
 * so that an event comes of it.
 *
 *     commands:
 *       register_machine:
 *         stream: machines
 *         key: "machine-{machineId}"        # over the command's body
 *         event: registered                 # a type of the stream
 *         when: new
 *         fields: { machineId: { min: 1 }, serialNumber: { pattern: "^[A-Z]{2}[0-9]+$" } }
 *         refers: [{ twin: "factory-{factoryId}", model: "dtmi:example:factory:Factory;1" }]
 *
 * Part of engine/config.h. Thread rule: values, read-only once decoded. */
#ifndef GM_COMMAND_CONF_H
#define GM_COMMAND_CONF_H

#include "conf/conf.h"

struct gm_command_field_conf {
    const char *type; /* NULL: the one that the event's type declares */
    bool required;
    const char *min, *max; /* NULL: no bound */
    const char *pattern;   /* NULL: any text */
    struct gm_conf_strs values;
    const char *help;
};
struct gm_command_refer_conf {
    const char *twin;  /* template of its id; or: */
    const char *model; /* NULL: any */
    const char *entity;
    const char *stream;
};
enum gm_command_when { GM_COMMAND_ANY, GM_COMMAND_NEW, GM_COMMAND_EXISTING };
struct gm_command_conf {
    const char *stream, *key;
    const char *event; /* NULL: events have no type */
    int32_t when;      /* enum gm_command_when */
    const char *require;
    struct gm_conf_map fields;  /* of struct gm_command_field_conf */
    struct gm_conf_list refers; /* of struct gm_command_refer_conf */
    const char *help;
};
extern const struct gm_field gm_command_fields[];

/* Checks across fields, reported into the doc. */
void gm_command_conf_check(struct gm_conf_doc *doc, const struct gm_conf_map *commands,
                           const struct gm_conf_map *streams);

#endif
