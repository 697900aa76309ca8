#include "gateway/websocket_inflow.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "gateway/websocket_frame.h"
#include "gateway/websocket_input.h"

enum {
    MASK_SIZE = 4,
    PENDING_MAX = WEBSOCKET_RECEIVED_MAX + WEBSOCKET_HEAD_SIZE_MAX + MASK_SIZE,
    ESTABLISHED = 1, /* the kernel's TCP_ESTABLISHED */
    TRIES = 16,
};

/* Bytes that came over the connection; false if the kernel does not say. */
static bool ask_came(int socket, uint64_t *came, bool *established)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
        size < offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received)
        return false;
    *came = info.tcpi_bytes_received;
    *established = info.tcpi_state == ESTABLISHED;
    return true;
}

/* Bytes read of it. What came is asked before and after what still waits: only if nothing came
 * between do they fit each other; of a flood, a few tries find such a moment. */
static bool ask_read(int socket, uint64_t *read_bytes, bool *established)
{
    for (unsigned i = 0; i < TRIES; i++) {
        uint64_t before, after;
        int waiting;
        if (!ask_came(socket, &before, established) || ioctl(socket, FIONREAD, &waiting) != 0 ||
            !ask_came(socket, &after, established))
            return false;
        *read_bytes = before - (uint64_t)waiting;
        if (before == after && before >= (uint64_t)waiting)
            return true;
    }
    return false;
}

/* Under a kernel that does not count, not even the request came. */
void websocket_inflow_begin(struct websocket_inflow *f, int socket, uint64_t now_ns)
{
    bool established;
    *f = (struct websocket_inflow){.since_ns = now_ns};
    f->known = ask_read(socket, &f->begin_bytes, &established) && f->begin_bytes > 0;
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
    if (read_bytes < handed_on)
        return WEBSOCKET_INFLOW_UNMASKED;
    if (read_bytes - handed_on > PENDING_MAX)
        return WEBSOCKET_INFLOW_LARGE;
    f->pending = read_bytes != handed_on;
    if (!f->pending || f->frames != f->frames_seen)
        f->since_ns = now_ns;
    f->frames_seen = f->frames;
    return now_ns - f->since_ns > WEBSOCKET_FRAME_MS_MAX * NS_PER_MS ? WEBSOCKET_INFLOW_STALLED
                                                                     : WEBSOCKET_INFLOW_FINE;
}

enum websocket_inflow_verdict websocket_inflow_look(struct websocket_inflow *f, int socket,
                                                    uint64_t now_ns)
{
    uint64_t came, read_bytes;
    bool established;
    if (!f->known || !ask_came(socket, &came, &established) ||
        (came == f->came_seen && f->frames == f->frames_seen && !f->pending) ||
        !ask_read(socket, &read_bytes, &established))
        return WEBSOCKET_INFLOW_FINE;
    f->came_seen = came;
    return websocket_inflow_judge(f, read_bytes, now_ns);
}

bool websocket_inflow_given_up(const struct websocket_inflow *f, int socket)
{
    uint64_t read_bytes;
    bool established;
    return f->known && ask_read(socket, &read_bytes, &established) && established &&
           read_bytes > f->begin_bytes + f->taken_bytes;
}
