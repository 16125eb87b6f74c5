#include <stdio.h>

#include "base/mem.h"
#include "base/num.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/sample.h"
#include "cli/sample_check.h"
#include "cli/sample_load.h"
#include "cli/sample_out.h"
#include "cli/sample_place.h"
#include "os/file.h"
#include "os/process.h"
#include "stream/stream.h"

/* gemel sample factory: readings of the sample company's sensors, at a rate, with faults to choose;
 * and whether they arrived. */

static const struct gm_option factory_options[] = {
    {"stream", "NAME", "Without TO: the stream (default: telemetry)."},
    {"rate", "N",
     "Readings a second, or `max` (default: max into a file, 1000 elsewhere; without TO by "
     "interval)."},
    {"sensors", "N", "The first N sensors of the company (default: all)."},
    {"events", "N", "How many readings (default: until Ctrl-C with --rate N, else 1000000)."},
    {"seconds", "N", "Instead of --events: for how long, at --rate."},
    {"start", "TIME",
     "Time of the first reading, RFC 3339 or `now` (default: now; 2026-01-01T00:00:00Z with an "
     "end)."},
    {"interval", "SPAN",
     "Between two readings of a sensor (default: as --rate makes it; else 1s, without TO 5s)."},
    {"duplicates", "SHARE", "Readings that are sent once more (default: 0.1%)."},
    {"reorder", "SHARE", "Readings that come behind later ones (default: 0)."},
    {"late", "SHARE", "Readings that a gateway kept for a while (default: 0)."},
    {"late-max", "SPAN", "For how long (default: 10m)."},
    {"faults", "LIST",
     "missing=SHARE,stuck=SHARE,spikes=SHARE of readings: not sent, held at a value, five "
     "times too large."},
    {"seed", "N", "Other readings of the same kind (default: 2020)."},
    {"company", "N", "The seed of the company (default: as company.json says, or 2020)."},
    {"scale", "X", "The scale of the company (default: as company.json says, or 1)."},
    {"batch", "N", "Readings in a request (default: 500), or in an MQTT message (default: 1)."},
    {"connections", "N", "How many at a time (default: 2)."},
    {"token", "TEXT", "For HTTP: the bearer token (default: with --data the one in there)."},
    {"ca", "FILE", "Who signs the server's certificate, PEM (default: likewise)."},
    {"certificate", "FILE", "For MQTT: this client's certificate (PEM)."},
    {"certificate-key", "FILE", "For MQTT: its private key (PEM)."},
    {"user", "NAME", "For MQTT."},
    {"password", "TEXT", "For MQTT."},
    {"qos", "N", "For MQTT: 0 or 1 (default: 1)."},
    {"mqtt5", NULL, "For MQTT: version 5 instead of 3.1.1."},
    {"patience", "SPAN", "Give up after that long without progress (default: 5m)."},
    {"check", NULL, "Send nothing: TO is what arrived, and must be what the other options say."},
    {"unordered", NULL, "With --check: readings of a sensor may have come in any order."},
    {"newest", "FILE", "With --check: JSON lines of sensor, value, time; each must be the newest."},
    {0},
};

struct factory {
    struct gm_load_options load;
    struct gm_load_out_options out;
    struct gm_load_found_place found;
    bool live;    /* no TO: into the running Gemel, as the company's sensors would */
    int64_t rate; /* 0: as fast as it goes */
    bool endless;
};

/* ---- options ---- */

static gm_rc read_share(const struct gm_args *args, const char *option_z, double def, double *out,
                        struct gm_err *err)
{
    const char *value_z = gm_args_value(args, option_z);
    *out = def;
    if (value_z != NULL && !gm_parse_share(gm_str_z(value_z), out)) {
        return gm_fail(err, GM_E_CONFIG, "--%s: `%s` is no share; write 0.1%% or 0.001", option_z,
                       value_z);
    }
    return GM_OK;
}

