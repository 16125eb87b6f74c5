/* What every unit test includes: cmocka with the headers it needs in front, and checks of outcomes.
 *
 *     struct gm_err err = {0};
 *     check_ok(gm_file_remove(path_z, &err), err);
 *     check_rc(gm_file_open("/none", &file, &err), GM_E_CONFIG, err);
 *     check_str(gm_buf_str(&buf), "id=7");
 */
#ifndef GM_TESTS_SUPPORT_CHECK_H
#define GM_TESTS_SUPPORT_CHECK_H

/* cmocka.h wants these four before it, in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/status.h"
#include "base/str.h"

/* Fails with the error's text when the outcome is another. `err` is a struct gm_err, not a
 * pointer. */
#define check_rc(expr, rc, err) check_rc_at((expr), (rc), &(err), CHECK_PLACE(#expr))
#define check_ok(expr, err) check_rc_at((expr), GM_OK, &(err), CHECK_PLACE(#expr))
#define check_str(s, z) check_str_at((s), (z), CHECK_PLACE(#s))
/* The error's text holds `part`. */
#define check_err_says(err, part) check_err_says_at(&(err), (part), CHECK_PLACE(#err))

/* For use by the macros above. */
struct check_place {
    const char *expr_z;
    const char *file_z;
    int line;
};
#define CHECK_PLACE(expr) (&(const struct check_place){(expr), __FILE__, __LINE__})

void check_rc_at(gm_rc got, gm_rc wanted, const struct gm_err *err,
                 const struct check_place *place);
void check_str_at(struct gm_str got, const char *wanted_z, const struct check_place *place);
void check_err_says_at(const struct gm_err *err, const char *part_z,
                       const struct check_place *place);

/* False under the sanitizers, whose allocators keep what was freed: there the size of the process
 * says nothing about the program. */
bool check_memory_counts(void);

#endif
