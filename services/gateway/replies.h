/* replies: what is answered by a connection's own thread, with no word of the step's in it. Each
 * returns the status, for civetweb. Thread: the connection's. */
#ifndef OUTCRY_GATEWAY_REPLIES_H
#define OUTCRY_GATEWAY_REPLIES_H

#include "gateway/response.h"

int reply_symbols(struct exchange *x);
int reply_time(struct exchange *x);

/* All there is. The step has set its numbers when it answered; when it did not, which is when
 * people look, they are those it set last, and the gateway is not ready. */
int reply_metrics(struct exchange *x, bool step_answered);

#endif
