/* The condition language, as the Azure Digital Twins query language has it behind WHERE; filters of
 * pipelines and queries share this lexer, parser and tree; what filters mean is in match.h.
 *
 *     struct gm_expr *expr;
 *     GM_TRY(gm_expr_parse(arena, GM_STR("UnitPrice > 20 AND NOT Discontinued"), &expr, err));
 *
 * Grammar (keywords in any case, strings in single quotes with \' \\ escapes):
 *     cond := cond OR cond | cond AND cond | NOT cond | '(' cond ')' | test
 *     test := operand (= != <> < > <= >=) operand | function | path | true | false
 *           | operand ([NOT] IN | NIN) '[' literal {',' literal} ']'
 *     function := STARTSWITH|ENDSWITH|CONTAINS '(' operand ',' operand ')'
 *                 (filters of event routes spell them STARTS_WITH and ENDS_WITH: the same)
 *               | ARRAY_CONTAINS '(' path ',' literal ')'
 *               | IS_DEFINED|IS_NULL|IS_BOOL|IS_NUMBER|IS_STRING|IS_OBJECT|IS_PRIMITIVE '(' path
 *                 ')'
 *               | IS_OF_MODEL '(' [alias ','] string [',' exact] ')'
 *     operand := path | string | number | true | false | null
 *     literal := string | number | true | false | null
 *     path := segment {'.' segment};  segment := identifier | $identifier | '[[' any text ']]'
 * Identifiers are letters, digits and '_', not starting with a digit; any character outside ASCII
 * is a letter, but for spaces. '[[' starts a raw segment wherever it stands, and the raw text ends
 * at the last ']]' of a row of ']'. A path does not start with a word of the language (AND, OR,
 * NOT, IN, NIN, TRUE, FALSE, NULL): write [[Not]]; behind a '.' they are segments like others.
 * Precedence: OR < AND < NOT < test. Nesting is bounded by GM_EXPR_DEPTH_MAX, the text by
 * GM_EXPR_SIZE_MAX, and everything is allocated in the arena. Errors: GM_E_INVALID with "line L,
 * column C: expected …, found …" (columns count characters from 1; a
 * token stands in quotes, and "the end" without); GM_E_LIMIT when the arena is full.
 * Thread rule: a lexer has one owner; a tree is read-only once made. */
#ifndef GM_EXPR_EXPR_H
#define GM_EXPR_EXPR_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"

enum { GM_EXPR_DEPTH_MAX = 64, GM_EXPR_SIZE_MAX = 64 << 10, GM_EXPR_ITEMS_MAX = 10000 };

/* ---- tokens: shared with the parser of queries ---- */

enum gm_token_type {
    GM_TOKEN_END,
    GM_TOKEN_NAME,
    GM_TOKEN_RAW_NAME /* [[…]] */,
    GM_TOKEN_STRING,
    GM_TOKEN_NUMBER, /* unsigned: digits [. digits] [e [+-] digits] */
    /* = != <> < > <= >= ( ) [ ] { } , . .. ; : | * - @  — "->" and "<-" come as two */
    GM_TOKEN_SYMBOL,
};
struct gm_token {
    enum gm_token_type type;
    struct gm_str text; /* as written; of STRING and RAW_NAME: the content with escapes undone */
    int32_t line, column;
    size_t offset; /* bytes from the start */
};
/* One token of lookahead over a text. Owner: the caller's stack; a copy of the struct is a mark to
 * go back to. Tokens of STRING that hold no escape, and all others, borrow from `text`. */
struct gm_lexer {
    struct gm_arena *arena;
    struct gm_str text;
    size_t at;
    int32_t line, column;
    struct gm_token token; /* the current one */
    int depth;             /* of gm_expr_parse_at */
};
/* Refuses texts above GM_EXPR_SIZE_MAX and invalid UTF-8; reads the first token. */
gm_rc gm_lexer_init(struct gm_lexer *lexer, struct gm_arena *arena, struct gm_str text,
                    struct gm_err *err) GM_MUST_CHECK;
gm_rc gm_lexer_next(struct gm_lexer *lexer, struct gm_err *err) GM_MUST_CHECK;
bool gm_lexer_at_keyword(const struct gm_lexer *lexer, const char *keyword_z); /* any case */
bool gm_lexer_at_symbol(const struct gm_lexer *lexer, const char *symbol_z);
/* Fails with "line L, column C: expected <what>, found <token>". */
gm_rc gm_lexer_fail(const struct gm_lexer *lexer, const char *expected_z, struct gm_err *err);
#ifdef __clang_analyzer__
#define gm_lexer_fail(...) ((void)(gm_lexer_fail)(__VA_ARGS__), GM_E_INVALID)
#endif

/* ---- the tree ---- */

enum gm_expr_type {
    GM_EXPR_OR,
    GM_EXPR_AND,     /* args: two or more, in the order they are written */
    GM_EXPR_NOT,     /* args[0] */
    GM_EXPR_COMPARE, /* op, args[0], args[1] */
    GM_EXPR_IN,      /* args[0] in items args[1…]; negated for NIN and NOT IN */
    GM_EXPR_CALL,    /* function, args; of IS_OF_MODEL: [a PATH, the alias,] a STRING, and exact */
    GM_EXPR_PATH,
    GM_EXPR_STRING,
    GM_EXPR_INT,
    GM_EXPR_DOUBLE,
    GM_EXPR_BOOL,
    GM_EXPR_NULL,
};
enum gm_expr_op { GM_OP_EQ, GM_OP_NE, GM_OP_LT, GM_OP_LE, GM_OP_GT, GM_OP_GE };
enum gm_expr_function {
    GM_FN_STARTSWITH,
    GM_FN_ENDSWITH,
    GM_FN_CONTAINS,
    GM_FN_ARRAY_CONTAINS,
    GM_FN_IS_DEFINED,
    GM_FN_IS_NULL,
    GM_FN_IS_BOOL,
    GM_FN_IS_NUMBER,
    GM_FN_IS_STRING,
    GM_FN_IS_OBJECT,
    GM_FN_IS_PRIMITIVE,
    GM_FN_IS_OF_MODEL,
};

struct gm_expr {
    enum gm_expr_type type;
    enum gm_expr_op op;
    enum gm_expr_function function;
    bool negated; /* IN */
    bool exact;   /* IS_OF_MODEL */
    struct gm_expr **args;
    size_t arg_count;
    struct gm_str *segments; /* PATH */
    size_t segment_count;
    struct gm_str string;
    int64_t i;
    double d;
    bool b;
    int32_t line, column;
};

/* The whole text must be one condition. Strings and segments live in `arena` or borrow from
 * `text`. */
gm_rc gm_expr_parse(struct gm_arena *arena, struct gm_str text, struct gm_expr **out_expr,
                    struct gm_err *err) GM_MUST_CHECK;
/* Parses a condition from where the lexer stands and stops behind it: for queries. */
gm_rc gm_expr_parse_at(struct gm_lexer *lexer, struct gm_expr **out_expr, struct gm_err *err)
    GM_MUST_CHECK;

#endif
