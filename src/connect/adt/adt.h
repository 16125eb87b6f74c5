/* Sink `adt`: twins of a service that speaks the Azure Digital Twins data-plane API: Azure's, or
 * another Gemel. */
#ifndef GM_CONNECT_ADT_ADT_H
#define GM_CONNECT_ADT_ADT_H

#include "connect/connector.h"

extern const struct gm_connector gm_connector_adt;

#endif
