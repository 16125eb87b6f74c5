/* The import: lines, sections, batches. */
#include "twin/import_internal.h"

enum { BATCH_ARENA_SIZE = 256 << 20 };

static const char *const section_names[GM_IMPORT_SECTION_COUNT] = {
    [GM_IMPORT_NO_SECTION] = "none",
    [GM_IMPORT_HEADER] = "Header",
    [GM_IMPORT_MODELS] = "Models",
    [GM_IMPORT_TWINS] = "Twins",
    [GM_IMPORT_RELATIONSHIPS] = "Relationships",
};

const char *gm_import_section_name(enum gm_import_section section)
{
    return section_names[section];
}

void gm_import_report(const struct gm_import *import, uint64_t line, const char *text_z)
{
    if (import->options->problem != NULL) {
        import->options->problem(import->options->ctx, line, import->section, text_z);
    }
}

void gm_import_problem(struct gm_import *import, uint64_t line, const char *text_z)
{
    import->counts->failed++;
    gm_import_report(import, line, text_z);
}

gm_rc gm_import_parse(yyjson_mut_doc *doc, struct gm_str line, yyjson_mut_val **out_value,
                      struct gm_err *err)
{
    static const char within[] = "line 1, ";
    gm_rc rc = gm_json_parse(doc, line, out_value, err);
    size_t skip = sizeof(within) - 1;
    if (rc != GM_OK && strncmp(err->text, within, skip) == 0) {
        memmove(err->text, err->text + skip, strlen(err->text + skip) + 1);
    }
    return rc;
}

/* ---- sections ---- */

/* What was read goes into the store, and the batch begins anew. `section`: that of the next
 * line. */
static gm_rc apply(struct gm_import *import, enum gm_import_section section, struct gm_err *err)
{
    if (import->options->deadline != NULL && gm_deadline_passed(import->options->deadline)) {
        return gm_fail(err, GM_E_CANCELLED,
                       "the import was stopped at line %llu; what came before is imported",
                       (unsigned long long)import->reader.line);
    }
    GM_TRY(gm_import_apply_models(import, err));
    import->counts->lines = import->reader.line;
    import->counts->bytes = gm_line_reader_offset(&import->reader);
    import->reached = (struct gm_import_position){
        .offset = import->counts->bytes, .section = section, .header_seen = import->header_seen};
    GM_TRY(gm_import_apply_batch(import, err));
    if (import->options->progress != NULL) {
        import->options->progress(import->options->ctx, import->counts);
    }
    return GM_OK;
}

/* Whether the line's first member is "Section": what is worth a closer look. */
static bool may_be_section(struct gm_str line)
{
    struct gm_str rest = {line.p + 1, line.n - 1};
    return line.p[0] == '{' && gm_str_starts(gm_str_trim(rest), GM_STR("\"Section\""));
}

/* {"Section":"Twins"} begins a section. */
static bool is_section(struct gm_import *import, struct gm_str line, struct gm_str *out_name)
{
    yyjson_mut_val *value;
    struct gm_err ignored;
    if (!may_be_section(line) || gm_json_parse(import->doc, line, &value, &ignored) != GM_OK) {
        return false;
    }
    *out_name = gm_json_member_str(value, "Section");
    return out_name->p != NULL && yyjson_mut_obj_size(value) == 1;
}

static gm_rc begin_section(struct gm_import *import, struct gm_str name, struct gm_err *err)
{
    enum { NAME_SHOWN_MAX = 60 };
    enum gm_import_section section = GM_IMPORT_NO_SECTION;
    for (int i = GM_IMPORT_HEADER; i < GM_IMPORT_SECTION_COUNT; i++) {
        section = gm_str_is(name, section_names[i]) ? (enum gm_import_section)i : section;
    }
    struct gm_err unknown = {0};
    if (section == GM_IMPORT_NO_SECTION) {
        name.n = name.n < NAME_SHOWN_MAX ? name.n : NAME_SHOWN_MAX;
        (void)gm_fail(
            &unknown, GM_E_INVALID,
            "unknown section `" GM_STR_FMT
            "`; expected Header, Models, Twins or Relationships; its lines are passed over",
            GM_STR_ARG(name));
    }
    GM_TRY(apply(import, section, err)); /* resets the batch, and `name` with it */
    import->section = section;
    if (import->options->section != NULL) {
        import->options->section(import->options->ctx, section);
    }
    gm_import_seen_deinit(&import->seen);
    if (unknown.rc != GM_OK) {
        gm_import_problem(import, import->reader.line, unknown.text);
    }
    return GM_OK;
}

static gm_rc read_header(struct gm_import *import, struct gm_str line, struct gm_err *err)
{
    yyjson_mut_val *header;
    gm_rc rc = gm_json_parse(import->doc, line, &header, err);
    struct gm_str version =
        rc == GM_OK ? gm_json_member_str(header, "fileVersion") : (struct gm_str){NULL, 0};
    if (!gm_str_is(version, "1.0.0")) {
        return gm_fail(
            err, GM_E_INVALID,
            "line %llu: expected {\"fileVersion\":\"1.0.0\", …}, the version that is known",
            (unsigned long long)import->reader.line);
    }
    import->header_seen = true;
    return GM_OK;
}

