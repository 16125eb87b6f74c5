/* Source `jsonl`: files with one JSON object a line (https://jsonlines.org). The pass over files is
 * that of ../file_source.h; a line ends with LF, and blank lines are passed over. */
#include "connect/jsonl/jsonl.h"

#include "base/mem.h"
#include "connect/file_source.h"
#include "connect/source.h"

struct jsonl_source {
    struct gm_file_source files; /* first: a format gets this one */
    const struct gm_jsonl_conf *conf;
    struct gm_path key[GM_KEY_PARTS_MAX];
    uint64_t line;  /* of the next one */
    bool skip_rest; /* the line at the window is too long */
};

_Static_assert(GM_RECORD_SIZE_MAX == 16 << 20, "messages say 16 MiB");

/* ---- lines ---- */

/* The next line without its end; *out_ended: there was one. A line that is too long is delivered as
 * far as the window holds it, and its rest is passed over at the next call. */
static gm_rc next_line(struct jsonl_source *source, struct gm_str *out_line, bool *out_ended,
                       struct gm_err *err)
{
    struct gm_window *window = &source->files.window;
    for (size_t searched = 0;;) {
        struct gm_str bytes = gm_window_bytes(window);
        const char *end =
            bytes.n > searched ? memchr(bytes.p + searched, '\n', bytes.n - searched) : NULL;
        if (end != NULL || window->ended) {
            size_t size = end != NULL ? (size_t)(end - bytes.p) : bytes.n;
            *out_ended = end != NULL;
            *out_line = (struct gm_str){bytes.p, size};
            gm_window_skip(window, size + (end != NULL));
            return end == NULL && size == 0 ? GM_E_END : GM_OK;
        }
        searched = bytes.n;
        gm_rc rc = gm_window_more(window, err);
        if (rc == GM_E_LIMIT) {
            source->skip_rest = true;
            *out_line = gm_window_bytes(window);
            *out_ended = false;
            return GM_OK;
        }
        GM_TRY(rc);
    }
}

static gm_rc skip_rest(struct jsonl_source *source, struct gm_err *err)
{
    struct gm_window *window = &source->files.window;
    for (;;) {
        struct gm_str bytes = gm_window_bytes(window);
        const char *end = bytes.n > 0 ? memchr(bytes.p, '\n', bytes.n) : NULL;
        if (end != NULL) {
            gm_window_skip(window, (size_t)(end - bytes.p) + 1);
            source->skip_rest = false;
            return GM_OK;
        }
        if (window->ended) {
            return gm_file_source_cut(&source->files, source->line - 1, err);
        }
        gm_window_skip(window, bytes.n);
        GM_TRY(gm_window_more(window, err));
    }
}

/* ---- records ---- */

/* Text of one part of the key, or why there is none. */
static const char *key_part(struct jsonl_source *source, struct gm_batch *batch,
                            struct gm_record *record, size_t part, struct gm_str *out_text)
{
    bool absent;
    struct gm_cell cell = gm_path_get(&source->key[part], batch, record, &absent);
    if (absent) {
        return "is not there";
    }
    if (cell.type == GM_CELL_NULL) {
        return "is null";
    }
    if (cell.type == GM_CELL_JSON) {
        return "is an object or array";
    }
    if (cell.type == GM_CELL_DOUBLE && (cell.as.d >= 0x1p63 || cell.as.d < -0x1p63)) {
        return "is a number of more than 64 bits, whose last digits are lost; write it as text";
    }
    *out_text = gm_cell_text(batch->arena, &cell);
    return out_text->p == NULL ? "does not fit into the batch" : gm_key_problem(*out_text);
}

static void take_key(struct jsonl_source *source, struct gm_batch *batch, struct gm_record *record)
{
    struct gm_str parts[GM_KEY_PARTS_MAX];
    size_t count = source->conf->key.n;
    for (size_t i = 0; i < count; i++) {
        const char *problem_z = key_part(source, batch, record, i, &parts[i]);
        if (problem_z != NULL) {
            gm_record_number_key(batch, record, "line");
            gm_record_fail(batch, record, GM_E_INVALID, "line %llu: key `%s` %s",
                           (unsigned long long)record->position, source->conf->key.at[i],
                           problem_z);
            return;
        }
    }
    record->key = gm_key_join(batch->arena, parts, count);
    if (record->key.p == NULL || record->key.n > GM_KEY_SIZE_MAX) {
        gm_record_number_key(batch, record, "line");
        gm_record_fail(batch, record, GM_E_INVALID, "line %llu: the key is longer than %d bytes",
                       (unsigned long long)record->position, GM_KEY_SIZE_MAX);
    }
}

