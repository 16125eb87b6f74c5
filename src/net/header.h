/* A header field of an HTTP message (RFC 9110, section 5): texts without line ends. */
#ifndef GM_NET_HEADER_H
#define GM_NET_HEADER_H

struct gm_http_header {
    const char *name_z, *value_z;
};

#endif
