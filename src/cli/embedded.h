/* Files that are compiled in, by tools/embed_files.py. */
#ifndef GM_CLI_EMBEDDED_H
#define GM_CLI_EMBEDDED_H

#include "base/str.h"

struct gm_embedded_file {
    const char *path_z; /* below the folder that was embedded; NULL ends the table */
    struct gm_str content;
};

/* src/cli/sample/: what `gemel sample` writes as it is. */
extern const struct gm_embedded_file gm_sample_files[];

#endif
