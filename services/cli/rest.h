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

/* Where the gateway is: http://127.0.0.1:8000. With a certificate (a path; empty: none) it is
 * https, and only who has the key of that file's certificate is spoken to, whatever the name in it.
 */
struct rest_gateway {
    char url[REST_URL_SIZE];
    char certificate[SETTING_TEXT_SIZE];
};

/* By the settings. */
void rest_gateway(const struct cluster *c, struct rest_gateway *gateway);

/* method at its url + path; body NULL: none. False, with a message on stderr in the name of
 * `command`, if no gateway answers, or one that is not trusted. The caller frees the answer. */
bool rest_ask(const char *command, const char *method, const struct rest_gateway *gateway,
              const char *path, const json_t *body, struct rest_answer *answer);
void rest_free(struct rest_answer *answer);

/* Whether a gateway is there and knows what there is; says nothing. */
bool rest_ready(const struct rest_gateway *gateway);

/* What was refused and why, on stderr; 1, for main to return. */
int rest_refused(const char *command, const struct rest_answer *answer);

/* A text member of the answer; "" if there is none. BORROWED from the answer. */
const char *rest_text(const json_t *object, const char *key);

/* A flag with a value (--account demo), taken out of argv; NULL if it is not there, exits 2 if it
 * has no value. */
const char *rest_text_flag(int *argc, char **argv, const char *flag);

/* A flag without one. */
bool rest_flag(int *argc, char **argv, const char *flag);

/* `text` as a part of a path or query: escaped. */
void rest_escape(char *out, size_t size, const char *text);

#endif
