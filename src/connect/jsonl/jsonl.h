/* Source `jsonl`: files with one JSON object a line. */
#ifndef GM_CONNECT_JSONL_JSONL_H
#define GM_CONNECT_JSONL_JSONL_H

#include "connect/connector.h"

struct gm_jsonl_conf {
    const char *path;
    struct gm_conf_strs key;
    const char *archive;
};

extern const struct gm_connector gm_connector_jsonl;

#endif
