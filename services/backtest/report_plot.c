/* report_plot: a plot as SVG, made here: axes, curves, marks, and beside it the points as JSON, for
 * what a pointer over it is told.
 *
 * A curve of a day has more points than there are pixels. Per column of pixels its lowest, highest
 * and last point are drawn, in their order: no spike is lost, and the file stays small. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backtest/report_parts.h"
#include "base/check.h"

enum {
    WIDTH = 1000,
    LEFT = 84,
    RIGHT = 988,
    TOP = 10,
    COLUMNS = RIGHT - LEFT,
    TICKS_X = 8,
    TICKS_Y = 6,
    MARK_SIZE = 4,
    MARKS_MANY = 400, /* then they are smaller */
    HEIGHT = 240,
    BOTTOM = HEIGHT - 26,
};

struct frame {
    double x_low, x_high, y_low, y_high;
};

static double place_x(const struct frame *f, double x)
{
    return LEFT + (x - f->x_low) / (f->x_high - f->x_low) * COLUMNS;
}

static double place_y(const struct frame *f, double y)
{
    return BOTTOM - (y - f->y_low) / (f->y_high - f->y_low) * (BOTTOM - TOP);
}

/* As short as it can be said: half of a page is numbers. */
static void put_number(FILE *out, double value, unsigned digits)
{
    char text[REPORT_TEXT_SIZE * 4]; /* any double, digits and all */
    snprintf(text, sizeof text, "%.*f", (int)digits, value);
    char *end = text + strlen(text);
    while (digits > 0 && end[-1] == '0' && digits-- > 0)
        *--end = '\0';
    if (end[-1] == '.')
        *--end = '\0';
    fputs(strcmp(text, "-0") != 0 ? text : "0", out);
}

/* ---- the frame ---- */

static void widen(struct frame *f, double y)
{
    f->y_low = y < f->y_low ? y : f->y_low;
    f->y_high = y > f->y_high ? y : f->y_high;
}

/* False: there is nothing to draw. */
static bool frame_of(const struct report_plot *p, struct frame *f)
{
    *f = (struct frame){p->x_low, p->x_high, INFINITY, -INFINITY};
    for (unsigned i = 0; i < p->curve_count; i++)
        for (size_t k = 0; k < p->curves[i].count; k++)
            if (!isnan(p->curves[i].y[k]))
                widen(f, p->curves[i].y[k]);
    for (size_t i = 0; i < p->mark_count; i++)
        widen(f, p->marks[i].y);
    bool any = f->y_low <= f->y_high && (!p->time || p->x_low < p->x_high);
    if (p->zero || !any)
        widen(f, 0);
    double spare = (f->y_high - f->y_low) * 0.06;
    if (spare == 0)
        spare = f->y_high != 0 ? fabs(f->y_high) * 0.01 : 1;
    if (!p->zero || f->y_low < 0)
        f->y_low -= spare;
    if (!p->zero || f->y_high > 0 || f->y_low == 0)
        f->y_high += spare;
    if (f->x_low == f->x_high) {
        f->x_low -= 0.5;
        f->x_high += 0.5;
    }
    return any;
}

static double round_step(double low, double high, unsigned count)
{
    double least = (high - low) / count;
    double power = pow(10, floor(log10(least)));
    double factors[] = {1, 2, 5, 10};
    unsigned i = 0;
    while (i < 3 && factors[i] * power < least)
        i++;
    return factors[i] * power;
}

/* A round step of time, in seconds. */
static double step_of_time(double low, double high)
{
    static const double steps[] = {1,     2,     5,      10,     15,      30,     60,    120,
                                   300,   600,   900,    1800,   3600,    7200,   10800, 21600,
                                   43200, 86400, 172800, 604800, 1209600, 2592000};
    double least = (high - low) / TICKS_X;
    if (least < 1)
        return fmax(round_step(low, high, TICKS_X), 1e-9);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i] >= least)
            return steps[i];
    return 86400 * round_step(low / 86400, high / 86400, TICKS_X);
}