static gm_rc read_span(const struct gm_args *args, const char *option_z, gm_ns def, gm_ns *out,
                       struct gm_err *err)
{
    const char *value_z = gm_args_value(args, option_z);
    *out = def;
    if (value_z != NULL && !gm_span_parse(gm_str_z(value_z), out)) {
        return gm_fail(err, GM_E_CONFIG, "--%s: `%s` is no span; write 500ms, 1s, 10m", option_z,
                       value_z);
    }
    return GM_OK;
}

static gm_rc read_faults(const struct gm_args *args, struct gm_load_options *load,
                         struct gm_err *err)
{
    struct gm_str rest = gm_str_z(gm_args_value(args, "faults")), one, name, share;
    const struct {
        const char *name_z;
        double *to;
    } faults[] = {{"missing", &load->missing}, {"stuck", &load->stuck}, {"spikes", &load->spikes}};
    while (rest.n > 0) {
        bool known = false;
        gm_str_cut(rest, ',', &one, &rest);
        gm_str_cut(one, '=', &name, &share);
        for (size_t i = 0; i < GM_ARRAY_COUNT(faults); i++) {
            known =
                known || (gm_str_is(name, faults[i].name_z) && gm_parse_share(share, faults[i].to));
        }
        if (!known) {
            return gm_fail(err, GM_E_CONFIG,
                           "--faults: `" GM_STR_FMT "`: write missing=1%%,stuck=0.1%%,spikes=0.5%%",
                           GM_STR_ARG(one));
        }
    }
    return GM_OK;
}

static gm_rc read_start(const struct gm_args *args, const char *def_z, gm_ns *out_start,
                        struct gm_err *err)
{
    const char *start_z = gm_args_value(args, "start");
    start_z = start_z != NULL ? start_z : def_z;
    if (gm_str_is(gm_str_z(start_z), "now")) {
        *out_start = gm_clock_wall_now();
    } else if (!gm_time_parse(gm_str_z(start_z), out_start)) {
        return gm_fail(err, GM_E_CONFIG, "--start: `%s` is no time; write 2026-01-01T00:00:00Z",
                       start_z);
    }
    *out_start -= *out_start % GM_MS;
    return GM_OK;
}

static gm_rc read_company(const struct gm_args *args, struct gm_load_options *load,
                          struct gm_err *err)
{
    int64_t company;
    const char *scale_z = gm_args_value(args, "scale");
    load->company_seed = GM_SAMPLE_SEED;
    load->scale = 1;
    if (scale_z == NULL || !gm_args_has(args, "company")) {
        GM_TRY(gm_load_company_find(args, &load->company_seed, &load->scale, err));
    }
    GM_TRY(gm_args_int(args, "company", (int64_t)load->company_seed, &company, err));
    load->company_seed = (uint64_t)company;
    if (scale_z != NULL && !gm_parse_double(gm_str_z(scale_z), &load->scale)) {
        return gm_fail(err, GM_E_CONFIG, "--scale: `%s` is no number", scale_z);
    }
    return GM_OK;
}

static gm_rc read_load(const struct gm_args *args, struct gm_load_options *load, struct gm_err *err)
{
    int64_t seed;
    GM_TRY(read_company(args, load, err));
    GM_TRY(gm_args_int(args, "seed", GM_SAMPLE_SEED, &seed, err));
    GM_TRY(gm_args_int(args, "sensors", 0, &load->sensors, err));
    load->seed = (uint64_t)seed;
    GM_TRY(read_share(args, "duplicates", 0.001, &load->duplicates, err));
    GM_TRY(read_share(args, "reorder", 0, &load->reorder, err));
    GM_TRY(read_share(args, "late", 0, &load->late, err));
    GM_TRY(read_span(args, "late-max", 10 * GM_MINUTE, &load->late_max, err));
    return read_faults(args, load, err);
}

static bool is_remote(const char *to_z)
{
    return strstr(to_z, "://") != NULL;
}

