/* Making certificates. */
#include <arpa/inet.h>
#include <gnutls/crypto.h>
#include <netinet/in.h>

#include "auth/tls_inside.h"
#include "base/mem.h"
#include "os/process.h"

enum {
    SERIAL_SIZE = 16,
    ADDRESS_SIZE_MAX = 16,
    NAME_SIZE_MAX = 253,
    LABEL_SIZE_MAX = 63,
    KEY_ID_SIZE_MAX = 64
};

/* 4 or 16 bytes; 0: it is no address. */
static size_t parse_address(const char *text_z, unsigned char out[ADDRESS_SIZE_MAX])
{
    if (inet_pton(AF_INET, text_z, out) == 1) {
        return 4;
    }
    return inet_pton(AF_INET6, text_z, out) == 1 ? 16 : 0;
}

void gm_tls_write_address(const unsigned char *bytes, size_t n, struct gm_buf *out)
{
    char text[INET6_ADDRSTRLEN];
    int family = n == 4 ? AF_INET : AF_INET6;
    if ((n == 4 || n == 16) && inet_ntop(family, bytes, text, sizeof(text)) != NULL) {
        gm_buf_add_z(out, text);
    }
}

static bool label_valid(struct gm_str label)
{
    for (size_t i = 0; i < label.n; i++) {
        char c = label.p[i], lower = (char)(c | 0x20);
        bool inside = c == '-' && i > 0 && i + 1 < label.n;
        if (!(lower >= 'a' && lower <= 'z') && !(c >= '0' && c <= '9') && !inside && c != '_') {
            return false;
        }
    }
    return label.n > 0 && label.n <= LABEL_SIZE_MAX;
}

bool gm_tls_name_valid(const char *name_z)
{
    unsigned char ignored[ADDRESS_SIZE_MAX];
    struct gm_str rest = gm_str_z(name_z), label;
    if (parse_address(name_z, ignored) > 0) {
        return true;
    }
    if (gm_str_starts(rest, GM_STR("*."))) {
        rest = (struct gm_str){rest.p + 2, rest.n - 2};
    }
    bool fine = rest.n > 0 && rest.n <= NAME_SIZE_MAX && rest.p[rest.n - 1] != '.';
    while (fine && rest.n > 0) {
        (void)gm_str_cut(rest, '.', &label, &rest);
        fine = label_valid(label);
    }
    return fine;
}

bool gm_tls_covers(gnutls_x509_crt_t certificate, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned char address[ADDRESS_SIZE_MAX];
        size_t n = parse_address(names[i], address);
        /* a wildcard is looked for as it stands: the library compares hosts, which have none */
        const char *name_z = names[i][0] == '*' ? names[i] + 1 : names[i];
        GM_AUTO_FREE char *host_z = gm_format_z("%s%s", names[i][0] == '*' ? "any" : "", name_z);
        if (n > 0 ? gnutls_x509_crt_check_ip(certificate, address, (unsigned)n, 0) == 0
                  : gnutls_x509_crt_check_hostname(certificate, host_z) == 0) {
            return false;
        }
    }
    return true;
}

static bool add_name(gnutls_x509_crt_t certificate, const char *name_z)
{
    unsigned char address[ADDRESS_SIZE_MAX];
    size_t n = parse_address(name_z, address);
    int error =
        n > 0 ? gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_IPADDRESS, address,
                                                     (unsigned)n, GNUTLS_FSAN_APPEND)
              : gnutls_x509_crt_set_subject_alt_name(certificate, GNUTLS_SAN_DNSNAME, name_z,
                                                     (unsigned)strlen(name_z), GNUTLS_FSAN_APPEND);
    return error >= 0;
}

static bool set_identity(gnutls_x509_crt_t certificate, const struct gm_tls_wish *wish)
{
    unsigned char serial[SERIAL_SIZE];
    gm_random_bytes(serial, sizeof(serial));
    serial[0] = (unsigned char)((serial[0] & 0x7f) | 0x40); /* positive, and of full length */
    bool fine =
        gnutls_x509_crt_set_version(certificate, 3) >= 0 &&
        gnutls_x509_crt_set_serial(certificate, serial, sizeof(serial)) >= 0 &&
        gnutls_x509_crt_set_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0,
                                      wish->common_name_z,
                                      (unsigned)strlen(wish->common_name_z)) >= 0 &&
        gnutls_x509_crt_set_activation_time(certificate, (time_t)(wish->from / GM_SECOND)) >= 0 &&
        gnutls_x509_crt_set_expiration_time(certificate, (time_t)(wish->until / GM_SECOND)) >= 0;
    for (size_t i = 0; fine && i < wish->name_count; i++) {
        fine = add_name(certificate, wish->names[i]);
    }
    return fine;
}

