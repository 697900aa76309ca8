#include "cli/top.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/rest.h"
#include "cli/top_view.h"
#include "node/host.h"

enum { INTERVAL_S_MAX = 3600, TIMEOUT_MS = 900 };

static const char usage[] =
    "usage: outcry top [--interval S] [--once] [--targets HOST:PORT,...] [--config FILE]\n"
    "                  [--SETTING VALUE ...]\n"
    "\n"
    "Shows the cluster at work, and what is wrong with it, every S seconds (1). Rates and times "
    "are\n"
    "of the last 5 s, or of the last S if that is more; times come from the buckets of "
    "histograms.\n"
    "q quits, p pauses. Services are found in the run directory, where each tells its address, or\n"
    "are those of --targets. --once prints one picture of S seconds (2) as plain text; so does\n"
    "output that is not a terminal. NO_COLOR is respected.\n"
    "\n"
    "  outcry top\n"
    "  outcry top --once --targets matcher-0:8001,matcher-1:8001,gateway-1:8001\n";

static struct {
    struct cluster cluster;
    struct overview overview;
    struct problems problems;
    struct incidents incidents;
    struct screen screen;
} top;

static void look(void)
{
    overview_look(&top.overview, TIMEOUT_MS);
    problems_find(&top.problems, &top.overview);
    incidents_update(&top.incidents, &top.problems, top.overview.now_ns);
}

static void draw(bool paused)
{
    top_view_draw(&top.screen, &top.overview, &top.incidents, paused);
}

/* Until the next look is due, or somebody quits; a key or a new size of the terminal is seen at
 * once. */
static bool wait_until(uint64_t due_ns, bool *paused)
{
    while (!screen_stopped()) {
        uint64_t now_ns = clock_monotonic_ns();
        if (now_ns >= due_ns && !*paused)
            return true;
        uint64_t left_ms = now_ns >= due_ns ? 1000 : (due_ns - now_ns) / NS_PER_MS + 1;
        int key = screen_key(&top.screen, (unsigned)(left_ms < 1000 ? left_ms : 1000));
        if (key == 'q')
            return false;
        if (key == 'p')
            *paused = !*paused;
        draw(*paused);
    }
    return false;
}

static void run(uint64_t interval_ns)
{
    bool paused = false;
    uint64_t due_ns;
    do {
        due_ns = clock_monotonic_ns() + interval_ns;
        look();
        draw(paused);
    } while (wait_until(due_ns, &paused));
}

/* Rates need two looks. */
static void run_once(uint64_t interval_ns)
{
    look();
    uint64_t due_ns = clock_monotonic_ns() + interval_ns;
    while (!screen_stopped() && clock_monotonic_ns() < due_ns)
        usleep(10 * 1000);
    look();
    draw(false);
}

int top_main(int argc, char **argv)
{
    host_load(&top.cluster, &argc, argv, usage);
    bool once = rest_flag(&argc, argv, "--once") || isatty(STDOUT_FILENO) != 1;
    uint64_t interval_s =
        host_number_flag(&argc, argv, "--interval", 1, INTERVAL_S_MAX, once ? 2 : 1);
    const char *list = rest_text_flag(&argc, argv, "--targets");
    host_no_more_flags(argc, argv);
    overview_init(&top.overview, "top", &top.cluster, list);
    screen_open(&top.screen, !once, true);
    if (once)
        run_once(interval_s * NS_PER_SECOND);
    else
        run(interval_s * NS_PER_SECOND);
    bool found = top.overview.service_count > 0;
    overview_close(&top.overview);
    screen_close(&top.screen);
    if (!found)
        fprintf(stderr,
                "outcry top: no service tells where it is in %s/*.admin; is a cluster running "
                "(./outcry up)?\n",
                top.cluster.settings.run_dir);
    return found && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
