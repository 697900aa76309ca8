#include "cli/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

enum { BAR_WIDTH = 40 };

static const uint64_t DRAW_NS = 100 * NS_PER_MS;

void progress_begin(struct progress *p, const char *what, uint64_t total)
{
    uint64_t now_ns = clock_monotonic_ns();
    *p = (struct progress){what, total, now_ns, now_ns, isatty(STDERR_FILENO) == 1};
}

void progress_at(struct progress *p, uint64_t done)
{
    static const char bar[] = "########################################";
    uint64_t now_ns = clock_monotonic_ns();
    if (!p->shown || now_ns < p->drawn_ns + DRAW_NS)
        return;
    p->drawn_ns = now_ns;
    double share = p->total == 0 ? 1.0 : (double)done / (double)p->total;
    double seconds = (double)(now_ns - p->start_ns) / (double)NS_PER_SECOND;
    fprintf(stderr, "\r%s [%-*.*s] %3.0f%%  %.0f/s ", p->what, BAR_WIDTH, (int)(share * BAR_WIDTH),
            bar, share * 100, (double)done / seconds);
    fflush(stderr);
}

void progress_end(struct progress *p)
{
    if (p->shown)
        fputs("\r\033[K", stderr);
}
