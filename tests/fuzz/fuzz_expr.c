/* Conditions: whatever is accepted is written as text that is accepted again and means the same. */
#include <stdint.h>

#include "../support/expr_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parentheses that the writer adds may pass the limits on size and depth; anything else must be
 * read again. */
static void check_again(struct gm_arena *arena, const struct gm_expr *expr)
{
    struct gm_buf first;
    struct gm_buf second;
    gm_buf_init(&first, 1 << 20);
    gm_buf_init(&second, 1 << 20);
    expr_text(&first, expr);
    struct gm_expr *again = NULL;
    struct gm_err err = {0};
    gm_rc rc = gm_expr_parse(arena, gm_buf_str(&first), &again, &err);
    if (rc == GM_OK) {
        expr_text(&second, again);
        GM_ASSERT(gm_str_eq(gm_buf_str(&first), gm_buf_str(&second)));
    } else {
        GM_ASSERT(first.n > GM_EXPR_SIZE_MAX || strstr(err.text, "nested deeper") != NULL);
    }
    gm_buf_deinit(&first);
    gm_buf_deinit(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gm_arena *arena = gm_arena_new(64 << 20);
    struct gm_expr *expr = NULL;
    struct gm_err err = {0};
    gm_rc rc = gm_expr_parse(arena, (struct gm_str){(const char *)data, size}, &expr, &err);
    GM_ASSERT(rc == GM_OK ? expr != NULL : rc == GM_E_INVALID && err.text[0] != '\0');
    if (rc == GM_OK) {
        check_again(arena, expr);
    }
    gm_arena_free(arena);
    return 0;
}
