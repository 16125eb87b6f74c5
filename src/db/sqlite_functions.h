/* SQL functions of SQLite connections over stored JSON (json/scan.h). Internal to this folder.
 *
 *     gm_rank(json, path)        what is there: enum gm_json_rank; 0 when json is NULL
 *     gm_number(json, path)      the number there, else NULL; so gm_text, and gm_bool (0 or 1)
 *     gm_json(json, path)        the text of the array or object there, else NULL
 *     gm_has_number(json, path, v), gm_has_text, gm_has_bool
 *                                whether the array there holds the value
 *     gm_written(times, path)    of a twin's `times`: when the property was written, or NULL
 *     gm_source_time(times, path)  its source's time in hundreds of nanoseconds, or NULL
 *
 * SQLite's own JSON functions read the whole document at each call; these skip to the value. All
 * are deterministic and without effects. */
#ifndef GM_DB_SQLITE_FUNCTIONS_H
#define GM_DB_SQLITE_FUNCTIONS_H

#include <sqlite3.h>

int gm_sqlite_add_functions(sqlite3 *handle); /* SQLite's result code */

#endif
