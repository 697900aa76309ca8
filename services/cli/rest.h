/* rest: one request to a gateway, and its answer, for commands people type. Outside any hot path:
 * libcurl and jansson do the work. Decimals are strings in the answers, so nothing is rounded. */
#ifndef OUTCRY_CLI_REST_H
#define OUTCRY_CLI_REST_H

#include <jansson.h>

#include "node/cluster.h"

struct rest_answer {
    long status;  /* HTTP */
    char *text;   /* the body; terminated */
    json_t *json; /* NULL: it is not JSON */
};

enum { REST_URL_SIZE = 1024 };

/* method at base + path; body NULL: none. False, with a message on stderr in the name of `command`,
 * if no gateway answers. The caller frees the answer. */
bool rest_ask(const char *command, const char *method, const char *base, const char *path,
              const json_t *body, struct rest_answer *answer);
void rest_free(struct rest_answer *answer);

/* Whether a gateway is there and knows what there is; says nothing. */
bool rest_ready(const char *base);

/* What was refused and why, on stderr; 1, for main to return. */
int rest_refused(const char *command, const struct rest_answer *answer);

/* A text member of the answer; "" if there is none. BORROWED from the answer. */
const char *rest_text(const json_t *object, const char *key);

/* Where the gateway is, by the settings: http://127.0.0.1:8000. */
void rest_base(const struct cluster *c, char base[REST_URL_SIZE]);

/* A flag with a value (--account demo), taken out of argv; NULL if it is not there, exits 2 if it
 * has no value. */
const char *rest_text_flag(int *argc, char **argv, const char *flag);

/* A flag without one. */
bool rest_flag(int *argc, char **argv, const char *flag);

/* `text` as a part of a path or query: escaped. */
void rest_escape(char *out, size_t size, const char *text);

#endif
