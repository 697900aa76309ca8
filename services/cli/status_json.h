/* status_json: all that `outcry status` knows, as JSON. */
#ifndef OUTCRY_CLI_STATUS_JSON_H
#define OUTCRY_CLI_STATUS_JSON_H

#include <jansson.h>

#include "cli/problems.h"

/* The caller releases it. */
json_t *status_json(const struct overview *o, const struct problems *problems);

#endif
