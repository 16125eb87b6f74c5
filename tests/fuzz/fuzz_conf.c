/* Configuration text: parsing, decoding into structs of every type, errors, fingerprints,
 * scrubbing. */
#include <stdint.h>
#include <string.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

/* libfyaml 0.7.12 loses half a kilobyte for some texts in quotes
 * (https://github.com/pantoniou/libfyaml/issues/233); what is searched for here is not in the
 * library. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml";
}

struct inner {
    const char *path;
    const char *secret;
    char character;
    struct gm_conf_strs texts;
    int32_t kind;
};

struct outer {
    bool flag;
    int64_t integer;
    double number;
    gm_ns span;
    uint64_t bytes;
    double share;
    struct inner inner;
    struct gm_conf_list list;
    struct gm_conf_map map;
    struct gm_conf_choice choice;
    const struct gm_node *node;
};

static const char *const kinds[] = {"one", "two", "three", NULL};

static const struct gm_field inner_fields[] = {
    GM_FIELD_PATH(struct inner, path, .flags = GM_F_REQUIRED, .help = "p"),
    GM_FIELD_SECRET(struct inner, secret, .help = "s"),
    GM_FIELD_CHAR(struct inner, character, .def = ",", .help = "c"),
    GM_FIELD_STRS(struct inner, texts, .max = "3", .help = "t"),
    GM_FIELD_ENUM(struct inner, kind, .names = kinds, .help = "k"),
    GM_FIELD_END,
};

static const struct gm_alternative first = {
    .name_z = "first", .fields = inner_fields, .conf_size = sizeof(struct inner)};
static const struct gm_alternative second = {
    .name_z = "second", .fields = inner_fields, .conf_size = sizeof(struct inner)};
static const struct gm_alternative *const *alternatives(void)
{
    static const struct gm_alternative *const list[] = {&first, &second, NULL};
    return list;
}

static const struct gm_field outer_fields[] = {
    GM_FIELD_BOOL(struct outer, flag, .help = "f"),
    GM_FIELD_INT(struct outer, integer, .min = "-5", .max = "5", .help = "i"),
    GM_FIELD_DOUBLE(struct outer, number, .help = "n"),
    GM_FIELD_SPAN(struct outer, span, .max = "1d", .help = "s"),
    GM_FIELD_SIZE(struct outer, bytes, .help = "b"),
    GM_FIELD_SHARE(struct outer, share, .def = "5%", .help = "s"),
    GM_FIELD_STRUCT(struct outer, inner, .fields = inner_fields, .help = "i"),
    GM_FIELD_LIST(struct outer, list, .fields = inner_fields, .item_size = sizeof(struct inner),
                  .help = "l"),
    GM_FIELD_MAP(struct outer, map, .fields = inner_fields, .item_size = sizeof(struct inner),
                 .help = "m"),
    GM_FIELD_CHOICE(struct outer, choice, .alternatives = alternatives, .help = "c"),
    GM_FIELD_NODE(struct outer, node, .help = "n"),
    GM_FIELD_END,
};

static gm_rc lookup(void *ctx, struct gm_str kind, struct gm_str name, struct gm_buf *out,
                    struct gm_err *err)
{
    (void)ctx;
    (void)kind;
    if (name.n > 3) {
        return gm_fail(err, GM_E_CONFIG, "no such thing");
    }
    gm_buf_add(out, name);
    gm_buf_add_z(out, "secret");
    return GM_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gm_conf_doc *doc = gm_conf_doc_new(&(struct gm_conf_resolver){.lookup = lookup});
    struct gm_buf out;
    gm_buf_init(&out, 64 << 20);
    const struct gm_node *root =
        gm_conf_load(doc, "etc/fuzz.yaml", (struct gm_str){(const char *)data, size});
    GM_ASSERT((root == NULL) == (gm_conf_error_count(doc) > 0));
    struct outer conf;
    memset(&conf, 0, sizeof(conf));
    gm_conf_decode(doc, root, outer_fields, &conf);
    gm_conf_write_canonical(root, &out);
    gm_conf_print_errors(doc, &out);
    gm_conf_errors_json(doc, &out);
    gm_conf_scrub(doc, &out);
    gm_buf_deinit(&out);
    gm_conf_doc_free(doc);
    return 0;
}
