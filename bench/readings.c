/* Readings in the form of the factory's devices. */
#include "base/num.h"
#include "bench.h"

void bench_add_reading(struct gm_buf *out, int64_t n, int64_t second)
{
    int64_t sensor = n % BENCH_SENSORS;
    gm_buf_addf(out,
                "{\"factoryId\":%lld,\"machine\":{\"machineId\":%lld,\"temperature\":%.1f,"
                "\"pressure\":%.1f,\"electricityUtilization\":%.1f},\"ambient\":{\"temperature\":"
                "%.1f,\"humidity\":%lld},\"timeCreated\":\"2026-11-20T17:%02lld:%02lldZ\"}",
                (long long)sensor / 10000 + 1, (long long)sensor, 50 + (double)(n * 7 % 97) / 10,
                7500 + (double)(n * 13 % 801) / 10, 27 + (double)(n * 3 % 53) / 10,
                20 + (double)(n % 41) / 10, 18 + (long long)n % 5, (long long)second / 60 % 60,
                (long long)second % 60);
}