static gm_rc read_rate(const struct gm_args *args, struct factory *factory, struct gm_err *err)
{
    const char *rate_z = gm_args_value(args, "rate");
    factory->rate = is_remote(factory->out.to_z) && !gm_args_has(args, "check") ? 1000 : 0;
    if (rate_z != NULL && gm_str_is(gm_str_z(rate_z), "max")) {
        factory->rate = 0;
    } else if (rate_z != NULL &&
               (!gm_parse_i64(gm_str_z(rate_z), &factory->rate) || factory->rate < 1)) {
        return gm_fail(err, GM_E_CONFIG,
                       "--rate: `%s`: write a number of readings a second, or max", rate_z);
    }
    return GM_OK;
}

/* Interval and number of readings, which follow from rate and sensors when they are not given. */
static gm_rc read_extent(const struct gm_args *args, struct factory *factory, struct gm_err *err)
{
    struct gm_load_options *load = &factory->load;
    struct gm_load *probe;
    int64_t seconds;
    gm_ns live; /* by default the one that the company's sensors have */
    load->interval = GM_SECOND;
    load->events = 0;
    GM_TRY(gm_load_new(load, &probe, err));
    double sensors = (double)gm_load_sensor_count(probe);
    gm_load_free(probe);
    GM_TRY(read_span(args, "interval", 5 * GM_SECOND, &live, err));
    if (factory->live && !gm_args_has(args, "rate") && live > 0) {
        factory->rate = (int64_t)(sensors * (double)GM_SECOND / (double)live) + 1;
    }
    double interval = factory->rate > 0 ? sensors / (double)factory->rate * (double)GM_SECOND : 1e9;
    interval = interval < 2e6 ? 2e6 : interval;
    GM_TRY(read_span(args, "interval", (gm_ns)interval / GM_MS * GM_MS, &load->interval, err));
    GM_TRY(gm_args_int(args, "events", factory->rate > 0 ? 0 : 1000000, &load->events, err));
    GM_TRY(gm_args_int(args, "seconds", 0, &seconds, err));
    if (seconds > 0) {
        double rate = factory->rate > 0 ? (double)factory->rate
                                        : sensors / (double)load->interval * (double)GM_SECOND;
        load->events = (int64_t)(rate * (double)seconds);
    }
    factory->endless = load->events == 0;
    if (factory->endless && gm_args_has(args, "check")) {
        return gm_fail(err, GM_E_CONFIG, "--check: say how many readings there were with --events");
    }
    load->events = factory->endless ? INT64_MAX / 2 : load->events;
    return GM_OK;
}

static gm_rc read_out(const struct gm_args *args, struct gm_load_out_options *out,
                      struct gm_err *err)
{
    bool mqtt = strncmp(out->to_z, "mqtt", 4) == 0 && is_remote(out->to_z);
    GM_TRY(gm_args_int(args, "batch", mqtt ? 1 : 500, &out->batch, err));
    GM_TRY(gm_args_int(args, "connections", 2, &out->connections, err));
    GM_TRY(gm_args_int(args, "qos", 1, &out->qos, err));
    if (out->qos > 1) {
        return gm_fail(err, GM_E_CONFIG, "--qos: 0 or 1");
    }
    out->certificate_z = gm_args_value(args, "certificate");
    out->key_z = gm_args_value(args, "certificate-key");
    out->user_z = gm_args_value(args, "user");
    out->password_z = gm_args_value(args, "password");
    out->version5 = gm_args_has(args, "mqtt5");
    return read_span(args, "patience", 5 * GM_MINUTE, &out->patience, err);
}

/* What is not given is found: the stream, its file where it is checked, token and authority. */
static gm_rc read_place(struct gm_args *args, struct factory *factory, struct gm_err *err)
{
    const char *stream_z = gm_args_value(args, "stream");
    struct gm_load_found_place *found = &factory->found;
    struct gm_load_out_options *out = &factory->out;
    if (args->word_count > 0 && stream_z != NULL) {
        return gm_fail(err, GM_E_CONFIG,
                       "--stream is for readings without TO; write the stream into the address: "
                       "https://HOST/streams/%s/events",
                       stream_z);
    }
    stream_z = stream_z != NULL ? stream_z : "telemetry";
    factory->live = args->word_count == 0;
    if (factory->live && gm_args_has(args, "check")) {
        GM_TRY(gm_load_place_file(args, stream_z, found, err));
    } else if (factory->live) {
        GM_TRY(gm_load_place_find(args, stream_z, found, err));
    } else if (strncmp(args->words[0], "http", 4) == 0 && is_remote(args->words[0]) &&
               gm_args_has(args, "data")) {
        GM_TRY(gm_load_place_keys(args, found, err));
    }
    out->to_z = factory->live ? found->to_z : args->words[0];
    out->token_z = gm_args_value(args, "token");
    out->token_z = out->token_z != NULL ? out->token_z : found->token_z;
    out->ca_file_z = gm_args_value(args, "ca");
    out->ca_file_z = out->ca_file_z != NULL ? out->ca_file_z : found->ca_file_z;
    return GM_OK;
}

