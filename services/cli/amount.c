#include "cli/amount.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

/* Three digits at most, one behind the point below ten, or below a hundred if `fine`. */
static void put(char text[AMOUNT_SIZE], double value, const char *unit, bool fine)
{
    bool whole = value >= (fine ? 99.95 : 9.95) || value <= 0;
    snprintf(text, AMOUNT_SIZE, whole ? "%.0f%s" : "%.1f%s", value, unit);
}

static void put_nothing(char text[AMOUNT_SIZE])
{
    snprintf(text, AMOUNT_SIZE, "-");
}

void amount_count(char text[AMOUNT_SIZE], double count)
{
    static const char *const units[] = {"", "k", "M", "G", "T"};
    unsigned unit = 0;
    while (count >= 999.5 && unit < 4) {
        count /= 1000;
        unit++;
    }
    if (isnan(count))
        put_nothing(text);
    else if (unit == 0 && count >= floor(count) && count <= floor(count))
        snprintf(text, AMOUNT_SIZE, "%.0f", count);
    else
        put(text, count, units[unit], unit > 0);
}

void amount_seconds(char text[AMOUNT_SIZE], double seconds)
{
    static const struct {
        double below, scale;
        const char *unit;
    } units[] = {{999.5e-6, 1e6, "us"}, {0.9995, 1e3, "ms"}};
    for (unsigned i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (seconds < units[i].below) {
            put(text, seconds * units[i].scale, units[i].unit, false);
            return;
        }
    }
    if (isnan(seconds))
        put_nothing(text);
    else
        put(text, seconds, "s", true);
}

void amount_bytes(char text[AMOUNT_SIZE], double bytes)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB"};
    unsigned unit = 0;
    while (bytes >= 1023.5 && unit < 4) {
        bytes /= 1024;
        unit++;
    }
    if (isnan(bytes))
        put_nothing(text);
    else
        put(text, bytes, units[unit], unit > 0);
}

void amount_whole(char text[AMOUNT_SIZE], double count)
{
    if (isnan(count))
        put_nothing(text);
    else
        snprintf(text, AMOUNT_SIZE, "%.0f", count);
}

void amount_share(char text[AMOUNT_SIZE], double part, double whole)
{
    if (isnan(part) || !(whole > 0))
        put_nothing(text);
    else
        snprintf(text, AMOUNT_SIZE, "%.0f%%", 100 * part / whole);
}
