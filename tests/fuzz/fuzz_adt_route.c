/* The twin API's way from a request line to a handler: "METHOD PATH[?TOKEN]". */
#include <stdint.h>

#include "api/adt/call.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is found fits the template: as many parts as it has braces, none empty, none with a
 * slash. */
static void check_parts(struct gm_arena *arena, const struct gm_adt_operation *operation,
                        const struct gm_str *parts)
{
    size_t wanted = 0;
    for (const char *at = operation->path_z; *at != '\0'; at++) {
        wanted += *at == '{';
    }
    for (size_t i = 0; i < GM_ADT_PARTS_MAX; i++) {
        struct gm_str plain;
        GM_ASSERT((parts[i].p != NULL) == (i < wanted));
        if (parts[i].p == NULL) {
            continue;
        }
        GM_ASSERT(parts[i].n > 0 && memchr(parts[i].p, '/', parts[i].n) == NULL);
        if (gm_adt_unescape(arena, parts[i], &plain)) {
            GM_ASSERT(plain.n <= parts[i].n && plain.p[plain.n] == '\0');
            GM_ASSERT(gm_utf8_valid(plain, NULL));
        }
    }
}

/* A token that is written reads back equal. */
static void check_token(struct gm_arena *arena, struct gm_str text)
{
    struct gm_str back;
    struct gm_buf token;
    gm_buf_init(&token, 1 << 20);
    (void)gm_adt_token_read(arena, text, &back);
    gm_adt_token_write(text, &token);
    bool read = gm_adt_token_read(arena, gm_buf_str(&token), &back);
    GM_ASSERT(read == gm_utf8_valid(text, NULL) && (!read || gm_str_eq(back, text)));
    gm_buf_deinit(&token);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gm_arena *arena = gm_arena_new(8 << 20);
    struct gm_str line = {(const char *)data, size}, method, path, token;
    struct gm_str parts[GM_ADT_PARTS_MAX] = {{NULL, 0}};
    const struct gm_adt_operation *operation = NULL;
    (void)gm_str_cut(line, ' ', &method, &path);
    (void)gm_str_cut(path, '?', &path, &token);
    struct gm_str method_copy = gm_arena_dup(arena, method), path_copy = gm_arena_dup(arena, path);
    if (method_copy.p != NULL && path_copy.p != NULL) {
        enum gm_adt_match match = gm_adt_find(method_copy.p, path_copy.p, &operation, parts);
        GM_ASSERT((match == GM_ADT_NO_PATH) == (operation == NULL));
        if (match == GM_ADT_FOUND) {
            check_parts(arena, operation, parts);
        }
        check_token(arena, token);
    }
    gm_arena_free(arena);
    return 0;
}