static gm_rc read_factory(struct gm_args *args, struct factory *factory, struct gm_err *err)
{
    GM_TRY(read_place(args, factory, err));
    if (factory->live && gm_args_has(args, "check") && !gm_args_has(args, "start")) {
        return gm_fail(err, GM_E_CONFIG,
                       "--check: which readings? What sent them printed the line that checks them");
    }
    GM_TRY(read_rate(args, factory, err));
    GM_TRY(read_load(args, &factory->load, err));
    /* What goes on until Ctrl-C is of now; what has an end is the same each time. */
    bool goes_on = factory->live || (factory->rate > 0 && is_remote(factory->out.to_z) &&
                                     !gm_args_has(args, "check") && !gm_args_has(args, "events") &&
                                     !gm_args_has(args, "seconds"));
    const char *start_z = goes_on ? "now" : "2026-01-01T00:00:00Z";
    GM_TRY(read_start(args, start_z, &factory->load.start, err));
    GM_TRY(read_extent(args, factory, err));
    return read_out(args, &factory->out, err);
}

/* ---- sending ---- */

/* Keeps to the rate: waits until reading `sent` is due. */
static gm_rc keep_pace(const struct factory *factory, struct gm_load_out *out, int64_t sent,
                       gm_ns began, struct gm_err *err)
{
    enum { LOOK_EVERY = 64 };
    const gm_ns nap = 5 * GM_MS;
    const struct gm_clock *clock = gm_clock_system();
    if (sent % LOOK_EVERY != 0 && factory->rate > (int64_t)10 * LOOK_EVERY) {
        return GM_OK;
    }
    gm_ns due = (gm_ns)((double)sent / (double)factory->rate * (double)GM_SECOND);
    gm_ns early = due - (clock->mono(clock) - began);
    if (early < nap) {
        return GM_OK;
    }
    GM_TRY(gm_load_out_flush(out, err));
    return gm_stop_wait(factory->out.stop, early);
}

/* The line of progress, a few times a second. */
static void show_sent(struct gm_progress *progress, const struct gm_load_out *out, gm_ns began,
                      gm_ns *shown)
{
    const struct gm_clock *clock = gm_clock_system();
    gm_ns now = clock->mono(clock);
    struct gm_load_figures figures;
    char count[32], rate[32], text[160];
    if (now - *shown < GM_PROGRESS_PERIOD) {
        return;
    }
    *shown = now;
    gm_load_out_figures(out, &figures);
    gm_format_count(figures.readings, count);
    gm_format_count((int64_t)((double)figures.readings / ((double)(now - began) / 1e9)), rate);
    int n = snprintf(text, sizeof(text), "%s readings  %s/s", count, rate);
    if (figures.again > 0) {
        (void)snprintf(text + n, sizeof(text) - (size_t)n, "  %lld requests again",
                       (long long)figures.again);
    }
    gm_progress_text(progress, text);
}

