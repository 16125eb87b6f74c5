/* What the tests of conf/ share: a document with a resolver that knows two secrets, and errors as
 * text. */
#ifndef TESTS_UNIT_CONF_FIXTURE_H
#define TESTS_UNIT_CONF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/secrets.h"
#include "conf/conf.h"

struct fixture {
    struct gm_conf_doc *doc;
    struct gm_buf out;
};

static inline gm_rc fake_lookup(void *ctx, struct gm_str kind, struct gm_str name,
                                struct gm_buf *out, struct gm_err *err)
{
    (void)ctx;
    if (gm_str_is(kind, "env") && gm_str_is(name, "PASSWORD")) {
        gm_buf_add_z(out, "s3cr3t \"word\"");
        return GM_OK;
    }
    if (gm_str_is(kind, "file") && gm_str_is(name, "etc/key.pem")) {
        gm_buf_add_z(out, "key-material\n");
        return GM_OK;
    }
    return gm_fail(err, GM_E_CONFIG, "there is no such %.*s", GM_STR_ARG(kind));
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->doc = gm_conf_doc_new(&(struct gm_conf_resolver){.lookup = fake_lookup});
    gm_buf_init(&f->out, 16 << 20);
    *state = f;
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    gm_buf_deinit(&f->out);
    gm_conf_doc_free(f->doc);
    gm_secrets_forget();
    free(f);
    return 0;
}

/* The errors of the doc, one a line; the doc is new afterwards. */
static inline const char *take_errors(struct fixture *f)
{
    gm_buf_reset(&f->out);
    gm_buf_add_z(&f->out, "");
    gm_conf_print_errors(f->doc, &f->out);
    gm_conf_doc_free(f->doc);
    f->doc = gm_conf_doc_new(&(struct gm_conf_resolver){.lookup = fake_lookup});
    return f->out.n > 0 ? f->out.p : "";
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