static int digits_of(double step)
{
    double places = -floor(log10(step) + 1e-9);
    return places > 0 ? (int)places : 0;
}

static void put_time_label(FILE *out, uint64_t begin_ns, double seconds, double step)
{
    /* To the nearest of what is shown: a double of seconds is not exact. */
    uint64_t unit_ns = step < 1 ? (uint64_t)llround(1e9 * pow(10, -digits_of(step))) : 1000000000;
    uint64_t offset = (uint64_t)llround(seconds * 1e9);
    uint64_t time_ns = (begin_ns + offset + unit_ns / 2) / unit_ns * unit_ns;
    time_t whole = (time_t)(time_ns / 1000000000);
    struct tm t;
    char text[REPORT_TEXT_SIZE];
    CHECK(gmtime_r(&whole, &t) != NULL);
    const char *form = step >= 86400 ? "%Y-%m-%d" : step >= 60 ? "%H:%M" : "%H:%M:%S";
    strftime(text, sizeof text, form, &t);
    fputs(text, out);
    if (step < 1) {
        snprintf(text, sizeof text, "%09u", (unsigned)(time_ns % 1000000000));
        fprintf(out, ".%.*s", digits_of(step), text);
    }
}

/* Round values of time begin at midnight, not where the run began. */
static void put_axis_x(FILE *out, const struct report_plot *p, const struct frame *f)
{
    double step =
        p->time ? step_of_time(f->x_low, f->x_high) : round_step(f->x_low, f->x_high, TICKS_X);
    double ahead = p->time ? fmod((double)(p->begin_ns % UINT64_C(86400000000000)) / 1e9, step) : 0;
    fputs("<g class=\"axis\" text-anchor=\"middle\">", out);
    double first = ceil((f->x_low + ahead) / step - 1e-9);
    for (unsigned i = 0; i <= 2 * TICKS_X; i++) {
        double x = (first + i) * step - ahead;
        if (x > f->x_high + step * 1e-9)
            break;
        double at = place_x(f, x);
        fprintf(out, "<path d=\"M%.1f %dv4\"/><text x=\"%.1f\" y=\"%d\">", at, BOTTOM, at,
                BOTTOM + 19);
        if (p->time)
            put_time_label(out, p->begin_ns, x > 0 ? x : 0, step);
        else
            fprintf(out, "%.*f", digits_of(step), x == 0 ? 0 : x);
        fputs("</text>", out);
    }
    fputs("</g>\n", out);
}

static void put_axis_y(FILE *out, const struct frame *f)
{
    double step = round_step(f->y_low, f->y_high, TICKS_Y);
    fputs("<g class=\"axis\" text-anchor=\"end\">", out);
    double first = ceil(f->y_low / step - 1e-9);
    for (unsigned i = 0; i <= 2 * TICKS_Y; i++) {
        double y = (first + i) * step;
        if (y > f->y_high)
            break;
        double at = place_y(f, y);
        fprintf(out, "<path class=\"%s\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\">%.*f</text>",
                fabs(y) < step / 2 ? "zero" : "grid", LEFT, at, RIGHT, LEFT - 10, at + 4,
                digits_of(step), fabs(y) < step / 2 ? 0 : y);
    }
    fputs("</g>\n", out);
}

/* ---- curves ---- */

struct drawn {
    size_t *at; /* indices of the points that are drawn */
    size_t count;
};

static void add_drawn(struct drawn *d, size_t index)
{
    if (d->count == 0 || index > d->at[d->count - 1])
        d->at[d->count++] = index;
}

/* The points of one column: from..to - 1. */
static void draw_column(struct drawn *d, const struct report_curve *c, size_t from, size_t to)
{
    size_t low = from, high = from;
    for (size_t i = from; i < to; i++) {
        if (isnan(c->y[i]))
            continue;
        low = isnan(c->y[low]) || c->y[i] < c->y[low] ? i : low;
        high = isnan(c->y[high]) || c->y[i] > c->y[high] ? i : high;
    }
    if (from == 0)
        add_drawn(d, from);
    add_drawn(d, low < high ? low : high);
    add_drawn(d, low < high ? high : low);
    add_drawn(d, to - 1);
}