/* What it may be used for. */
static bool set_usage(gnutls_x509_crt_t certificate, bool authority)
{
    if (authority) {
        return gnutls_x509_crt_set_basic_constraints(certificate, 1, 0) >= 0 &&
               gnutls_x509_crt_set_key_usage(certificate,
                                             GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN) >= 0;
    }
    return gnutls_x509_crt_set_basic_constraints(certificate, 0, -1) >= 0 &&
           gnutls_x509_crt_set_key_usage(certificate, GNUTLS_KEY_DIGITAL_SIGNATURE) >= 0 &&
           gnutls_x509_crt_set_key_purpose_oid(certificate, GNUTLS_KP_TLS_WWW_SERVER, 0) >= 0;
}

/* Says whose key it holds, and whose key signs it. */
static bool set_key_ids(gnutls_x509_crt_t certificate, gnutls_x509_crt_t signer)
{
    unsigned char own[KEY_ID_SIZE_MAX], signers[KEY_ID_SIZE_MAX];
    size_t n = sizeof(own), m = sizeof(signers);
    return gnutls_x509_crt_get_key_id(certificate, 0, own, &n) >= 0 &&
           gnutls_x509_crt_set_subject_key_id(certificate, own, n) >= 0 &&
           gnutls_x509_crt_get_key_id(signer, 0, signers, &m) >= 0 &&
           gnutls_x509_crt_set_authority_key_id(certificate, signers, m) >= 0;
}

gm_rc gm_tls_make(const struct gm_tls_wish *wish, struct gm_tls_holder *out_holder,
                  struct gm_err *err)
{
    struct gm_tls_holder made = {0};
    GM_ASSERT(gnutls_x509_crt_init(&made.certificate) == 0);
    GM_ASSERT(gnutls_x509_privkey_init(&made.key) == 0);
    const struct gm_tls_holder *signer = wish->authority != NULL ? wish->authority : &made;
    bool fine =
        gnutls_x509_privkey_generate(made.key, GNUTLS_PK_ECDSA,
                                     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0) >= 0 &&
        gnutls_x509_crt_set_key(made.certificate, made.key) >= 0 &&
        set_identity(made.certificate, wish) &&
        set_usage(made.certificate, wish->authority == NULL) &&
        set_key_ids(made.certificate, signer->certificate) &&
        gnutls_x509_crt_sign2(made.certificate, signer->certificate, signer->key, GNUTLS_DIG_SHA256,
                              0) >= 0;
    if (!fine) {
        gm_tls_holder_deinit(&made);
        return gm_fail(err, GM_E_CONFIG, "a certificate for %s could not be made",
                       wish->common_name_z);
    }
    *out_holder = made;
    return GM_OK;
}

/* Owned; `datum` is the library's. */
static char *take_text_z(gnutls_datum_t *datum)
{
    char *text_z = gm_format_z("%.*s", (int)datum->size, (const char *)datum->data);
    gnutls_memset(datum->data, 0, datum->size);
    gnutls_free(datum->data);
    return text_z;
}

gm_rc gm_tls_holder_write(const struct gm_tls_holder *holder, struct gm_tls_pair *out_pair,
                          struct gm_err *err)
{
    gnutls_datum_t certificate, key;
    if (gnutls_x509_crt_export2(holder->certificate, GNUTLS_X509_FMT_PEM, &certificate) < 0) {
        return gm_fail(err, GM_E_CONFIG, "a certificate could not be written as PEM");
    }
    out_pair->certificate_z = take_text_z(&certificate);
    if (gnutls_x509_privkey_export2_pkcs8(holder->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                                          &key) < 0) {
        gm_tls_pair_free(out_pair);
        return gm_fail(err, GM_E_CONFIG, "a key could not be written as PEM");
    }
    out_pair->key_z = take_text_z(&key);
    out_pair->until = (gm_ns)gnutls_x509_crt_get_expiration_time(holder->certificate) * GM_SECOND;
    return GM_OK;
}
