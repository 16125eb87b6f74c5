#include "hub/event_json.h"

#include "json/json.h"

static void add_text(struct gm_buf *out, const char *name_z, struct gm_str text)
{
    if (text.n > 0) {
        gm_buf_addf(out, ",\"%s\":", name_z);
        gm_json_quote(out, text);
    }
}

static void add_time(struct gm_buf *out, const char *name_z, gm_ns time)
{
    char text[GM_TIME_TEXT_SIZE];
    size_t n = gm_time_format_short(time, text);
    add_text(out, name_z, (struct gm_str){text, n});
}

void gm_event_write_json(const struct gm_event *event, int partition, struct gm_buf *out)
{
    gm_buf_add_char(out, '{');
    if (partition >= 0) {
        gm_buf_addf(out, "\"partition\":%d,", partition);
    }
    gm_buf_addf(out, "\"offset\":%lld", (long long)event->offset);
    add_text(out, "key", event->key);
    add_text(out, "type", event->type);
    add_text(out, "origin", event->origin);
    add_text(out, "id", event->id);
    if (event->sequence != 0) {
        gm_buf_addf(out, ",\"sequence\":%llu", (unsigned long long)event->sequence);
    }
    add_time(out, "time", event->time);
    add_time(out, "appended", event->appended);
    gm_buf_add_z(out, ",\"body\":");
    gm_buf_add(out, event->body);
    gm_buf_add_char(out, '}');
}