static struct drawn drawn_of(const struct report_curve *c, const struct frame *f)
{
    struct drawn d = {calloc(c->count + 1, sizeof *d.at), 0};
    CHECK(d.at != NULL);
    for (size_t from = 0, to; from < c->count; from = to) {
        double column = floor(place_x(f, c->x[from]));
        for (to = from + 1; to < c->count && floor(place_x(f, c->x[to])) == column;)
            to++;
        draw_column(&d, c, from, to);
    }
    return d;
}

/* A letter of a path and its number, and another; between 0: only one. */
static void put_step(FILE *out, char letter, double first, char between, double second)
{
    putc(letter, out);
    put_number(out, first, 1);
    if (between == 0)
        return;
    putc(between, out);
    put_number(out, second, 1);
}

static void put_curve(FILE *out, const struct report_curve *c, const struct frame *f,
                      const struct drawn *d)
{
    bool area = strcmp(c->style, "area") == 0, open = false;
    double zero = place_y(f, 0), last = LEFT;
    fprintf(out, "<path class=\"curve %s\" d=\"", c->style);
    for (size_t i = 0; i < d->count; i++) {
        double y = c->y[d->at[i]], at = place_x(f, c->x[d->at[i]]);
        if (isnan(y)) {
            open = false;
            continue;
        }
        double to = place_y(f, y);
        if (!open)
            put_step(out, 'M', at, ' ', area ? zero : to);
        if (!open && area)
            put_step(out, 'V', to, 0, 0);
        if (open)
            put_step(out, c->steps ? 'H' : 'L', at, c->steps ? 'V' : ' ', to);
        open = true;
        last = at;
    }
    if (area && open)
        fprintf(out, "H%.1fV%.1fZ", last, zero);
    fputs("\"/>\n", out);
    if (!c->dots)
        return;
    fprintf(out, "<g class=\"dots %s\">", c->style);
    for (size_t i = 0; i < d->count; i++)
        if (!isnan(c->y[d->at[i]]))
            fprintf(out, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", place_x(f, c->x[d->at[i]]),
                    place_y(f, c->y[d->at[i]]));
    fputs("</g>\n", out);
}

/* ---- marks ---- */

/* Of all marks of one style in one column, the lowest and the highest. */
static void put_mark(FILE *out, const struct frame *f, double x, double y, int size, bool up)
{
    fprintf(out, "M%.0f %.1fl%d %dh%dz", place_x(f, x), place_y(f, y), size,
            up ? 2 * size - 1 : 1 - 2 * size, -2 * size);
}

static void put_marks(FILE *out, const struct report_plot *p, const struct frame *f,
                      const char *style, bool up)
{
    double column = -1, x = 0, low = 0, high = 0;
    int size = p->mark_count > MARKS_MANY ? MARK_SIZE - 1 : MARK_SIZE;
    fprintf(out, "<path class=\"mark %s\" d=\"", style);
    for (size_t i = 0; i <= p->mark_count; i++) {
        const struct report_mark *m = i < p->mark_count ? &p->marks[i] : NULL;
        if (m != NULL && strcmp(m->style, style) != 0)
            continue;
        double at = m != NULL ? floor(place_x(f, m->x)) : -1;
        if (at != column && column >= 0) {
            put_mark(out, f, x, low, size, up);
            if (high != low)
                put_mark(out, f, x, high, size, up);
        }
        if (m == NULL)
            break;
        low = at != column || m->y < low ? m->y : low;
        high = at != column || m->y > high ? m->y : high;
        x = at != column ? m->x : x;
        column = at;
    }
    fputs("\"/>\n", out);
}

/* ---- what a pointer is told ---- */

