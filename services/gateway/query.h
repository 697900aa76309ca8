/* query: the parameters behind the `?` of a request, decoded. Thread: owner only. */
#ifndef OUTCRY_GATEWAY_QUERY_H
#define OUTCRY_GATEWAY_QUERY_H

#include "gateway/problem.h"

enum { QUERY_PARAMETERS_MAX = 16, QUERY_SIZE_MAX = 4096 };

struct query_parameter {
    struct text name;
    struct text value;
};

struct query {
    struct query_parameter parameters[QUERY_PARAMETERS_MAX];
    unsigned count;
    char scratch[QUERY_SIZE_MAX];
};

/* Split and decode (percent signs, plus as space). False with the problem if it is too long, has
 * too many parameters, one of them twice, or an escape that is none. */
bool query_read(struct query *q, const char *text, struct problem *problem);

/* The parameter's value, or NULL. */
const struct text *query_find(const struct query *q, const char *name);

/* Decode a part of a path; false if an escape is none or it is longer than out_size. */
bool query_decode(const char *text, size_t size, char *out, size_t out_size, size_t *decoded_size);

#endif
