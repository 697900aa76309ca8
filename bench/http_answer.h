/* http_answer: the reader of HTTP/1.1 answers of the load generator. Strict: what it does not
 * expect of our servers is garbage, so that no figure is made of answers that were not understood.
 * Pure: it looks at the bytes that have come so far, from the beginning of the answer, and may be
 * asked again when there are more. */
#ifndef OUTCRY_BENCH_HTTP_ANSWER_H
#define OUTCRY_BENCH_HTTP_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

enum {
    HTTP_ANSWER_SIZE_MAX = 64 << 10, /* head and body */
};

struct http_answer {
    unsigned status;
    size_t head_size; /* with the empty line */
    size_t body_size;
    bool close; /* the server will close the connection */
};

enum http_answer_read {
    HTTP_ANSWER_WHOLE,   /* head_size + body_size bytes are the answer */
    HTTP_ANSWER_PART,    /* more must come */
    HTTP_ANSWER_GARBAGE, /* nothing that comes can make it an answer */
};

/* Read an answer to anything but HEAD. Its body has a Content-Length, or there is none (101, 204,
 * 304); other answers below 200, Transfer-Encoding, folded lines and bare line feeds are garbage.
 *
 * BORROWS bytes. *answer is filled in if it is WHOLE. */
enum http_answer_read http_answer_read(struct http_answer *answer, const char *bytes, size_t size);

#endif
