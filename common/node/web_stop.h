/* web_stop: end a civetweb server at once. civetweb looks every two seconds whether it is to stop,
 * and whenever somebody connects: who is started again has no two seconds. */
#ifndef OUTCRY_NODE_WEB_STOP_H
#define OUTCRY_NODE_WEB_STOP_H

#include <civetweb.h>

/* mg_stop(), with somebody who connects. address: where it listens, HOST:PORT. Returns when all its
 * threads have ended; those that wait for a client that says nothing take up to two seconds still.
 * Thread: any but its own. */
void web_stop(struct mg_context *context, const char *address);

#endif
