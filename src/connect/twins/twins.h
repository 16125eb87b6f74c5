/* Sink `twins`: the graph of this data directory. */
#ifndef GM_CONNECT_TWINS_TWINS_H
#define GM_CONNECT_TWINS_TWINS_H

#include "connect/connector.h"

extern const struct gm_connector gm_connector_twins;

#endif
