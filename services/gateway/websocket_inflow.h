/* websocket_inflow: how much of a frame a client has sent while civetweb still waits for the rest
 * of it, which civetweb tells nobody.
 *
 * civetweb takes memory for whatever length a frame declares, up to 2 GiB, reads until all of it
 * has come, however slowly, and only then hands it on. So what was read from the socket (the
 * kernel's count of what came, less what still lies in its buffer) is held against what was handed
 * on, heads included. The difference is the frame that is coming in; at most 16 KiB of frames lie
 * in civetweb's own buffer, which is less than one may have.
 *
 *     read of the socket ─ begin ─ frames handed on = pending
 *
 * Heads are counted as a client must send them: masked, the length in its shortest form. One that
 * leaves out the masks falls below zero with its first frame, which civetweb does not look at
 * either.
 *
 * Thread: owner only. */
#ifndef OUTCRY_GATEWAY_WEBSOCKET_INFLOW_H
#define OUTCRY_GATEWAY_WEBSOCKET_INFLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WEBSOCKET_FRAME_MS_MAX = 30000 }; /* for a frame to come in */

struct websocket_inflow {
    bool known;           /* the kernel counts; else everything is fine */
    uint64_t begin_bytes; /* read before the first frame */
    uint64_t taken_bytes; /* of frames handed on, heads included */
    uint64_t frames;      /* handed on */
    uint64_t frames_seen; /* when it was judged last */
    uint64_t since_ns;    /* when nothing was pending, or a frame was handed on, last */
    bool pending;         /* when it was judged last */
    uint64_t came_seen;   /* what the kernel said then */
};

enum websocket_inflow_verdict {
    WEBSOCKET_INFLOW_FINE,
    WEBSOCKET_INFLOW_LARGE,    /* the frame is larger than a message may be */
    WEBSOCKET_INFLOW_STALLED,  /* it does not come to its end */
    WEBSOCKET_INFLOW_UNMASKED, /* less was read than frames of a client take */
};

/* The WebSocket begins: all that was read so far was HTTP.
 * Thread: the one that reads the socket. */
void websocket_inflow_begin(struct websocket_inflow *f, int socket, uint64_t now_ns);

/* A frame was handed on. */
void websocket_inflow_frame(struct websocket_inflow *f, size_t payload_size);

/* Ask the kernel, and judge. To be done every few milliseconds: what a client can make civetweb
 * hold is what comes in between.
 * Cost: a system call while nothing comes, else three. */
enum websocket_inflow_verdict websocket_inflow_look(struct websocket_inflow *f, int socket,
                                                    uint64_t now_ns);

/* read_bytes: read of the socket, as of after the last frame was handed on. Pure. */
enum websocket_inflow_verdict websocket_inflow_judge(struct websocket_inflow *f,
                                                     uint64_t read_bytes, uint64_t now_ns);

/* Whether civetweb, which has stopped reading by itself, has read something it did not hand on
 * from a client that is still there: what it gives up is a frame that declares more than it can
 * take.   Cost: four system calls. */
bool websocket_inflow_given_up(const struct websocket_inflow *f, int socket);

#endif
