#include "expr/expr.h"

#include "base/num.h"

/* Errors quote at most this much of the text. */
enum { QUOTE_SIZE_MAX = 40 };

static gm_rc fail_at(const struct gm_lexer *lexer, int32_t column, struct gm_err *err,
                     const char *what_z)
{
    return gm_fail(err, GM_E_INVALID, "line %d, column %d: %s", (int)lexer->line, (int)column,
                   what_z);
}

static bool is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool is_name_part(unsigned char c)
{
    return is_name_start(c) || is_digit(c);
}

/* The byte `ahead` of the place where the lexer is; NUL behind the end (a NUL in the text is no
 * part of any token). */
static unsigned char peek(const struct gm_lexer *lexer, size_t ahead)
{
    return ahead < lexer->text.n - lexer->at ? (unsigned char)lexer->text.p[lexer->at + ahead]
                                             : '\0';
}

static bool at_end(const struct gm_lexer *lexer)
{
    return lexer->at == lexer->text.n;
}

/* Moves over `n` bytes and counts lines and characters. */
static void advance(struct gm_lexer *lexer, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)lexer->text.p[lexer->at++];
        if (c == '\n') {
            lexer->line++;
            lexer->column = 1;
        } else if ((c & 0xC0) != 0x80) {
            lexer->column++;
        }
    }
}

/* Bytes of the white space character `ahead`; 0: none. Text copied from documents holds no-break
 * spaces (U+00A0, U+202F), fixed width spaces (U+2000-U+200B) and byte order marks (U+FEFF). */
static size_t space_size(const struct gm_lexer *lexer, size_t ahead)
{
    unsigned char c = peek(lexer, ahead);
    if (c < 0x80) {
        return c == ' ' || c == '\t' || c == '\n' || c == '\r' ? 1 : 0;
    }
    unsigned char second = peek(lexer, ahead + 1);
    unsigned char third = peek(lexer, ahead + 2);
    if (c == 0xC2 && second == 0xA0) {
        return 2;
    }
    bool fixed_width =
        c == 0xE2 && second == 0x80 && ((third >= 0x80 && third <= 0x8B) || third == 0xAF);
    bool byte_order_mark = c == 0xEF && second == 0xBB && third == 0xBF;
    return fixed_width || byte_order_mark ? 3 : 0;
}

static void skip_white_space(struct gm_lexer *lexer)
{
    size_t n = space_size(lexer, 0);
    while (n > 0) {
        advance(lexer, n);
        n = space_size(lexer, 0);
    }
}

/* Bytes of the name that starts here; its first byte is checked. */
static size_t name_size(const struct gm_lexer *lexer)
{
    size_t n = 1;
    while (is_name_part(peek(lexer, n)) && space_size(lexer, n) == 0) {
        n++;
    }
    return n;
}

static void take(struct gm_lexer *lexer, enum gm_token_type type, size_t n)
{
    lexer->token.type = type;
    lexer->token.text = (struct gm_str){lexer->text.p + lexer->at, n};
    advance(lexer, n);
}

/* Undoes the escapes of the `n` bytes at `p`; *out_bad is the place of one that is unknown. */
static gm_rc unescape(struct gm_lexer *lexer, struct gm_str raw, struct gm_str *out_text,
                      struct gm_err *err)
{
    char *to = gm_arena_alloc(lexer->arena, raw.n);
    if (to == NULL) {
        return gm_fail(err, GM_E_LIMIT, "no room for a condition of this size");
    }
    size_t n = 0;
    for (size_t i = 0; i < raw.n; i++) {
        if (raw.p[i] == '\\') {
            i++;
            if (raw.p[i] != '\'' && raw.p[i] != '\\') {
                return fail_at(
                    lexer, lexer->token.column, err,
                    "a backslash stands before ' or \\ only; write \\\\ for the backslash itself");
            }
        }
        to[n++] = raw.p[i];
    }
    *out_text = (struct gm_str){to, n};
    return GM_OK;
}

static gm_rc take_string(struct gm_lexer *lexer, struct gm_err *err)
{
    size_t n = 1;
    bool escapes = false;
    while (lexer->at + n < lexer->text.n && lexer->text.p[lexer->at + n] != '\'') {
        if (lexer->text.p[lexer->at + n] == '\\') {
            escapes = true;
            n++;
        }
        n++;
    }
    if (lexer->at + n >= lexer->text.n) {
        return fail_at(lexer, lexer->column, err, "the string is not closed by '");
    }
    if (peek(lexer, n + 1) == '\'') {
        return fail_at(lexer, lexer->column, err, "a ' inside a string is written \\'");
    }
    struct gm_str raw = {lexer->text.p + lexer->at + 1, n - 1};
    if (escapes) {
        GM_TRY(unescape(lexer, raw, &lexer->token.text, err));
    } else {
        lexer->token.text = raw;
    }
    lexer->token.type = GM_TOKEN_STRING;
    advance(lexer, n + 1);
    return GM_OK;
}

static gm_rc take_raw_name(struct gm_lexer *lexer, struct gm_err *err)
{
    size_t n = 2;
    while (lexer->at + n < lexer->text.n &&
           !(peek(lexer, n) == ']' && peek(lexer, n + 1) == ']' && peek(lexer, n + 2) != ']')) {
        n++;
    }
    if (lexer->at + n >= lexer->text.n) {
        return fail_at(lexer, lexer->column, err, "[[ is not closed by ]]");
    }
    if (n == 2) {
        return fail_at(lexer, lexer->column, err, "there is no name between [[ and ]]");
    }
    lexer->token.type = GM_TOKEN_RAW_NAME;
    lexer->token.text = (struct gm_str){lexer->text.p + lexer->at + 2, n - 2};
    advance(lexer, n + 2);
    return GM_OK;
}