static gm_rc send_all(const struct factory *factory, struct gm_load_out *out, int64_t *out_slots,
                      struct gm_err *err)
{
    enum { LOOK_EVERY = 256 };
    struct gm_progress *progress = gm_progress_new();
    const struct gm_clock *clock = gm_clock_system();
    gm_ns began = clock->mono(clock), shown = began;
    struct gm_load_event event;
    gm_rc rc = GM_OK;
    int64_t sent = 0;
    bool slow = factory->rate > 0 && factory->rate < (int64_t)10 * LOOK_EVERY;
    *out_slots = 0;
    while (rc == GM_OK && gm_load_next(factory->out.load, &event)) {
        rc = gm_load_out_put(out, &event, err);
        *out_slots = event.slot >= *out_slots ? event.slot + 1 : *out_slots;
        sent++;
        if (rc == GM_OK && factory->rate > 0) {
            rc = keep_pace(factory, out, sent, began, err);
        } else if (rc == GM_OK && sent % 65536 == 0 && gm_stop_requested(factory->out.stop)) {
            rc = GM_E_CANCELLED;
        }
        if ((slow || sent % LOOK_EVERY == 0) && gm_progress_on_terminal(progress)) {
            show_sent(progress, out, began, &shown);
        }
    }
    gm_progress_clear(progress);
    gm_progress_free(progress);
    return rc;
}

/* In quotes where a shell would see more than text. */
static void print_word(const char *word_z)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_%=,.:/@+-";
    bool quoted = word_z[0] == '\0' || word_z[strspn(word_z, plain)] != '\0';
    fprintf(stderr, quoted ? " '%s'" : " %s", word_z);
}

/* The command that checks what was sent: what shapes readings is in it. */
static void print_check(const struct gm_args *args, const struct factory *factory, int64_t slots)
{
    static const char *const shaping[] = {"config",  "data",    "stream",   "sensors",
                                          "seed",    "company", "scale",    "duplicates",
                                          "reorder", "late",    "late-max", "faults"};
    char start[GM_TIME_TEXT_SIZE], interval[GM_TIME_TEXT_SIZE];
    bool mqtt = strncmp(factory->out.to_z, "mqtt", 4) == 0 && is_remote(factory->out.to_z);
    gm_time_format_short(factory->load.start, start);
    gm_span_format(factory->load.interval, interval);
    fputs("To check that all arrived: gemel sample factory", stderr);
    if (!factory->live) {
        print_word(mqtt ? "DATA/streams/NAME.db" : factory->out.to_z);
    }
    fprintf(stderr, " --check --events %lld --start %s --interval %s", (long long)slots, start,
            interval);
    for (size_t i = 0; i < GM_ARRAY_COUNT(shaping); i++) {
        const char *value_z = gm_args_value(args, shaping[i]);
        if (value_z != NULL) {
            fprintf(stderr, " --%s", shaping[i]);
            print_word(value_z);
        }
    }
    fputc('\n', stderr);
}

static void print_sent(const struct gm_args *args, const struct factory *factory,
                       const struct gm_load_out *out, int64_t slots, double seconds)
{
    struct gm_load_figures figures;
    char start[GM_TIME_TEXT_SIZE], interval[GM_TIME_TEXT_SIZE], count[32];
    gm_load_out_figures(out, &figures);
    gm_time_format_short(factory->load.start, start);
    gm_span_format(factory->load.interval, interval);
    double rate = seconds > 0 ? (double)figures.readings / seconds : 0;
    if (args->json) {
        printf(
            "{\"readings\":%lld,\"events\":%lld,\"requests\":%lld,\"throttled\":%lld,"
            "\"again\":%lld,\"seconds\":%.3f,\"rate\":%.0f,\"start\":\"%s\",\"interval\":\"%s\"}\n",
            (long long)figures.readings, (long long)slots, (long long)figures.requests,
            (long long)figures.throttled, (long long)figures.again, seconds, rate, start, interval);
        return;
    }
    gm_format_count(figures.readings, count);
    fprintf(stderr, "%s readings in %.1f s, %.0f/s; %lld requests, %lld throttled, %lld again\n",
            count, seconds, rate, (long long)figures.requests, (long long)figures.throttled,
            (long long)figures.again);
    print_check(args, factory, slots);
}

