/* A temporary folder for one test: made before it, removed with all that is in it after it.
 *
 *     static void a_file_can_be_removed(void **state)
 *     {
 *         const char *path_z = tmp_path(*state, "a.txt");
 *         tmp_write(*state, "a.txt", GM_STR("text"));
 *         …
 *     }
 *     cmocka_unit_test_setup_teardown(a_file_can_be_removed, tmp_setup, tmp_teardown)
 *
 * It lies below $TMPDIR or /tmp. What goes wrong here ends the test program: the machine is at
 * fault, not the test. */
#ifndef GM_TESTS_SUPPORT_TMP_H
#define GM_TESTS_SUPPORT_TMP_H

#include "base/str.h"

struct tmp;

struct tmp *tmp_new(void);
void tmp_free(struct tmp *tmp); /* removes the folder; NULL is fine */

const char *tmp_folder(const struct tmp *tmp);
/* FOLDER/name; the text lives as long as `tmp`. */
const char *tmp_path(struct tmp *tmp, const char *name_z);
/* "scheme" in front of it, as in "sqlite:FOLDER/name"; the text lives as long as `tmp`. */
const char *tmp_url(struct tmp *tmp, const char *scheme_z, const char *name_z);

/* Writes a file (and the folders above it) and returns its path. */
const char *tmp_write(struct tmp *tmp, const char *name_z, struct gm_str content);
/* The whole file; the text lives as long as `tmp`. */
struct gm_str tmp_read(struct tmp *tmp, const char *name_z);

/* For cmocka: *state is the struct tmp. */
int tmp_setup(void **state);
int tmp_teardown(void **state);

#endif
