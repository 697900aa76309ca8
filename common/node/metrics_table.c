#include "node/metrics_table.h"

#include "base/clock.h"

#define METRIC_ROW(id, name, type, labels, help) {name, METRIC_##type, labels, help},
const struct metric_family metric_families[FAMILY_COUNT] = {
    METRICS_TABLE(METRIC_NO_GROUP, METRIC_ROW)};

metrics_t *metrics_of_service(const char *service)
{
    metrics_t *m = metrics_new(metric_families, FAMILY_COUNT);
    metric_set(metrics_series(m, FAMILY_BUILD_INFO, OUTCRY_VERSION, service), 1);
    metric_set(metrics_series(m, FAMILY_START_TIME), clock_wall_ns());
    return m;
}
