/* report_json_parts: what JSON of a run and of a sweep share. */
#ifndef OUTCRY_BACKTEST_REPORT_JSON_PARTS_H
#define OUTCRY_BACKTEST_REPORT_JSON_PARTS_H

#include <jansson.h>

#include "backtest/report.h"

json_t *report_json_words(const char *words);
json_t *report_json_figures(const struct result_figures *f);

/* TAKES document. STATUS_IO: errno says why. */
enum status report_json_write(FILE *out, json_t *document);

#endif
