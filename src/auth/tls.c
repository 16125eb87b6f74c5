/* The local authority and the certificate it signs: kept in a folder, made and renewed there. */
#include "auth/tls.h"

#include "auth/tls_inside.h"
#include "base/mem.h"
#include "base/vec.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

#define AUTHORITY_SPAN (3650 * GM_DAY)
#define AUTHORITY_LEFT_MIN (365 * GM_DAY)
#define SERVER_SPAN (365 * GM_DAY)
#define SERVER_LEFT_MIN (30 * GM_DAY)
/* Other machines' clocks may be behind. */
#define BACKDATED GM_HOUR

enum { NAMES_MAX = 64 };

struct local {
    const struct gm_tls_options *options;
    gm_ns now;
    char host[GM_HOST_NAME_SIZE];
    GM_VEC(const char *) names;
    char *paths[4]; /* enum file */
};
enum file { CA_CERTIFICATE, CA_KEY, SERVER_CERTIFICATE, SERVER_KEY };

/* ---- names and files ---- */

static bool has_name(const struct local *local, const char *name_z)
{
    for (size_t i = 0; i < local->names.n; i++) {
        if (strcmp(local->names.at[i], name_z) == 0) {
            return true;
        }
    }
    return false;
}

static gm_rc collect_names(struct local *local, struct gm_err *err)
{
    static const char *const always[] = {"localhost", "127.0.0.1", "::1"};
    const struct gm_tls_options *options = local->options;
    for (size_t i = 0; i < GM_ARRAY_COUNT(always); i++) {
        *gm_vec_push(&local->names) = always[i];
    }
    gm_host_name(local->host);
    if (gm_tls_name_valid(local->host) && !has_name(local, local->host)) {
        *gm_vec_push(&local->names) = local->host;
    }
    for (size_t i = 0; i < options->name_count; i++) {
        if (!gm_tls_name_valid(options->names[i])) {
            return gm_fail(err, GM_E_CONFIG,
                           "`%s` is neither a host name nor an address; write names with letters "
                           "outside ASCII as xn--…",
                           options->names[i]);
        }
        if (!has_name(local, options->names[i])) {
            *gm_vec_push(&local->names) = options->names[i];
        }
    }
    return local->names.n <= NAMES_MAX
               ? GM_OK
               : gm_fail(err, GM_E_CONFIG, "more than %d names for a certificate", NAMES_MAX);
}

static gm_rc begin(struct local *local, const struct gm_tls_options *options, struct gm_err *err)
{
    static const char *const names[] = {"ca.pem", "ca.key", "server.pem", "server.key"};
    local->options = options;
    local->now = options->now != 0 ? options->now : gm_clock_wall_now();
    for (size_t i = 0; i < GM_ARRAY_COUNT(names); i++) {
        local->paths[i] = gm_format_z("%s/%s", options->folder_z, names[i]);
    }
    GM_TRY(collect_names(local, err));
    return gm_folder_make(options->folder_z, err);
}

static void end(struct local *local)
{
    for (size_t i = 0; i < GM_ARRAY_COUNT(local->paths); i++) {
        gm_free(local->paths[i]);
    }
    gm_vec_deinit(&local->names);
}

/* *out_there is false when one of the two files is missing; what does not fit is as good as
 * missing: see the header about crashes. */
static gm_rc read_pair(const struct local *local, enum file certificate,
                       struct gm_tls_holder *out_holder, bool *out_there, struct gm_err *err)
{
    struct gm_file_info info;
    struct gm_tls_pair pair = {0};
    *out_there = false;
    for (int i = 0; i < 2; i++) {
        GM_TRY(gm_file_info(local->paths[certificate + (enum file)i], &info, err));
        if (info.type == GM_FILE_MISSING) {
            return GM_OK;
        }
    }
    gm_rc rc = gm_tls_read_z(local->paths[certificate], &pair.certificate_z, err);
    rc = rc == GM_OK ? gm_tls_read_z(local->paths[certificate + 1], &pair.key_z, err) : rc;
    if (rc == GM_OK) {
        *out_there = gm_tls_holder_read(&pair, out_holder);
    }
    gm_tls_pair_free(&pair);
    return rc;
}

static gm_rc write_pair(const struct local *local, enum file certificate,
                        const struct gm_tls_holder *holder, struct gm_err *err)
{
    struct gm_tls_pair pair = {0};
    GM_TRY(gm_tls_holder_write(holder, &pair, err));
    gm_rc rc = gm_file_write_atomic(local->paths[certificate + 1], gm_str_z(pair.key_z), 0600, err);
    rc = rc == GM_OK ? gm_file_write_atomic(local->paths[certificate], gm_str_z(pair.certificate_z),
                                            0644, err)
                     : rc;
    gm_tls_pair_free(&pair);
    return rc;
}

