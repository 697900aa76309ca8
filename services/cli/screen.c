#include "cli/screen.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static volatile sig_atomic_t stop_requested;

static void on_signal(int signal)
{
    (void)signal;
    stop_requested = 1;
}

/* Only there so that a wait for a key ends. */
static void on_resize(int signal)
{
    (void)signal;
}

static void take_signals(void)
{
    struct sigaction stop = {.sa_handler = on_signal}, resize = {.sa_handler = on_resize};
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    sigaction(SIGWINCH, &resize, NULL);
}

void screen_open(struct screen *s, bool live, bool keys)
{
    const char *no_color = getenv("NO_COLOR");
    struct termios raw;
    memset(s, 0, sizeof *s);
    s->live = live;
    s->colour = live && (no_color == NULL || *no_color == '\0');
    take_signals();
    s->keys = live && keys && tcgetattr(STDIN_FILENO, &s->before) == 0;
    if (s->keys) {
        raw = s->before;
        raw.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
        tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
    }
    if (live)
        fputs("\033[2J\033[?25l", stdout); /* all clear, no cursor */
}

void screen_close(struct screen *s)
{
    if (s->live)
        fputs("\033[?25h\n", stdout);
    fflush(stdout);
    if (s->keys)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &s->before);
    s->live = s->keys = false;
}

bool screen_stopped(void)
{
    return stop_requested != 0 || ferror(stdout) != 0;
}

static void measure(struct screen *s)
{
    struct winsize size = {0, 0, 0, 0};
    bool known = s->live && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
    s->columns = known && size.ws_col > 0 ? size.ws_col : SCREEN_COLUMNS;
    s->rows = !s->live ? 0 : known && size.ws_row > 0 ? size.ws_row : SCREEN_ROWS;
}

void screen_begin(struct screen *s)
{
    measure(s);
    s->row = 0;
    s->text = NULL;
    s->picture = open_memstream(&s->text, &s->size);
    if (s->picture != NULL && s->live)
        fputs("\033[H", s->picture);
}

static bool hidden(const struct screen *s)
{
    return s->picture == NULL || (s->rows > 0 && s->row >= s->rows);
}

void screen_put(struct screen *s, enum screen_style style, const char *form, ...)
{
    static const char *const codes[] = {
        [SCREEN_HEAD] = "\033[1m",  [SCREEN_DIM] = "\033[2m",  [SCREEN_GOOD] = "\033[32m",
        [SCREEN_WARN] = "\033[33m", [SCREEN_BAD] = "\033[31m",
    };
    va_list arguments;
    if (hidden(s))
        return;
    bool dressed = s->colour && style != SCREEN_PLAIN;
    if (dressed)
        fputs(codes[style], s->picture);
    va_start(arguments, form);
    vfprintf(s->picture, form, arguments);
    va_end(arguments);
    if (dressed)
        fputs("\033[0m", s->picture);
}

/* Live, the newline stands before the next line, as one behind the last would move all up. */
void screen_end_line(struct screen *s)
{
    if (hidden(s))
        return;
    s->row++;
    if (!s->live)
        fputc('\n', s->picture);
    else
        fputs(s->row < s->rows ? "\033[K\n" : "\033[K", s->picture);
}

void screen_show(struct screen *s)
{
    if (s->picture == NULL)
        return;
    if (s->live && s->row < s->rows)
        fputs("\033[J", s->picture);
    if (fclose(s->picture) == 0) {
        fwrite(s->text, 1, s->size, stdout);
        fflush(stdout);
    }
    s->picture = NULL;
    free(s->text);
}

int screen_key(const struct screen *s, unsigned timeout_ms)
{
    struct pollfd in = {.fd = s->keys ? STDIN_FILENO : -1, .events = POLLIN};
    unsigned char key = 0;
    if (poll(&in, 1, (int)timeout_ms) != 1)
        return 0;
    if (read(STDIN_FILENO, &key, 1) != 1) {
        stop_requested = 1; /* the terminal has gone */
        return 0;
    }
    return key;
}
