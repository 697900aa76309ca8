/* report_sweep_html: a sweep as a page: what changes with the parameter as plots, and all points as
 * a table that sorts by any column. Points that differ in other parameters besides the first are
 * curves of their own. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backtest/report_parts.h"
#include "base/check.h"

enum { CURVES_MAX = 8 }; /* of a plot: more cannot be told apart */

/* What a point's values are besides the first one's. */
static const char *others_of(const struct report_point *p)
{
    struct report_sweep_value v;
    const char *at = report_sweep_value(p->values, &v);
    return at != NULL ? at + strspn(at, " ") : "";
}

/* ---- plots ---- */

struct family {
    const char *others; /* what its points share */
    double *x, *y;
    size_t count;
};

static double value_of(const struct report_figure *figure, const struct report_point *p)
{
    if (p->figures.spec == NULL)
        return NAN;
    struct report_value v = report_value(figure, &p->figures);
    return v.given ? v.number : NAN;
}

static struct family *family_of(struct family *families, unsigned *count, const char *others,
                                unsigned point_count)
{
    for (unsigned i = 0; i < *count; i++)
        if (strcmp(families[i].others, others) == 0)
            return &families[i];
    if (*count == CURVES_MAX)
        return NULL;
    struct family *f = &families[(*count)++];
    *f = (struct family){.others = others};
    f->x = calloc(point_count, sizeof *f->x);
    f->y = calloc(point_count, sizeof *f->y);
    CHECK(f->x != NULL && f->y != NULL);
    return f;
}

/* Points come in the order of their values, which may fall: a curve has them ascending. */
static void put_in(struct family *f, double x, double y)
{
    size_t at = f->count++;
    for (; at > 0 && f->x[at - 1] > x; at--) {
        f->x[at] = f->x[at - 1];
        f->y[at] = f->y[at - 1];
    }
    f->x[at] = x;
    f->y[at] = y;
}

static void put_plot(FILE *out, const struct report_figure *figure,
                     const struct report_point *points, unsigned count)
{
    struct family families[CURVES_MAX];
    struct report_curve curves[CURVES_MAX];
    struct report_plot plot = {
        .title = figure->label,
        .x_low = points[0].x,
        .x_high = points[0].x,
        .curves = curves,
        .none = "Nothing to draw: it is not defined for any point.",
    };
    for (unsigned i = 0; i < count; i++) {
        double x = points[i].x;
        plot.x_low = x < plot.x_low ? x : plot.x_low;
        plot.x_high = x > plot.x_high ? x : plot.x_high;
        struct family *f = family_of(families, &plot.curve_count, others_of(&points[i]), count);
        if (f != NULL)
            put_in(f, x, value_of(figure, &points[i]));
    }
    for (unsigned i = 0; i < plot.curve_count; i++)
        curves[i] = (struct report_curve){
            .name = families[i].others,
            .style = i == 0 ? "accent" : "line",
            .dots = true,
            .digits = 4,
            .x = families[i].x,
            .y = families[i].y,
            .count = families[i].count,
        };
    report_plot(out, &plot);
    for (unsigned i = 0; i < plot.curve_count; i++) {
        free(families[i].x);
        free(families[i].y);
    }
}

static bool is_plotted(const struct report_figure *figure)
{
    static const char *const keys[] = {"pnl",   "drawdown_max", "sharpe",
                                       "fills", "fill_ratio",   "slippage_vwap"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(figure->key, keys[i]) == 0)
            return true;
    return false;
}

static void put_plots(FILE *out, const char *parameter, const struct report_point *points,
                      unsigned count)
{
    const struct report_figure *figure;
    fputs("<h2>Against ", out);
    report_put_html(out, parameter);
    fputs("</h2>\n<div class=\"small\">\n", out);
    for (unsigned i = 0; count > 0 && (figure = report_figure_at(i)) != NULL; i++)
        if (is_plotted(figure))
            put_plot(out, figure, points, count);
    fputs("</div>\n", out);
}

/* ---- the table ---- */

static void put_column(FILE *out, const char *name, const char *what)
{
    fputs("<th class=\"n\" title=\"", out);
    report_put_html(out, what);
    fputs("\"><button>", out);
    report_put_html(out, name);
    fputs("</button></th>", out);
}

static void put_head(FILE *out, const char *values)
{
    const struct report_figure *figure;
    struct report_sweep_value v;
    fputs("<thead><tr>", out);
    for (const char *at = values; (at = report_sweep_value(at, &v)) != NULL;)
        put_column(out, v.name, "swept");
    for (unsigned i = 0; (figure = report_figure_at(i)) != NULL; i++)
        if (figure->swept)
            put_column(out, figure->label, figure->meaning);
    fputs("</tr></thead>\n", out);
}

static void put_row(FILE *out, const struct report_point *p)
{
    const struct report_figure *figure;
    struct report_sweep_value value;
    unsigned swept = 0;
    fputs("<tr>", out);
    for (const char *at = p->values; (at = report_sweep_value(at, &value)) != NULL;) {
        fprintf(out, "<td class=\"n\" data-v=\"%.17g\">", strtod(value.value, NULL));
        report_put_html(out, value.value);
        fputs("</td>", out);
    }
    for (unsigned i = 0; (figure = report_figure_at(i)) != NULL; i++) {
        if (!figure->swept)
            continue;
        swept++;
        if (p->figures.spec == NULL)
            continue;
        struct report_value v = report_value(figure, &p->figures);
        if (v.given)
            fprintf(out, "<td class=\"n\" data-v=\"%.17g\" title=\"%s\">%s</td>", v.number, v.text,
                    v.shown);
        else
            fputs("<td class=\"n\">-</td>", out);
    }
    if (p->figures.spec == NULL) {
        fprintf(out, "<td class=\"failed\" colspan=\"%u\">failed: ", swept);
        report_put_html(out, p->figures.described);
        fputs("</td>", out);
    }
    fputs("</tr>\n", out);
}

static void put_title(FILE *out, const char *parameter, const struct report_point *points,
                      unsigned count)
{
    const struct report_point *first = report_sweep_first(points, count);
    char more[256];
    if (first == NULL) {
        fputs("<h1>No point of this sweep could be run</h1>\n", out);
        return;
    }
    snprintf(more, sizeof more, "A sweep of %u %s over %.128s; the line above is of %.64s.", count,
             count == 1 ? "point" : "points", parameter, first->values);
    report_page_title(out, &first->figures, more);
}

enum status report_sweep_html(FILE *out, const struct report_run *run, const char *parameter,
                              const struct report_point *points, unsigned count)
{
    char *headline = report_sweep_headline(points, count);
    report_page_begin(out, headline);
    free(headline);
    fputs("<section>\n", out);
    put_title(out, parameter, points, count);
    put_plots(out, parameter, points, count);
    fputs("<h2>Points</h2>\n<div class=\"wide\"><table class=\"sorts\">\n", out);
    put_head(out, count > 0 ? points[0].values : "");
    fputs("<tbody>\n", out);
    for (unsigned i = 0; i < count; i++)
        put_row(out, &points[i]);
    fputs("</tbody>\n</table></div>\n", out);
    report_page_run(out, run);
    fputs("</section>\n", out);
    report_page_end(out);
    return fflush(out) == 0 && !ferror(out) ? STATUS_OK : STATUS_IO;
}