static gm_rc send_readings(const struct gm_args *args, struct factory *factory, struct gm_err *err)
{
    struct gm_load_out *out = NULL;
    struct gm_stop *stop = gm_stop_new();
    const struct gm_clock *clock = gm_clock_system();
    int64_t slots = 0;
    factory->out.stop = stop;
    gm_rc rc = gm_signals_start(stop, err);
    gm_ns began = clock->mono(clock);
    rc = rc == GM_OK ? gm_load_out_open(&factory->out, &out, err) : rc;
    if (rc == GM_OK) {
        rc = send_all(factory, out, &slots, err);
        /* Ctrl-C ends the making of readings; what is made is brought to its end. */
        if (rc == GM_E_CANCELLED && factory->endless) {
            out->options.stop = NULL;
            rc = GM_OK;
        }
        rc = rc == GM_OK ? gm_load_out_finish(out, err) : rc;
        double seconds = (double)(clock->mono(clock) - began) / 1e9;
        print_sent(args, factory, out, slots, seconds);
    }
    gm_load_out_close(out);
    gm_signals_stop();
    gm_stop_free(stop);
    return rc == GM_E_CANCELLED ? gm_fail(err, rc, "stopped") : rc;
}

/* ---- checking ---- */

enum { READ_SIZE = 1 << 20, LINE_SIZE_MAX = 2 << 20 };

typedef void (*line_fn)(struct gm_load_check *check, struct gm_str line);

static gm_rc each_line(const char *path_z, struct gm_load_check *check, line_fn fn,
                       struct gm_err *err)
{
    struct gm_file *file;
    struct gm_buf text;
    bool standard = gm_str_is(gm_str_z(path_z), "-");
    size_t n = 1;
    gm_rc rc = GM_OK;
    if (standard) {
        file = gm_file_stdin();
    } else {
        GM_TRY(gm_file_open(path_z, &file, err));
    }
    gm_buf_init(&text, READ_SIZE + LINE_SIZE_MAX);
    while (rc == GM_OK && n > 0) {
        struct gm_str line, rest;
        char *to = gm_buf_reserve(&text, READ_SIZE);
        if (to == NULL) {
            rc =
                gm_fail(err, GM_E_LIMIT, "%s: a line of more than %d bytes", path_z, LINE_SIZE_MAX);
            break;
        }
        rc = gm_file_read(file, to, READ_SIZE, &n, err);
        gm_buf_commit(&text, rc == GM_OK ? n : 0);
        rest = gm_buf_str(&text);
        while (gm_str_cut(rest, '\n', &line, &rest)) {
            if (line.n > 0) {
                fn(check, line);
            }
        }
        if (n == 0 && line.n > 0) {
            fn(check, line);
        }
        memmove(text.p, line.p, line.n); /* what has no end yet */
        text.n = line.n;
    }
    gm_buf_deinit(&text);
    gm_file_close(standard ? NULL : file);
    return rc;
}

static void add_line(struct gm_load_check *check, struct gm_str line)
{
    gm_load_check_add(check, gm_load_body_of(line));
}

static gm_rc each_stored(const char *path_z, struct gm_load_check *check, struct gm_err *err)
{
    struct gm_stream *stream;
    const struct gm_stream_options options = {
        .path_z = path_z, .read_only = true, .clock = gm_clock_system()};
    GM_TRY(gm_stream_open(&options, &stream, err));
    gm_rc rc = GM_E_END;
    for (int p = 0; rc == GM_E_END && p < gm_stream_partitions(stream); p++) {
        const struct gm_stream_place from = {.partition = p, .offset = -1};
        struct gm_stream_reader *reader = NULL;
        const struct gm_event *events;
        size_t count;
        rc = gm_stream_reader_open(stream, &from, &reader, err);
        while (rc == GM_OK && (rc = gm_stream_read(reader, &events, &count, err)) == GM_OK) {
            for (size_t i = 0; i < count; i++) {
                gm_load_check_add(check, events[i].body);
            }
        }
        gm_stream_reader_close(reader);
    }
    gm_stream_close(stream);
    return rc == GM_E_END ? GM_OK : rc;
}

