/* serve_parts: what a served back-test is made of; for its own files only.
 *
 *     serve.c           its life: sockets, what comes in by them, the end
 *     serve_clock.c     what happens next: recorded commands, clients' commands, the answer
 *     serve_program.h virtual_matcher.h listeners.h sent_queue.h client_log.h */
#ifndef OUTCRY_BACKTEST_SERVE_PARTS_H
#define OUTCRY_BACKTEST_SERVE_PARTS_H

#include "backtest/client_log.h"
#include "backtest/delay.h"
#include "backtest/listeners.h"
#include "backtest/sent_queue.h"
#include "backtest/serve.h"
#include "backtest/serve_program.h"
#include "backtest/virtual_matcher.h"

enum { SERVE_ADDRESSES = 4 }; /* commands, requests, private, public */

struct serve {
    const struct serve_options *o;
    struct serve_outcome *outcome;
    char *error;        /* in words, once status is not STATUS_OK */
    enum status status; /* why it ends early */
    struct virtual_matcher market;
    struct client_log log;
    bool begun; /* what was recorded at the first moment has happened */
    struct listeners listeners;
    struct delay delay;
    struct sent_queue sent;

    /* ---- the clock ---- */
    uint64_t end_ns; /* of the recording */
    bool over;
    bool heard;  /* something was published, since the last answer, that somebody listens to */
    bool asked;  /* an `advance` waits for its answer */
    bool driven; /* `driver` is the reply of the client that lets the clock go on */
    bool gone;   /* it has gone */
    struct advance advance; /* its reply is `driver` */
    char driver[REPLY_SIZE];

    /* ---- sockets ---- */
    struct cluster *cluster; /* the addresses as they are here */
    char addresses[SERVE_ADDRESSES][CLUSTER_ADDRESS_SIZE];
    char directory[SETTING_TEXT_SIZE]; /* of ours; empty: none */
    void *context, *pull, *xpub;
    struct serve_program program;
    uint64_t spoke_ns; /* when a client spoke last; monotonic. 0: none has come */
};

/* ---- serve.c ---- */

/* It ends; printf's words say why. The first reason counts. */
__attribute__((format(printf, 3, 4))) void serve_fail(struct serve *s, enum status status,
                                                      const char *words, ...);

/* To whoever listens. */
void serve_send(struct serve *s, const uint8_t *message, size_t size);

/* ---- serve_clock.c ---- */

/* What is recorded at the first moment happens. */
void serve_begin(struct serve *s);

/* A client's command was sent, now. */
void serve_command(struct serve *s, const uint8_t *bytes, size_t size);

/* Go on as the client that waits has asked, and answer it. */
void serve_advance(struct serve *s);

#endif
