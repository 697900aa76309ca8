#include "gateway/websocket_inflow.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "gateway/websocket_frame.h"
#include "gateway/websocket_input.h"

enum { MASK_SIZE = 4, ESTABLISHED = 1 /* TCP_ESTABLISHED of the kernel */ };

static bool ask_kernel(int socket, struct tcp_info *info)
{
    socklen_t size = sizeof *info;
    return getsockopt(socket, IPPROTO_TCP, TCP_INFO, info, &size) == 0 &&
           size >= offsetof(struct tcp_info, tcpi_bytes_received) +
                       sizeof info->tcpi_bytes_received;
}

/* What came is asked before and after what waits: only if nothing came between do they fit. */
bool websocket_inflow_read(int socket, uint64_t *read_bytes)
{
    struct tcp_info before, after;
    int waiting;
    if (!ask_kernel(socket, &before) || ioctl(socket, FIONREAD, &waiting) != 0 ||
        !ask_kernel(socket, &after) || before.tcpi_bytes_received != after.tcpi_bytes_received ||
        before.tcpi_bytes_received < (uint64_t)waiting)
        return false;
    *read_bytes = before.tcpi_bytes_received - (uint64_t)waiting;
    return true;
}

/* Under a kernel that does not count, the request itself never came. */
void websocket_inflow_begin(struct websocket_inflow *f, int socket, uint64_t now_ns)
{
    *f = (struct websocket_inflow){.since_ns = now_ns};
    f->known = websocket_inflow_read(socket, &f->begin_bytes) && f->begin_bytes > 0;
}

void websocket_inflow_frame(struct websocket_inflow *f, size_t payload_size)
{
    f->frames++;
    f->taken_bytes += websocket_frame_head_size(payload_size) + MASK_SIZE + payload_size;
}

enum websocket_inflow_verdict websocket_inflow_judge(struct websocket_inflow *f,
                                                     uint64_t read_bytes, uint64_t now_ns)
{
    uint64_t handed_on = f->begin_bytes + f->taken_bytes;
    if (!f->known)
        return WEBSOCKET_INFLOW_FINE;
    if (read_bytes < handed_on)
        return WEBSOCKET_INFLOW_UNMASKED;
    if (read_bytes - handed_on >
        WEBSOCKET_RECEIVED_MAX + WEBSOCKET_HEAD_SIZE_MAX + (uint64_t)MASK_SIZE)
        return WEBSOCKET_INFLOW_LARGE;
    if (read_bytes == handed_on || f->frames != f->frames_seen)
        f->since_ns = now_ns;
    f->frames_seen = f->frames;
    return now_ns - f->since_ns > WEBSOCKET_FRAME_MS_MAX * NS_PER_MS ? WEBSOCKET_INFLOW_STALLED
                                                                     : WEBSOCKET_INFLOW_FINE;
}

bool websocket_inflow_given_up(const struct websocket_inflow *f, int socket)
{
    struct tcp_info info;
    uint64_t read_bytes;
    return f->known && ask_kernel(socket, &info) && info.tcpi_state == ESTABLISHED &&
           websocket_inflow_read(socket, &read_bytes) &&
           read_bytes > f->begin_bytes + f->taken_bytes;
}