static void print_found(const struct gm_args *args, const struct gm_load_found *found)
{
    const struct {
        const char *name_z, *words_z;
        int64_t count;
    } lines[] = {
        {"expected", "readings were sent", found->expected},
        {"arrived", "arrived", found->arrived},
        {"others", "of other starts", found->others},
        {"missing", "are missing", found->missing},
        {"duplicates", "came twice", found->duplicates},
        {"altered", "are not as they were sent", found->altered},
        {"strange", "were never sent", found->strange},
        {"disordered", "came behind a later one of their sensor", found->disordered},
        {"newestWrong", "sensors whose newest reading is another", found->newest_wrong},
    };
    if (found->complaints.n > 0) {
        fwrite(found->complaints.p, 1, found->complaints.n, stderr);
    }
    for (size_t i = 0; i < GM_ARRAY_COUNT(lines); i++) {
        if (args->json) {
            printf("%c\"%s\":%lld", i > 0 ? ',' : '{', lines[i].name_z, (long long)lines[i].count);
        } else {
            printf("%12lld %s\n", (long long)lines[i].count, lines[i].words_z);
        }
    }
    if (args->json) {
        puts("}");
    }
}

static gm_rc check_readings(const struct gm_args *args, struct factory *factory, bool *out_fine,
                            struct gm_err *err)
{
    const char *newest_z = gm_args_value(args, "newest");
    const char *from_z = factory->out.to_z;
    struct gm_load_check *check =
        gm_load_check_new(factory->out.load, &factory->load, !gm_args_has(args, "unordered"));
    const struct gm_load_place place = {from_z, factory->out.token_z, factory->out.ca_file_z};
    gm_rc rc = gm_str_starts(gm_str_z(from_z), GM_STR("http")) && is_remote(from_z)
                   ? gm_load_check_url(check, &place, err)
               : gm_str_ends(gm_str_z(from_z), GM_STR(".db"))
                   ? each_stored(from_z, check, err)
                   : each_line(from_z, check, add_line, err);
    if (rc == GM_OK && newest_z != NULL) {
        rc = each_line(newest_z, check, gm_load_check_row, err);
    }
    if (rc == GM_OK) {
        struct gm_load_found found;
        *out_fine = gm_load_check_end(check, &found);
        print_found(args, &found);
        gm_load_found_free(&found);
    }
    gm_load_check_free(check);
    return rc;
}

static int sample_factory(struct gm_args *args)
{
    struct factory factory = {0};
    struct gm_err err = {0};
    bool fine = true;
    gm_rc rc = read_factory(args, &factory, &err);
    rc = rc == GM_OK ? gm_load_new(&factory.load, &factory.out.load, &err) : rc;
    if (rc == GM_OK) {
        rc = gm_args_has(args, "check") ? check_readings(args, &factory, &fine, &err)
                                        : send_readings(args, &factory, &err);
    }
    gm_load_free(factory.out.load);
    gm_load_place_free(&factory.found);
    if (rc != GM_OK) {
        return gm_args_fail(args, rc, &err);
    }
    return fine ? GM_EXIT_OK : GM_EXIT_FAILED;
}

const struct gm_command gm_command_sample_factory = {
    .name_z = "sample factory",
    .args_z = "[TO]",
    .args_max = 1,
    .summary_z = "Make readings of the sample company's sensors, or check that they arrived.",
    .help_z =
        "Without TO readings go into the stream `telemetry` of the `gemel run` that has the data\n"
        "directory, one of each sensor in 5 s, until Ctrl-C; address, token and certificate are\n"
        "found in the data directory. Else they go to TO: a file (JSON lines; - is standard\n"
        "output), a stream of a Gemel (http(s)://HOST/streams/NAME/events) or an MQTT broker\n"
        "(mqtt(s)://HOST[:PORT]; topics\n"
        "factory/SEA/line/SEA-L07/machine/10001/sensor/10001-T). Values follow normal\n"
        "distributions with 3 % dips and 3 % spikes. The same options give the same readings.\n"
        "With --check, TO is what arrived (JSON lines, the address of a stream's events, or the\n"
        "file of a stream), and every reading that the other options describe must be in it once,\n"
        "as it was sent. What sends prints the line that checks it.",
    .example_z = "gemel sample factory --rate 10000",
    .options = factory_options,
    .run = sample_factory,
};