/* A line that cannot be a record; the number of the line stands for its key. */
static void refuse_line(struct gm_batch *batch, struct gm_record *record, gm_rc rc,
                        const char *why_z)
{
    gm_record_number_key(batch, record, "line");
    gm_record_fail(batch, record, rc, "line %llu: %s", (unsigned long long)record->position, why_z);
}

/* The parser counts lines too, but here every text is one. */
static const char *without_line_number(const char *text_z)
{
    static const struct gm_str prefix = {"line 1, ", 8};
    return text_z + (gm_str_starts(gm_str_z(text_z), prefix) ? prefix.n : 0);
}

static gm_rc add_line(struct jsonl_source *source, struct gm_batch *batch, struct gm_str line,
                      bool ended, struct gm_err *err)
{
    struct gm_err parse_err = {0};
    yyjson_mut_val *body = NULL;
    gm_rc rc = gm_json_parse(batch->doc, line, &body, &parse_err);
    if (rc == GM_E_INVALID && !ended) {
        return gm_file_source_cut(&source->files, source->line - 1, err);
    }
    struct gm_record *record = &batch->records[batch->count - 1];
    if (rc != GM_OK) {
        refuse_line(batch, record, rc == GM_E_LIMIT ? GM_E_LIMIT : GM_E_INVALID,
                    without_line_number(parse_err.text));
    } else if (!yyjson_mut_is_obj(body)) {
        refuse_line(batch, record, GM_E_INVALID, "not a JSON object");
    } else {
        record->body = body;
        take_key(source, batch, record);
        gm_record_hash(batch, record, source->files.env.hash_seed);
    }
    return GM_OK;
}

static gm_rc jsonl_begin(struct gm_file_source *files, struct gm_err *err)
{
    (void)err;
    struct jsonl_source *source = (struct jsonl_source *)files;
    source->line = 1;
    source->skip_rest = false;
    return GM_OK;
}

static gm_rc jsonl_next(struct gm_file_source *files, struct gm_batch *batch, struct gm_err *err)
{
    struct jsonl_source *source = (struct jsonl_source *)files;
    if (source->skip_rest) {
        GM_TRY(skip_rest(source, err));
    }
    struct gm_str line;
    bool ended;
    gm_rc rc = next_line(source, &line, &ended, err);
    if (rc != GM_OK) {
        return rc;
    }
    source->line++;
    if (gm_str_trim(line).n == 0) {
        return GM_OK;
    }
    struct gm_record *record = gm_batch_add(batch);
    GM_ASSERT(record != NULL); /* the caller looked */
    record->position = source->line - 1;
    if (source->skip_rest) {
        refuse_line(batch, record, GM_E_LIMIT, "larger than 16 MiB");
        return GM_OK;
    }
    rc = add_line(source, batch, line, ended, err);
    if (rc != GM_OK) {
        gm_batch_drop_last(batch); /* the line may not be whole: it is no record */
    }
    return rc;
}

/* ---- connector ---- */

static gm_rc parse_key(struct jsonl_source *source, struct gm_err *err)
{
    const struct gm_conf_strs *key = &source->conf->key;
    if (key->n == 0 || key->n > GM_KEY_PARTS_MAX) {
        return gm_fail(err, GM_E_CONFIG, "`key`: name 1 to %d paths", GM_KEY_PARTS_MAX);
    }
    for (size_t i = 0; i < key->n; i++) {
        if (gm_path_parse(gm_str_z(key->at[i]), &source->key[i], err) != GM_OK) {
            return gm_fail_within(err, "`key`");
        }
    }
    return GM_OK;
}

static gm_rc jsonl_open(const void *conf, const struct gm_connect_env *env, void **out_self,
                        struct gm_err *err)
{
    static const struct gm_file_format format = {.begin = jsonl_begin, .next = jsonl_next};
    struct jsonl_source *source = gm_alloc(sizeof(*source));
    source->conf = conf;
    gm_rc rc = parse_key(source, err);
    if (rc != GM_OK) {
        gm_free(source);
        return rc;
    }
    struct gm_file_source_setup setup = {
        .path_z = source->conf->path, .archive_z = source->conf->archive, .env = env};
    gm_file_source_init(&source->files, &format, &setup);
    *out_self = source;
    return GM_OK;
}

