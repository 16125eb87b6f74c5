#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "cli/sample.h"

/* gemel sample company [FOLDER] [--seed N] [--scale X] [--force] [--json] */

static const char usage[] =
    "usage: gemel sample company [FOLDER] [--seed N] [--scale X] [--force] [--json]\n"
    "\n"
    "Makes Wide World Importers, a made-up company, in FOLDER (default: demo): a business "
    "database,\n"
    "files of its maintenance system, models, and the gemel.yaml that makes twins of them.\n"
    "\n"
    "  --seed N    another company of the same kind (default: 2020)\n"
    "  --scale X   share of the full size of 50,000 sensors, 0.001 to 20 (default: 1)\n"
    "  --force     write over a sample that is there\n"
    "  --json      print the counts as JSON\n";

struct arguments {
    struct gm_sample_options options;
    bool json, help;
};

/* The value of `--name VALUE` or `--name=VALUE`; NULL when argv[*at] is another option. */
static const char *option_value(int argc, char **argv, int *at, const char *name_z)
{
    size_t n = strlen(name_z);
    const char *argument = argv[*at];
    if (strncmp(argument, name_z, n) != 0) {
        return NULL;
    }
    if (argument[n] == '=') {
        return argument + n + 1;
    }
    if (argument[n] != '\0') {
        return NULL;
    }
    return *at + 1 < argc ? argv[++*at] : "";
}

static gm_rc parse_option(int argc, char **argv, int *at, struct arguments *arguments,
                          struct gm_err *err)
{
    const char *argument = argv[*at];
    const char *value;
    int64_t seed;
    if (strcmp(argument, "--force") == 0) {
        arguments->options.force = true;
    } else if (strcmp(argument, "--json") == 0) {
        arguments->json = true;
    } else if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
        arguments->help = true;
    } else if ((value = option_value(argc, argv, at, "--seed")) != NULL) {
        if (!gm_parse_i64(gm_str_z(value), &seed) || seed < 0) {
            return gm_fail(err, GM_E_CONFIG, "--seed: `%s` is no whole number", value);
        }
        arguments->options.seed = (uint64_t)seed;
    } else if ((value = option_value(argc, argv, at, "--scale")) != NULL) {
        if (!gm_parse_double(gm_str_z(value), &arguments->options.scale)) {
            return gm_fail(err, GM_E_CONFIG, "--scale: `%s` is no number", value);
        }
    } else {
        return gm_fail(err, GM_E_CONFIG, "unknown option %s", argument);
    }
    return GM_OK;
}

static gm_rc parse(int argc, char **argv, struct arguments *arguments, struct gm_err *err)
{
    const char *words[2] = {NULL, "demo"};
    size_t count = 0;
    for (int at = 1; at < argc; at++) {
        if (argv[at][0] == '-') {
            GM_TRY(parse_option(argc, argv, &at, arguments, err));
        } else if (count == GM_ARRAY_COUNT(words)) {
            return gm_fail(err, GM_E_CONFIG, "one folder at a time: %s is one too many", argv[at]);
        } else {
            words[count++] = argv[at];
        }
    }
    if (!arguments->help && (words[0] == NULL || strcmp(words[0], "company") != 0)) {
        return gm_fail(err, GM_E_CONFIG, "there is one sample: write gemel sample company");
    }
    arguments->options.folder_z = words[1];
    return GM_OK;
}

static void print_report(const struct arguments *arguments, const struct gm_sample_report *report)
{
    const struct {
        const char *name, *words;
        int64_t count;
    } lines[] = {
        {"factories", "factories", report->factories},
        {"lines", "production lines", report->lines},
        {"machines", "machines", report->machines},
        {"sensors", "sensors", report->sensors},
        {"workOrders", "work orders", report->work_orders},
        {"suppliers", "suppliers", report->suppliers},
        {"productGroups", "product groups", report->product_groups},
        {"products", "products", report->products},
        {"productLines", "products made on a line", report->product_lines},
        {"customers", "customers", report->customers},
        {"orders", "orders", report->orders},
        {"orderLines", "order lines", report->order_lines},
    };
    if (arguments->json) {
        for (size_t i = 0; i < GM_ARRAY_COUNT(lines); i++) {
            printf("%c\"%s\":%lld", i > 0 ? ',' : '{', lines[i].name, (long long)lines[i].count);
        }
        puts("}");
        return;
    }
    const char *folder = arguments->options.folder_z;
    printf("Wide World Importers in %s:\n", folder);
    for (size_t i = 0; i < GM_ARRAY_COUNT(lines); i++) {
        printf("%8lld %s\n", (long long)lines[i].count, lines[i].words);
    }
    printf("Next: gemel run %s/gemel.yaml\n", folder);
}

int gm_cmd_sample(int argc, char **argv)
{
    struct arguments arguments = {.options = {.seed = GM_SAMPLE_SEED, .scale = 1}};
    struct gm_sample_report report;
    struct gm_err err = {0};
    gm_rc rc = parse(argc, argv, &arguments, &err);
    if (rc == GM_OK && arguments.help) {
        fputs(usage, stdout);
        return 0;
    }
    rc = rc == GM_OK ? gm_sample_company(&arguments.options, &report, &err) : rc;
    if (rc != GM_OK) {
        fprintf(stderr, "gemel sample: %s\n", err.text);
        return rc == GM_E_CONFIG ? 2 : 1;
    }
    print_report(&arguments, &report);
    return 0;
}
