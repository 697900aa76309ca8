/* websocket_bench: from the matcher to those who watch, over ZeroMQ and over WebSockets. */
#ifndef OUTCRY_BENCH_WEBSOCKET_BENCH_H
#define OUTCRY_BENCH_WEBSOCKET_BENCH_H

#include "edge.h"

/* The names of the cases, as their rows have them. */
#define WEBSOCKET_BBO_ZEROMQ    "BBO change to a ZeroMQ subscriber"
#define WEBSOCKET_TRADE_ZEROMQ  "trade to a ZeroMQ subscriber"
#define WEBSOCKET_BBO           "BBO change to a WebSocket"
#define WEBSOCKET_TRADE         "trade to a WebSocket"
#define WEBSOCKET_BROADCAST_100 "broadcast to 100 clients"
#define WEBSOCKET_LATENCY_100   "latency of a broadcast to 100"
#define WEBSOCKET_BROADCAST_500 "broadcast to 500 clients"
#define WEBSOCKET_LATENCY_500   "latency of a broadcast to 500"

/* Measure all cases. A lost message or a cut connection ends its case and marks e->failed. */
void websocket_bench_run(struct edge *e);

#endif
