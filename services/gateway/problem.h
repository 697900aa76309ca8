/* problem: what is wrong with a request, as application/problem+json (RFC 9457): one form for
 * every refusal, whoever found it. Code, title and HTTP status are those of reject_table.h. */
#ifndef OUTCRY_GATEWAY_PROBLEM_H
#define OUTCRY_GATEWAY_PROBLEM_H

#include "gateway/json_writer.h"
#include "proto/messages.h"

enum { PROBLEM_DETAIL_SIZE = 256, PROBLEM_NAME_SIZE = 48 };

struct problem {
    enum reason code;
    char detail[PROBLEM_DETAIL_SIZE]; /* what was found and expected; empty: the table's text */
    /* Where: "body", "query", "path" or "header"; NULL: the request as a whole. And the name of
     * the field, empty if it is no one's. */
    const char *in;
    char name[PROBLEM_NAME_SIZE];
};

/* Fill in a problem; `detail` is a printf form. False, so that it can be returned. */
__attribute__((format(printf, 5, 6))) bool problem_set(struct problem *p, enum reason code,
                                                       const char *in, const char *name,
                                                       const char *detail, ...);

/* What happened to the request: members that follow `detail`. */
struct problem_context {
    struct text request_id;
    struct text at;         /* empty: no position */
    bool outcome_unknown;   /* it was handed over */
    uint64_t certain_by_ns; /* then: Unix ns by which that becomes certain; 0: a cancel, which is
                               never too late */
    uint64_t order_id;      /* 0: none */
};

/* The members of a problem, into an object that is open. */
void problem_put(struct json_writer *j, const struct problem *p,
                 const struct problem_context *context);

/* Of reject_table.h. */
unsigned problem_status(enum reason code);

/* Whether the same request may be sent again as it is: 429 and 503. */
bool problem_retryable(enum reason code);

#endif