static gm_rc jsonl_connect(void *self, struct gm_str from_cursor, struct gm_pass *out_pass,
                           struct gm_err *err)
{
    (void)from_cursor; /* there are no cursors: every pass begins at the beginning */
    return gm_file_source_connect(&((struct jsonl_source *)self)->files, out_pass, err);
}

static gm_rc jsonl_read(void *self, struct gm_batch *batch, const struct gm_deadline *deadline,
                        struct gm_err *err)
{
    return gm_file_source_read(&((struct jsonl_source *)self)->files, batch, deadline, err);
}

static gm_rc jsonl_ack(void *self, struct gm_str cursor, bool pass_done, struct gm_err *err)
{
    (void)cursor;
    return gm_file_source_ack(&((struct jsonl_source *)self)->files, pass_done, err);
}

static void jsonl_close(void *self)
{
    struct jsonl_source *source = self;
    if (source != NULL) {
        gm_file_source_deinit(&source->files);
        gm_free(source);
    }
}

static void jsonl_lint(struct gm_conf_doc *doc, const struct gm_node *node, const void *conf)
{
    const struct gm_jsonl_conf *jsonl = conf;
    gm_file_source_lint(doc, node, jsonl->path, jsonl->archive);
    if (jsonl->key.n > GM_KEY_PARTS_MAX) {
        gm_conf_error(doc, &node->place, "`key`: at most %d paths", GM_KEY_PARTS_MAX);
    }
    for (size_t i = 0; i < jsonl->key.n; i++) {
        struct gm_path path;
        struct gm_err err = {0};
        if (gm_path_parse(gm_str_z(jsonl->key.at[i]), &path, &err) != GM_OK) {
            gm_conf_error(doc, &node->place, "`key`: %s", err.text);
        }
    }
}

static const struct gm_field jsonl_fields[] = {
    GM_FIELD_PATH(
        struct gm_jsonl_conf, path, .flags = GM_F_REQUIRED, .example = "\"events/*.jsonl\"",
        .help = "A file, a folder (all files in it), or a pattern for the names of files: "
                "`*` any text, `?` one character, `[a-z]` one of a set. Files are read in "
                "the order of their names; names that begin with a dot or end in `.tmp` "
                "or `.part` are passed over. gzip and zstd are recognised by content."),
    GM_FIELD_STRS(struct gm_jsonl_conf, key, .flags = GM_F_REQUIRED, .example = "id",
                  .help = "Path, or list of paths, to what identifies an object: `id`, "
                          "`address.code`; `[[a.b]]` is a name with a dot in it. A line in which "
                          "one is null or not there is set aside as an error."),
    GM_FIELD_PATH(struct gm_jsonl_conf, archive, .example = "events/done",
                  .help = "Folder, on the same file system, that files are moved to after a run "
                          "that delivered all of them. The files are increments then: an object "
                          "that is in none of them is not taken for deleted. Without it the files "
                          "are read in every run and are the complete state."),
    GM_FIELD_END,
};

const struct gm_connector gm_connector_jsonl = {
    .name_z = "jsonl",
    .self = &gm_connector_jsonl,
    .help_z =
        "JSON Lines: files with one JSON object a line; one file, a folder, or those that match a "
        "pattern.\n\n"
        "Files are UTF-8 and may be compressed with gzip or zstd. A line that is no JSON object is "
        "set aside with its number; a file that ends in the middle of a line, or changes while it "
        "is read, makes the run fail and is read again by the next one. Blank lines are passed "
        "over.\n\n"
        "Without `archive` the files are the complete state: an object that is in none of them "
        "any more counts as gone.",
    .example_z = "jsonl:\n"
                 "  path: \"events/*.jsonl\"\n"
                 "  key: id\n"
                 "  archive: events/done\n",
    .roles = GM_ROLE_SOURCE,
    .caps = GM_CAP_COMPLETE,
    .fields = jsonl_fields,
    .conf_size = sizeof(struct gm_jsonl_conf),
    .lint = jsonl_lint,
    .open = jsonl_open,
    .connect = jsonl_connect,
    .read = jsonl_read,
    .ack = jsonl_ack,
    .close = jsonl_close,
};
