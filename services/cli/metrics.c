#include "cli/metrics.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "node/metrics_table.h"

static const char usage[] =
    "usage: outcry metrics\n\nLists every metric the services have: k8s/METRICS.md.\n";

static const char head[] =
    "# Metrics\n"
    "\n"
    "Every metric there is, as `outcry metrics` lists it. Each service serves its own at "
    "`/metrics`\n"
    "of its admin address, for Prometheus. Units are base units; a histogram's `_count` and "
    "`_sum`\n"
    "go with its buckets: times from 10 us to 10 s, sizes from 1 to 65,536 in powers of two. What\n"
    "counts begins at 0 when its process does.\n"
    "\n"
    "`shard` and `symbol` grow with the configuration; all other labels take words that are "
    "fixed.\n";

static const struct row {
    const char *title; /* of the rows that follow; NULL: this is one */
    enum metric_number family;
} rows[] = {
#define GROUP_ROW(title)                         {title, 0},
#define METRIC_ROW(id, name, type, labels, help) {NULL, FAMILY_##id},
    METRICS_TABLE(GROUP_ROW, METRIC_ROW)};

/* `shard`, `code` */
static void print_labels(const char *labels)
{
    for (size_t size; *labels != '\0'; labels += size + (labels[size] == ',')) {
        size = strcspn(labels, ",");
        printf("`%.*s`%s", (int)size, labels, labels[size] == ',' ? ", " : "");
    }
}

static void print_family(const struct metric_family *f)
{
    printf("| `%s` | %s | ", f->name, metric_type_name(f->type));
    print_labels(f->labels);
    printf(" | %s |\n", f->help);
}

static void print_all(void)
{
    fputs(head, stdout);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].title == NULL)
            print_family(&metric_families[rows[i].family]);
        else
            printf("\n## %s\n\n| Metric | Type | Labels | What it is |\n|---|---|---|---|\n",
                   rows[i].title);
    }
}

int metrics_main(int argc, char **argv)
{
    if (argc == 1) {
        print_all();
        return 0;
    }
    bool help = strcmp(argv[1], "--help") == 0;
    fputs(usage, help ? stdout : stderr);
    return help ? 0 : 2;
}