/* ---- making and renewing ---- */

static bool lasts(const struct local *local, const struct gm_tls_holder *holder, gm_ns span)
{
    gm_ns until = (gm_ns)gnutls_x509_crt_get_expiration_time(holder->certificate) * GM_SECOND;
    return until - local->now >= span;
}

static gm_rc make(const struct local *local, enum file file, const struct gm_tls_wish *wish,
                  struct gm_tls_holder *out_holder, struct gm_err *err)
{
    GM_TRY(gm_tls_make(wish, out_holder, err));
    gm_rc rc = write_pair(local, file, out_holder, err);
    if (rc != GM_OK) {
        gm_tls_holder_deinit(out_holder);
    }
    return rc;
}

static gm_rc take_authority(const struct local *local, struct gm_tls_holder *out_authority,
                            struct gm_err *err)
{
    bool there;
    GM_TRY(read_pair(local, CA_CERTIFICATE, out_authority, &there, err));
    if (there && lasts(local, out_authority, AUTHORITY_LEFT_MIN)) {
        return GM_OK;
    }
    gm_tls_holder_deinit(out_authority);
    GM_AUTO_FREE char *name_z = gm_format_z("Gemel local CA on %.40s", local->host);
    return make(local, CA_CERTIFICATE,
                &(struct gm_tls_wish){.common_name_z = name_z,
                                      .from = local->now - BACKDATED,
                                      .until = local->now + AUTHORITY_SPAN},
                out_authority, err);
}

static bool signed_by(const struct gm_tls_holder *server, const struct gm_tls_holder *authority)
{
    unsigned output;
    return gnutls_x509_crt_check_issuer(server->certificate, authority->certificate) != 0 &&
           gnutls_x509_crt_verify(server->certificate, &authority->certificate, 1,
                                  GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &output) == 0 &&
           output == 0;
}

static gm_rc take_server(const struct local *local, const struct gm_tls_holder *authority,
                         struct gm_tls_holder *out_server, struct gm_err *err)
{
    bool there;
    GM_TRY(read_pair(local, SERVER_CERTIFICATE, out_server, &there, err));
    if (there && lasts(local, out_server, SERVER_LEFT_MIN) && signed_by(out_server, authority) &&
        gm_tls_covers(out_server->certificate, local->names.at, local->names.n)) {
        return GM_OK;
    }
    gm_tls_holder_deinit(out_server);
    return make(local, SERVER_CERTIFICATE,
                &(struct gm_tls_wish){.common_name_z = "localhost",
                                      .authority = authority,
                                      .names = local->names.at,
                                      .name_count = local->names.n,
                                      .from = local->now - BACKDATED,
                                      .until = local->now + SERVER_SPAN},
                out_server, err);
}

static gm_rc take_both(const struct local *local, struct gm_tls_pair *out_pair, struct gm_err *err)
{
    struct gm_tls_holder authority = {0}, server = {0};
    gm_rc rc = take_authority(local, &authority, err);
    rc = rc == GM_OK ? take_server(local, &authority, &server, err) : rc;
    rc = rc == GM_OK ? gm_tls_holder_write(&server, out_pair, err) : rc;
    gm_tls_holder_deinit(&server);
    gm_tls_holder_deinit(&authority);
    return rc;
}

gm_rc gm_tls_local(const struct gm_tls_options *options, struct gm_tls_pair *out_pair,
                   struct gm_err *err)
{
    struct local local = {0};
    gm_rc rc = begin(&local, options, err);
    rc = rc == GM_OK ? take_both(&local, out_pair, err) : rc;
    end(&local);
    return rc;
}

gm_rc gm_tls_renew(const struct gm_tls_options *options, bool authority, struct gm_err *err)
{
    struct local local = {0};
    struct gm_tls_pair pair = {0};
    gm_rc rc = begin(&local, options, err);
    rc = rc == GM_OK ? gm_file_remove(local.paths[SERVER_CERTIFICATE], err) : rc;
    rc = rc == GM_OK && authority ? gm_file_remove(local.paths[CA_CERTIFICATE], err) : rc;
    rc = rc == GM_OK ? take_both(&local, &pair, err) : rc;
    gm_tls_pair_free(&pair);
    end(&local);
    return rc;
}
