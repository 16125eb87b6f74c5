/* What is wrong with a query, for those who expect the words of the service's parser, which is made
 * with ANTLR: the place in lines from 1 and characters from 0, and one of its phrases. Our own
 * texts have one form (expr.h): "line L, column C: expected X, found `Y`", or "found the end". */
#include <stdio.h>

#include "base/num.h"
#include "twin/query_plan.h"

/* Takes "line 3, column 7: " off the front. */
static bool take_place(struct gm_str *text, struct gm_query_fault *fault)
{
    struct gm_str line, column, rest, head = *text;
    int64_t l, c;
    if (!gm_str_starts(head, GM_STR("line "))) {
        return false;
    }
    head = (struct gm_str){head.p + 5, head.n - 5};
    if (!gm_str_cut(head, ',', &line, &rest) || !gm_str_starts(rest, GM_STR(" column "))) {
        return false;
    }
    rest = (struct gm_str){rest.p + 8, rest.n - 8};
    if (!gm_str_cut(rest, ':', &column, &rest) || !gm_parse_i64(line, &l) ||
        !gm_parse_i64(column, &c) || c < 1) {
        return false;
    }
    fault->line = (int32_t)l;
    fault->position = (int32_t)c - 1;
    *text = gm_str_trim(rest);
    return true;
}

/* "expected X, found `Y`" → X and Y; false: something else. */
static bool split(struct gm_str text, struct gm_str *out_expected, struct gm_str *out_found)
{
    static const char found[] = ", found ";
    if (!gm_str_starts(text, GM_STR("expected ")) || text.n < sizeof(found)) {
        return false;
    }
    for (size_t i = text.n - sizeof(found) + 1; i > 9; i--) {
        struct gm_str rest = {text.p + i, text.n - i};
        if (gm_str_starts(rest, gm_str_z(found))) {
            *out_expected = (struct gm_str){text.p + 9, i - 9};
            *out_found = (struct gm_str){rest.p + sizeof(found) - 1, rest.n - sizeof(found) + 1};
            return true;
        }
    }
    return false;
}

/* The token without our quotes; a string keeps its own. */
static struct gm_str token_of(struct gm_str found)
{
    if (gm_str_is(found, "the end")) {
        return GM_STR("<EOF>");
    }
    bool quoted = found.n >= 2 && found.p[0] == '`' && found.p[found.n - 1] == '`';
    return quoted ? (struct gm_str){found.p + 1, found.n - 2} : found;
}

/* ANTLR goes on as if a word were there when what follows fits behind it. */
static bool is_missing(struct gm_str expected, struct gm_str token)
{
    if (gm_str_is(expected, "SELECT")) {
        return !gm_str_is(token, "<EOF>");
    }
    return gm_str_is(expected, "FROM") && (gm_str_same(token, GM_STR("DIGITALTWINS")) ||
                                           gm_str_same(token, GM_STR("RELATIONSHIPS")));
}

void gm_query_fault_of(const struct gm_err *err, struct gm_query_fault *out_fault)
{
    struct gm_str text = gm_str_z(err->text), expected, found;
    char *message = out_fault->message;
    const size_t size = sizeof(out_fault->message);
    *out_fault = (struct gm_query_fault){0};
    bool placed = take_place(&text, out_fault);
    if (placed && split(text, &expected, &found)) {
        struct gm_str token = token_of(found);
        if (is_missing(expected, token)) {
            (void)snprintf(message, size, "missing " GM_STR_FMT " at '" GM_STR_FMT "'",
                           GM_STR_ARG(expected), GM_STR_ARG(token));
        } else {
            (void)snprintf(message, size, "mismatched input '" GM_STR_FMT "' expecting " GM_STR_FMT,
                           GM_STR_ARG(token), GM_STR_ARG(expected));
        }
    } else if (placed && gm_str_starts(text, GM_STR("unexpected `"))) {
        (void)snprintf(message, size, "token recognition error at: '" GM_STR_FMT "'",
                       (int)(text.n - 13), text.p + 12);
    } else {
        (void)snprintf(message, size, GM_STR_FMT, GM_STR_ARG(text));
    }
}
