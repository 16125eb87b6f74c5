/* Plans: a run that is undone, told. */
#include "engine/operations.h"
#include "json/json.h"

static void add_samples(struct gm_buf *out, const char *name_z,
                        const struct gm_run_samples *samples)
{
    gm_buf_addf(out, "\"%s\":[", name_z);
    for (size_t i = 0; i < samples->count; i++) {
        gm_buf_add(out, i > 0 ? GM_STR(",{\"key\":") : GM_STR("{\"key\":"));
        gm_json_quote(out, samples->at[i].key);
        gm_buf_add(out, GM_STR(",\"text\":"));
        gm_json_quote(out, samples->at[i].text);
        gm_buf_add_char(out, '}');
    }
    gm_buf_add_char(out, ']');
}

static void write_report(struct gm_buf *out, const struct gm_run_report *report, gm_ns took)
{
    gm_buf_add(out, GM_STR("{\"pipeline\":"));
    gm_json_quote(out, report->run.pipeline_name);
    gm_buf_addf(out, ",\"seconds\":%lld.%03d,\"report\":", (long long)(took / GM_SECOND),
                (int)(took % GM_SECOND / GM_MS));
    gm_run_write_json(&report->run, out);
    gm_buf_add(out, GM_STR(",\"samples\":{"));
    add_samples(out, "created", &report->created);
    gm_buf_add_char(out, ',');
    add_samples(out, "updated", &report->updated);
    gm_buf_add_char(out, ',');
    add_samples(out, "deleted", &report->deleted);
    gm_buf_add_char(out, ',');
    add_samples(out, "parked", &report->parked);
    gm_buf_add(out, GM_STR("}}"));
}

gm_rc gm_plan_write_json(const struct gm_plan *plan, struct gm_buf *out, struct gm_err *err)
{
    const struct gm_operation *operation = &plan->operation;
    const struct gm_clock *clock = gm_store_clock(operation->store);
    struct gm_run_report report;
    gm_ns before = clock->mono(clock);
    gm_rc rc =
        gm_pipeline_run(&(struct gm_run_options){.store = operation->store,
                                                 .pipeline = operation->pipeline,
                                                 .folder_z = gm_config_folder_z(operation->config),
                                                 .handle = plan->handle,
                                                 .cause_z = "plan",
                                                 .plan = true,
                                                 .resync = plan->resync},
                        &report, err);
    if (rc == GM_OK) {
        write_report(out, &report, clock->mono(clock) - before);
    }
    gm_run_report_free(&report);
    return rc == GM_OK ? GM_OK : gm_fail_within(err, "%s", operation->pipeline->name_z);
}
