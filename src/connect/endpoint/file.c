/* Events as lines of a file (NDJSON). What a call delivers is one write and one sync: a crash
 * leaves whole lines in front of at most one that is torn, which the next opening cuts off, and
 * whose event comes again. */
#include "os/file.h"
#include "base/mem.h"
#include "connect/endpoint.h"

enum { DELIVERY_SIZE_MAX = 256 << 20 };

struct rotate_conf {
    uint64_t size;
    int64_t keep;
};
struct file_conf {
    struct gm_endpoint_conf endpoint;
    const char *path;
    struct rotate_conf rotate;
};

static const struct gm_field rotate_fields[] = {
    GM_FIELD_SIZE(struct rotate_conf, size, .def = "64MiB",
                  .help = "At what size a new file is begun; `0`: never."),
    GM_FIELD_INT(struct rotate_conf, keep, .def = "8", .min = "1", .max = "1000",
                 .help = "How many full files are kept: `PATH.1` is the newest of them."),
    GM_FIELD_END,
};
static const struct gm_field file_fields[] = {
    GM_FIELD_PATH(struct file_conf, path, .flags = GM_F_REQUIRED, .example = "./events.ndjson",
                  .help = "The file. It belongs to this endpoint alone; readers may follow it."),
    GM_FIELD_STRUCT(struct file_conf, rotate, .fields = rotate_fields,
                    .help = "When a new file is begun."),
    GM_ENDPOINT_FIELDS(struct file_conf),
    GM_FIELD_END,
};

struct file_endpoint {
    const struct file_conf *conf;
    struct gm_file *file; /* NULL: not open */
    uint64_t size;        /* of what is whole in it */
    uint64_t inode;
    struct gm_buf lines;
};

static gm_rc file_open(const void *conf, const struct gm_stream_directory *streams, void **out_self,
                       struct gm_err *err)
{
    (void)streams;
    (void)err;
    struct file_endpoint *endpoint = gm_alloc(sizeof(*endpoint));
    endpoint->conf = conf;
    gm_buf_init(&endpoint->lines, DELIVERY_SIZE_MAX);
    *out_self = endpoint;
    return GM_OK;
}

static void leave(struct file_endpoint *endpoint)
{
    gm_file_close(endpoint->file);
    endpoint->file = NULL;
}

static void file_close(void *self)
{
    struct file_endpoint *endpoint = self;
    if (endpoint != NULL) {
        leave(endpoint);
        gm_buf_deinit(&endpoint->lines);
        gm_free(endpoint);
    }
}

/* Somebody may have moved the file away, as programs that rotate do. */
static gm_rc be_open(struct file_endpoint *endpoint, struct gm_err *err)
{
    const char *path_z = endpoint->conf->path;
    struct gm_file_info info;
    GM_TRY(gm_file_info(path_z, &info, err));
    if (endpoint->file != NULL && info.inode == endpoint->inode &&
        info.size_bytes == endpoint->size) {
        return GM_OK;
    }
    leave(endpoint);
    GM_TRY(gm_file_append_lines(path_z, &endpoint->file, &endpoint->size, err));
    GM_TRY(gm_file_info(path_z, &info, err));
    endpoint->inode = info.inode;
    return GM_OK;
}

/* PATH.2 becomes PATH.3, PATH.1 PATH.2, PATH PATH.1; the oldest is overwritten. Ended in between,
 * a number is missing, and nothing else. */
static gm_rc rotate(struct file_endpoint *endpoint, struct gm_err *err)
{
    const char *path_z = endpoint->conf->path;
    leave(endpoint);
    for (int64_t i = endpoint->conf->rotate.keep; i > 0; i--) {
        GM_AUTO_FREE char *to_z = gm_format_z("%s.%lld", path_z, (long long)i);
        GM_AUTO_FREE char *from_z =
            i > 1 ? gm_format_z("%s.%lld", path_z, (long long)(i - 1)) : gm_strdup_z(path_z);
        struct gm_file_info info;
        GM_TRY(gm_file_info(from_z, &info, err));
        if (info.type != GM_FILE_MISSING) {
            GM_TRY(gm_file_rename(from_z, to_z, err));
        }
    }
    return be_open(endpoint, err);
}

static gm_rc append(struct file_endpoint *endpoint, struct gm_err *err)
{
    uint64_t limit = endpoint->conf->rotate.size;
    GM_TRY(be_open(endpoint, err));
    if (limit > 0 && endpoint->size > 0 && endpoint->size + endpoint->lines.n > limit) {
        GM_TRY(rotate(endpoint, err));
    }
    gm_rc rc = gm_file_write(endpoint->file, gm_buf_str(&endpoint->lines), err);
    rc = rc == GM_OK ? gm_file_sync(endpoint->file, err) : rc;
    if (rc == GM_OK) {
        endpoint->size += endpoint->lines.n;
        return GM_OK;
    }
    /* What half a write left is taken back; where that fails, too, the next opening does it. */
    struct gm_err ignored;
    (void)!gm_file_cut(endpoint->file, endpoint->size, &ignored);
    leave(endpoint);
    return rc;
}

static gm_rc file_deliver(void *self, struct gm_delivery *delivery, struct gm_err *err)
{
    struct file_endpoint *endpoint = self;
    delivery->taken = 0;
    delivery->retry_after = 0;
    gm_buf_reset(&endpoint->lines);
    for (size_t i = 0; i < delivery->count; i++) {
        gm_buf_add(&endpoint->lines, delivery->events[i]);
        gm_buf_add_char(&endpoint->lines, '\n');
    }
    if (gm_buf_failed(&endpoint->lines)) {
        return gm_fail(err, GM_E_INVALID, "at most %d MB are written at a time",
                       DELIVERY_SIZE_MAX >> 20);
    }
    /* A disk that is full or failing may be seen to; the store's own failures are not meant. */
    if (append(endpoint, err) != GM_OK) {
        return err->rc = GM_E_RETRY;
    }
    delivery->taken = delivery->count;
    return GM_OK;
}

const struct gm_endpoint gm_endpoint_file = {
    .name_z = "file",
    .help_z = "Appends each event to a file, one a line (NDJSON).",
    .fields = file_fields,
    .conf_size = sizeof(struct file_conf),
    .self = &gm_endpoint_file,
    .shared = true,
    .open = file_open,
    .deliver = file_deliver,
    .close = file_close,
};
