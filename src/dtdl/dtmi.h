/* Digital twin model identifiers: `dtmi:shop:Product;1`, DTDL v3 also `dtmi:shop:Product;1.4` and
 * without a version.
 *
 *     struct gm_dtmi dtmi;
 *     if (gm_dtmi_parse(id, &dtmi) && dtmi.major >= 0) { … }
 *
 * Segments start with a letter, hold letters, digits and underscores, and do not end with an
 * underscore. */
#ifndef GM_DTDL_DTMI_H
#define GM_DTDL_DTMI_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { GM_DTMI_SIZE_MAX = 2048 };

struct gm_dtmi {
    struct gm_str base;     /* without the version */
    int64_t major;          /* -1: none */
    int64_t minor;          /* -1: none */
    struct gm_str fragment; /* what stands behind #, or nothing; gm_dtmi_parse_any alone has it */
};

/* The syntax of DTDL v3. False: not a DTMI, or longer than GM_DTMI_SIZE_MAX. */
bool gm_dtmi_parse(struct gm_str id, struct gm_dtmi *out_dtmi);
/* Any identifier of the scheme, also those that models cannot define: segments may begin with
 * underscores, and there may be a fragment. */
bool gm_dtmi_parse_any(struct gm_str id, struct gm_dtmi *out_dtmi);
/* As `dtdl_version` (2 or 3) has it: version 2 demands a major version and knows no minor one. */
bool gm_dtmi_valid(struct gm_str id, int dtdl_version);
/* What contents, fields and enum values may be called: [A-Za-z]([A-Za-z0-9_]*[A-Za-z0-9])? */
bool gm_dtdl_name_valid(struct gm_str name);

#endif
