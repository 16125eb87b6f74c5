/* Where a request ends has one reading, or it is refused: RFC 9112, section 6.3 and 11.2. The
 * library is lenient, and a proxy in front that reads it otherwise would let a stranger hide a
 * second request in the body of a first. */
#include <strings.h>

#include "net/server_inside.h"

struct walk {
    struct gm_framing *framing;
    unsigned lengths, encodings, hosts;
};

static bool is_name(const char *name_z)
{
    static const char others[] = "!#$%&'*+-.^_`|~"; /* RFC 9110, section 5.6.2 */
    for (const char *p = name_z; *p != '\0'; p++) {
        char lower = (char)(*p | 0x20);
        if (!(lower >= 'a' && lower <= 'z') && !(*p >= '0' && *p <= '9') &&
            strchr(others, *p) == NULL) {
            return false;
        }
    }
    return name_z[0] != '\0';
}

static enum MHD_Result visit(void *ctx, enum MHD_ValueKind kind, const char *name_z,
                             const char *value_z)
{
    (void)kind;
    struct walk *walk = ctx;
    struct gm_framing *framing = walk->framing;
    if (!is_name(name_z)) {
        framing->wrong_z = "a header's name has a character that it cannot have";
        return MHD_NO;
    }
    switch (name_z[0] | 0x20) {
    case 'c':
        if (strcasecmp(name_z, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0) {
            framing->length_z = value_z;
            walk->lengths++;
        }
        break;
    case 't':
        if (strcasecmp(name_z, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0) {
            framing->chunked = value_z != NULL && strcasecmp(value_z, "chunked") == 0;
            walk->encodings++;
        }
        break;
    case 'h':
        walk->hosts += strcasecmp(name_z, MHD_HTTP_HEADER_HOST) == 0;
        break;
    case 'e':
        framing->expects = framing->expects || strcasecmp(name_z, MHD_HTTP_HEADER_EXPECT) == 0;
        break;
    default:
        break;
    }
    return MHD_YES;
}

void gm_link_framing(const struct gm_link *link, struct gm_framing *out_framing)
{
    struct walk walk = {.framing = out_framing};
    *out_framing = (struct gm_framing){0};
    (void)MHD_get_connection_values(link->connection, MHD_HEADER_KIND, visit, &walk);
    if (out_framing->wrong_z != NULL) {
        return;
    }
    if (walk.lengths + walk.encodings > 1) {
        out_framing->wrong_z = "the length of the body is told more than once";
    } else if (walk.encodings > 0 && !out_framing->chunked) {
        out_framing->wrong_z = "the transfer encoding is not `chunked`";
    } else if (walk.hosts > 1) {
        out_framing->wrong_z = "there is more than one Host header";
    }
}
