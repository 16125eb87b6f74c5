/* Commands that write, while `gemel run` holds the data directory: they go to its admin API.
 *
 * DATA/admin.json (readable for its owner only) says where that is and has the token. */
#ifndef GM_CLI_REMOTE_H
#define GM_CLI_REMOTE_H

#include "cli/command.h"
#include "net/http.h"

#define GM_REMOTE_PATIENCE GM_MINUTE

/* Whether the store is free for this process (then it is opened) or another one has it (*out_store
 * is NULL then, and GM_OK). */
gm_rc gm_remote_or_store(struct gm_args *args, struct gm_store **out_store, struct gm_err *err)
    GM_MUST_CHECK;
/* POST to the process that has the data directory. An answer other than 2xx becomes an error with
 * its message. */
gm_rc gm_remote_post(struct gm_args *args, const char *path_z, struct gm_str body,
                     struct gm_http_answer *out_answer, struct gm_err *err) GM_MUST_CHECK;
/* The same, and the answer is the caller's to judge, whatever its status. */
gm_rc gm_remote_answer(struct gm_args *args, const char *path_z, struct gm_str body,
                       struct gm_http_answer *out_answer, struct gm_err *err) GM_MUST_CHECK;
/* GET from it. GM_E_CONFIG: there is no such process. */
gm_rc gm_remote_get(struct gm_args *args, const char *path_z, struct gm_http_answer *out_answer,
                    struct gm_err *err) GM_MUST_CHECK;
/* Where that process serves the twin API and the streams; the caller frees it. GM_E_CONFIG: there
 * is no such process, or it does not. */
gm_rc gm_remote_api_url(struct gm_args *args, char **out_url_z, struct gm_err *err) GM_MUST_CHECK;
/* Any request to it: url and authorization are put in. Answers as of the above. GM_E_RETRY: none
 * came, it cannot now, or it is not the one that wrote admin.json. */
gm_rc gm_remote_send(struct gm_args *args, const char *path_z, struct gm_http_request *request,
                     struct gm_http_answer *out_answer, struct gm_err *err) GM_MUST_CHECK;
/* The same again and again, until there is an answer: for what may be sent twice. Also when that
 * process ends and another one takes its place, within GM_REMOTE_PATIENCE. */
gm_rc gm_remote_insist(struct gm_args *args, const char *path_z, struct gm_http_request *request,
                       struct gm_http_answer *out_answer, struct gm_err *err) GM_MUST_CHECK;
/* A number of the answer's object; 0 when it has none of that name. */
int64_t gm_remote_number(const struct gm_http_answer *answer, const char *name_z);

#endif