static void put_numbers(FILE *out, const double *values, const struct drawn *d, unsigned digits)
{
    putc('[', out);
    for (size_t i = 0; i < d->count; i++) {
        double value = values[d->at[i]];
        if (i > 0)
            putc(',', out);
        if (isnan(value))
            fputs("null", out);
        else
            put_number(out, value, digits);
    }
    putc(']', out);
}

/* x: seconds with microseconds, or the parameter's value. */
static void put_points(FILE *out, const struct report_plot *p, const struct frame *f,
                       const struct drawn *drawn)
{
    fprintf(out,
            "<script type=\"application/json\">{\"time\":%s,\"begin\":%.3f,\"low\":%.9g,"
            "\"high\":%.9g,\"left\":%d,\"right\":%d,\"curves\":[",
            p->time ? "true" : "false", (double)p->begin_ns / 1e6, f->x_low, f->x_high, LEFT,
            RIGHT);
    for (unsigned i = 0; i < p->curve_count; i++) {
        fprintf(out, "%s{\"digits\":%u,\"x\":", i > 0 ? "," : "", p->curves[i].digits);
        put_numbers(out, p->curves[i].x, &drawn[i], p->time ? 3 : 9);
        fputs(",\"y\":", out);
        put_numbers(out, p->curves[i].y, &drawn[i], p->curves[i].digits);
        putc('}', out);
    }
    fputs("]}</script>\n", out);
}

/* ---- all of it ---- */

static void put_legend(FILE *out, const struct report_plot *p)
{
    fputs("<figcaption><b>", out);
    report_put_html(out, p->title);
    fputs("</b>", out);
    for (unsigned i = 0; i < p->curve_count; i++) {
        bool named = p->curves[i].name[0] != '\0';
        fprintf(out, "<span class=\"key %s\">%s", p->curves[i].style, named ? "<i></i>" : "");
        report_put_html(out, p->curves[i].name);
        fputs(" <output></output></span>", out);
    }
    if (p->mark_count > 0)
        fputs("<span class=\"key\"><svg viewBox=\"-5 -1 10 9\"><path class=\"mark buy maker\" "
              "d=\"M0 0l4 7h-8z\"/></svg>bought</span>"
              "<span class=\"key\"><svg viewBox=\"-5 -8 10 9\"><path class=\"mark sell maker\" "
              "d=\"M0 0l4 -7h-8z\"/></svg>sold</span>"
              "<span class=\"key\">filled: as maker; hollow: as taker</span>",
              out);
    fputs("<time></time></figcaption>\n", out);
}

static void put_svg(FILE *out, const struct report_plot *p, const struct frame *f)
{
    struct drawn *drawn = calloc(p->curve_count + 1, sizeof *drawn);
    CHECK(drawn != NULL);
    fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
    report_put_html(out, p->title);
    fputs("\">\n", out);
    put_axis_y(out, f);
    put_axis_x(out, p, f);
    for (unsigned i = 0; i < p->curve_count; i++) {
        drawn[i] = drawn_of(&p->curves[i], f);
        put_curve(out, &p->curves[i], f, &drawn[i]);
    }
    if (p->mark_count > 0) {
        put_marks(out, p, f, "sell maker", false);
        put_marks(out, p, f, "sell taker", false);
        put_marks(out, p, f, "buy maker", true);
        put_marks(out, p, f, "buy taker", true);
    }
    fprintf(out, "<path class=\"cursor\" d=\"M0 %dV%d\"/></svg>\n", TOP, BOTTOM);
    put_points(out, p, f, drawn);
    for (unsigned i = 0; i < p->curve_count; i++)
        free(drawn[i].at);
    free(drawn);
}

void report_plot(FILE *out, const struct report_plot *p)
{
    struct frame f;
    fputs("<figure class=\"plot\">", out);
    put_legend(out, p);
    if (frame_of(p, &f)) {
        put_svg(out, p, &f);
    } else {
        fputs("<p class=\"none\">", out);
        report_put_html(out, p->none);
        fputs("</p>", out);
    }
    fputs("</figure>\n", out);
}