static size_t count_digits(const struct gm_lexer *lexer, size_t from)
{
    size_t n = from;
    while (is_digit(peek(lexer, n))) {
        n++;
    }
    return n - from;
}

static gm_rc take_number(struct gm_lexer *lexer, struct gm_err *err)
{
    size_t n = count_digits(lexer, 0);
    /* "1..3" is a range, not "1." and ".3". */
    if (peek(lexer, n) == '.' && is_digit(peek(lexer, n + 1))) {
        n += 1 + count_digits(lexer, n + 1);
    }
    if (peek(lexer, n) == 'e' || peek(lexer, n) == 'E') {
        size_t sign = peek(lexer, n + 1) == '+' || peek(lexer, n + 1) == '-' ? 1 : 0;
        size_t digits = count_digits(lexer, n + 1 + sign);
        if (digits > 0) {
            n += 1 + sign + digits;
        }
    }
    if (is_name_part(peek(lexer, n)) && space_size(lexer, n) == 0) {
        return fail_at(
            lexer, lexer->column, err,
            "a number runs into a name; a name that starts with a digit is written [[1st]]");
    }
    take(lexer, GM_TOKEN_NUMBER, n);
    return GM_OK;
}

static gm_rc take_symbol(struct gm_lexer *lexer, struct gm_err *err)
{
    static const char *const symbols[] = {"!=", "<>", "<=", ">=", "..", "=", "<", ">",
                                          "(",  ")",  "[",  "]",  "{",  "}", ",", ".",
                                          ";",  ":",  "|",  "*",  "-",  "@"};
    for (size_t i = 0; i < GM_ARRAY_COUNT(symbols); i++) {
        struct gm_str rest = {lexer->text.p + lexer->at, lexer->text.n - lexer->at};
        if (gm_str_starts(rest, gm_str_z(symbols[i]))) {
            take(lexer, GM_TOKEN_SYMBOL, strlen(symbols[i]));
            return GM_OK;
        }
    }
    unsigned char c = peek(lexer, 0);
    if (c == '"') {
        return fail_at(lexer, lexer->column, err,
                       "strings stand in single quotes, not in double ones");
    }
    if (c == '`') {
        return fail_at(lexer, lexer->column, err,
                       "a name with other characters than letters is written [[a name]]");
    }
    return gm_fail(err, GM_E_INVALID,
                   c > ' ' ? "line %d, column %d: unexpected `%c`"
                           : "line %d, column %d: unexpected byte 0x%02x",
                   (int)lexer->line, (int)lexer->column, c);
}

gm_rc gm_lexer_next(struct gm_lexer *lexer, struct gm_err *err)
{
    skip_white_space(lexer);
    lexer->token = (struct gm_token){
        .type = GM_TOKEN_END, .line = lexer->line, .column = lexer->column, .offset = lexer->at};
    if (at_end(lexer)) {
        return GM_OK;
    }
    unsigned char c = peek(lexer, 0);
    if (is_name_start(c) || (c == '$' && is_name_start(peek(lexer, 1)))) {
        take(lexer, GM_TOKEN_NAME, name_size(lexer));
        return GM_OK;
    }
    if (is_digit(c)) {
        return take_number(lexer, err);
    }
    if (c == '\'') {
        return take_string(lexer, err);
    }
    if (c == '[' && peek(lexer, 1) == '[') {
        return take_raw_name(lexer, err);
    }
    return take_symbol(lexer, err);
}

gm_rc gm_lexer_init(struct gm_lexer *lexer, struct gm_arena *arena, struct gm_str text,
                    struct gm_err *err)
{
    *lexer = (struct gm_lexer){.arena = arena, .text = text, .line = 1, .column = 1};
    if (text.n > GM_EXPR_SIZE_MAX) {
        return gm_fail(err, GM_E_INVALID, "%zu bytes are too long; at most %d", text.n,
                       GM_EXPR_SIZE_MAX);
    }
    size_t bad_at;
    if (!gm_utf8_valid(text, &bad_at)) {
        return gm_fail(err, GM_E_INVALID, "byte %zu is not UTF-8", bad_at + 1);
    }
    return gm_lexer_next(lexer, err);
}

bool gm_lexer_at_keyword(const struct gm_lexer *lexer, const char *keyword_z)
{
    return lexer->token.type == GM_TOKEN_NAME &&
           gm_str_same(lexer->token.text, gm_str_z(keyword_z));
}

bool gm_lexer_at_symbol(const struct gm_lexer *lexer, const char *symbol_z)
{
    return lexer->token.type == GM_TOKEN_SYMBOL && gm_str_is(lexer->token.text, symbol_z);
}

gm_rc(gm_lexer_fail)(const struct gm_lexer *lexer, const char *expected_z, struct gm_err *err)
{
    const struct gm_token *token = &lexer->token;
    int line = (int)token->line;
    int column = (int)token->column;
    if (token->type == GM_TOKEN_END) {
        return gm_fail(err, GM_E_INVALID, "line %d, column %d: expected %s, found the end", line,
                       column, expected_z);
    }
    const char *quote_z = token->type == GM_TOKEN_STRING ? "'" : "`";
    struct gm_str text = token->text;
    const char *more_z = "";
    if (text.n > QUOTE_SIZE_MAX) {
        text.n = QUOTE_SIZE_MAX;
        while (text.n > 0 && ((unsigned char)text.p[text.n] & 0xC0) == 0x80) {
            text.n--;
        }
        more_z = "…";
    }
    return gm_fail(err, GM_E_INVALID, "line %d, column %d: expected %s, found %s" GM_STR_FMT "%s%s",
                   line, column, expected_z, quote_z, GM_STR_ARG(text), more_z, quote_z);
}
