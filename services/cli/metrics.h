/* metrics: `outcry metrics`: every metric there is, as Markdown: k8s/METRICS.md. */
#ifndef OUTCRY_CLI_METRICS_H
#define OUTCRY_CLI_METRICS_H

int metrics_main(int argc, char **argv);

#endif