/* ---- lines ---- */

static bool batch_is_full(const struct gm_import *import)
{
    return import->twins.n + import->links.n >= GM_IMPORT_BATCH_LINES ||
           import->batch_size >= GM_IMPORT_BATCH_SIZE;
}

static gm_rc read_line(struct gm_import *import, struct gm_str line, struct gm_err *err)
{
    struct gm_str name;
    if (is_section(import, line, &name)) {
        return begin_section(import, name, err);
    }
    switch (import->section) {
    case GM_IMPORT_HEADER:
        return read_header(import, line, err);
    case GM_IMPORT_MODELS:
        gm_import_read_model(import, line);
        return GM_OK;
    case GM_IMPORT_TWINS:
        gm_import_read_twin(import, line);
        break;
    case GM_IMPORT_RELATIONSHIPS:
        gm_import_read_link(import, line);
        break;
    default:
        if (!import->header_seen) {
            return gm_fail(err, GM_E_INVALID,
                           "line %llu: expected {\"Section\":\"Header\"}: this is no import file",
                           (unsigned long long)import->reader.line);
        }
        gm_import_problem(import, import->reader.line, "a line of an unknown section");
        return GM_OK;
    }
    import->batch_size += line.n;
    return batch_is_full(import) ? apply(import, import->section, err) : GM_OK;
}

static gm_rc read_lines(struct gm_import *import, struct gm_err *err)
{
    for (;;) {
        struct gm_str line;
        struct gm_err own = {0};
        gm_rc rc = gm_line_next(&import->reader, &line, &own);
        if (rc == GM_E_END) {
            break;
        }
        if (rc == GM_E_INVALID) {
            gm_import_problem(import, import->reader.line, own.text);
            continue;
        }
        if (rc != GM_OK) {
            *err = own;
            return rc;
        }
        GM_TRY(read_line(import, line, err));
    }
    if (!import->header_seen) {
        return gm_fail(err, GM_E_INVALID,
                       "no header; the file must begin with {\"Section\":\"Header\"}");
    }
    return apply(import, import->section, err);
}

/* ---- the whole ---- */

static char *make_actor(const struct gm_import_options *options)
{
    struct gm_str name = options->name;
    if (name.n == 0) {
        const char *slash = strrchr(options->path_z, '/');
        name = gm_str_z(slash != NULL ? slash + 1 : options->path_z);
    }
    return gm_format_z("import " GM_STR_FMT, GM_STR_ARG(name));
}

static gm_rc begin(struct gm_import *import, struct gm_err *err)
{
    const struct gm_import_position *from = import->options->from;
    if (from == NULL) {
        return GM_OK;
    }
    *import->counts = from->counts;
    import->section = from->section;
    import->header_seen = from->header_seen;
    return gm_line_reader_seek(&import->reader, from->offset, from->counts.lines, err);
}

static gm_rc run(struct gm_import *import, struct gm_err *err)
{
    gm_rc rc = begin(import, err);
    rc = rc == GM_OK ? read_lines(import, err) : rc;
    import->counts->lines = import->reader.line;
    import->counts->bytes = gm_line_reader_offset(&import->reader);
    return rc == GM_OK ? rc : gm_fail_within(err, "%s", import->options->path_z);
}

gm_rc gm_import_run(const struct gm_import_store *store, const struct gm_import_options *options,
                    struct gm_import_counts *out_counts, struct gm_err *err)
{
    *out_counts = (struct gm_import_counts){0};
    struct gm_import *import = gm_alloc(sizeof(*import));
    import->store = store;
    import->options = options;
    import->models = store->models;
    import->counts = out_counts;
    gm_rc rc = gm_line_reader_open(&import->reader, options->path_z, err);
    if (rc != GM_OK) {
        gm_free(import);
        return rc;
    }
    import->actor_z = make_actor(options);
    import->arena = gm_arena_new(BATCH_ARENA_SIZE);
    import->doc = gm_json_doc_new(import->arena);
    import->model_arena = gm_arena_new(GM_IMPORT_MODELS_SIZE_MAX);
    import->model_doc = gm_json_doc_new(import->model_arena);
    GM_ASSERT(import->doc != NULL && import->model_doc != NULL);
    rc = run(import, err);
    gm_line_reader_close(&import->reader);
    gm_import_seen_deinit(&import->seen);
    gm_vec_deinit(&import->twins);
    gm_vec_deinit(&import->links);
    gm_vec_deinit(&import->interfaces);
    gm_arena_free(import->arena);
    gm_arena_free(import->model_arena);
    gm_free(import->actor_z);
    gm_free(import);
    return rc;
}
