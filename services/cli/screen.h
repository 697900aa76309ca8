/* screen: a terminal whose whole content is drawn again and again, or text that is printed once.
 *
 *     screen_open(&s, live, keys);
 *     while (!screen_stopped()) {
 *         screen_begin(&s);
 *         screen_put(&s, SCREEN_GOOD, "%-10s", "open");
 *         screen_end_line(&s);
 *         screen_show(&s);
 *     }
 *     screen_close(&s);
 *
 * A live one is drawn over itself, line by line and in one write, so that it does not flicker, and
 * has colours unless the variable NO_COLOR is set (no-color.org). What is not live has no escapes
 * at all. One at a time. Thread: one. */
#ifndef OUTCRY_CLI_SCREEN_H
#define OUTCRY_CLI_SCREEN_H

#include <stdbool.h>
#include <stdio.h>
#include <termios.h>

enum screen_style { SCREEN_PLAIN, SCREEN_HEAD, SCREEN_DIM, SCREEN_GOOD, SCREEN_WARN, SCREEN_BAD };

enum { SCREEN_ROWS = 24, SCREEN_COLUMNS = 80 }; /* where there is no terminal to ask */

struct screen {
    bool live, colour;
    unsigned rows, columns; /* of the terminal now; not live: rows is 0, there is no end */
    unsigned row;           /* lines drawn of this picture */
    FILE *picture;
    char *text;
    size_t size;
    bool keys; /* keys are read as they are pressed */
    struct termios before;
};

/* live: stdout is a terminal, and stays drawn on. keys: read them, if stdin is a terminal, too.
 * SIGINT and SIGTERM end it from here on, see screen_stopped(). */
void screen_open(struct screen *s, bool live, bool keys);
void screen_close(struct screen *s);

/* Somebody asked us to end, or nobody reads any more. */
bool screen_stopped(void);

/* A picture: begun, put together and shown. Lines beyond the terminal's are not shown; that they
 * fit its columns is the caller's affair. */
void screen_begin(struct screen *s);
__attribute__((format(printf, 3, 4))) void screen_put(struct screen *s, enum screen_style style,
                                                      const char *form, ...);
void screen_end_line(struct screen *s);
void screen_show(struct screen *s);

/* The key that was pressed within so many ms; 0: none, or the terminal changed its size. */
int screen_key(const struct screen *s, unsigned timeout_ms);

#endif
