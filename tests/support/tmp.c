#include "support/tmp.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/vec.h"
#include "os/file.h"
#include "os/process.h"

enum { READ_SIZE_MAX = 256 << 20 };

typedef GM_VEC(char *) text_list;

struct tmp {
    char *folder_z;
    text_list texts; /* what was handed out */
};

static const char *keep(struct tmp *tmp, char *text)
{
    *gm_vec_push(&tmp->texts) = text;
    return text;
}

static void free_texts(text_list *texts)
{
    for (size_t i = 0; i < texts->n; i++) {
        gm_free(texts->at[i]);
    }
    gm_vec_deinit(texts);
}

static void must(gm_rc rc, const struct gm_err *err)
{
    if (rc != GM_OK) {
        (void)fprintf(stderr, "temporary folder: %s\n", err->text);
        abort();
    }
}

struct tmp *tmp_new(void)
{
    struct tmp *tmp = gm_alloc(sizeof(*tmp));
    const char *base_z = gm_env_z("TMPDIR");
    tmp->folder_z = gm_format_z("%s/gemel-test-XXXXXX", base_z != NULL ? base_z : "/tmp");
    if (mkdtemp(tmp->folder_z) == NULL) {
        perror(tmp->folder_z);
        abort();
    }
    return tmp;
}

static gm_rc note_path(void *ctx, struct gm_str relative_path, const struct gm_file_info *info,
                       struct gm_err *err)
{
    (void)info;
    (void)err;
    text_list *paths = ctx;
    *gm_vec_push(paths) = gm_str_dup_z(relative_path);
    return GM_OK;
}

void tmp_free(struct tmp *tmp)
{
    if (tmp == NULL) {
        return;
    }
    text_list paths = {0};
    struct gm_err err = {0};
    must(gm_folder_walk(tmp->folder_z, true, note_path, &paths, &err), &err);
    for (size_t i = paths.n; i > 0; i--) {
        /* Backwards: what is in a folder goes before it. */
        (void)remove(tmp_path(tmp, paths.at[i - 1]));
    }
    if (remove(tmp->folder_z) != 0) {
        perror(tmp->folder_z);
        abort();
    }
    free_texts(&paths);
    free_texts(&tmp->texts);
    gm_free(tmp->folder_z);
    gm_free(tmp);
}

const char *tmp_folder(const struct tmp *tmp)
{
    return tmp->folder_z;
}

const char *tmp_path(struct tmp *tmp, const char *name_z)
{
    return keep(tmp, gm_path_join_z(gm_str_z(tmp->folder_z), gm_str_z(name_z)));
}

const char *tmp_url(struct tmp *tmp, const char *scheme_z, const char *name_z)
{
    return keep(tmp, gm_format_z("%s%s/%s", scheme_z, tmp->folder_z, name_z));
}

const char *tmp_write(struct tmp *tmp, const char *name_z, struct gm_str content)
{
    const char *path_z = tmp_path(tmp, name_z);
    const char *slash = strrchr(path_z, '/');
    GM_AUTO_FREE char *parent_z = gm_str_dup_z((struct gm_str){path_z, (size_t)(slash - path_z)});
    struct gm_err err = {0};
    must(gm_folder_make(parent_z, &err), &err);
    struct gm_file *file;
    must(gm_file_create(path_z, &file, &err), &err);
    must(gm_file_write(file, content, &err), &err);
    gm_file_close(file);
    return path_z;
}

struct gm_str tmp_read(struct tmp *tmp, const char *name_z)
{
    struct gm_err err = {0};
    struct gm_buf buf;
    gm_buf_init(&buf, READ_SIZE_MAX);
    must(gm_file_read_all(tmp_path(tmp, name_z), &buf, &err), &err);
    size_t n = buf.n;
    return (struct gm_str){keep(tmp, gm_buf_take_z(&buf)), n};
}

int tmp_setup(void **state)
{
    *state = tmp_new();
    return 0;
}

int tmp_teardown(void **state)
{
    tmp_free(*state);
    return 0;
}
