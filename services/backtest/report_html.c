/* report_html: a run as a page: the first figures, the plots, all figures with what they are, how
 * it was run and what was noted. The same run gives the same bytes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backtest/report_parts.h"
#include "base/check.h"

/* ---- what the plots draw ---- */

struct curves {
    double *x, *mid, *position, *total, *realised, *drawdown;
    size_t count;
};

static double *numbers(size_t count)
{
    double *values = calloc(count + 1, sizeof *values);
    CHECK(values != NULL);
    return values;
}

static double seconds_after(uint64_t begin_ns, uint64_t time_ns)
{
    return time_ns > begin_ns ? (double)(time_ns - begin_ns) / 1e9 : 0;
}

static struct curves curves_of(const result_log_t *log, const struct result_figures *f)
{
    const struct parameter_units *units = &f->spec->symbol.units;
    double tick = report_unit(&units->tick), lot = report_unit(&units->lot);
    double money = tick * lot / 2e6;
    struct curves c = {.count = 0};
    const struct result_point *points = result_log_points(log, &c.count);
    c.x = numbers(c.count);
    c.mid = numbers(c.count);
    c.position = numbers(c.count);
    c.total = numbers(c.count);
    c.realised = numbers(c.count);
    c.drawdown = numbers(c.count);
    for (size_t i = 0; i < c.count; i++) {
        const struct result_point *p = &points[i];
        c.x[i] = seconds_after(f->begin_ns, p->time_ns);
        c.mid[i] = p->twice_mid != 0 ? (double)p->twice_mid / 2 * tick : NAN;
        c.position[i] = (double)p->position * lot;
        c.total[i] = (double)p->total * money;
        c.realised[i] = (double)p->realised * money;
        c.drawdown[i] = p->drawdown != 0 ? -(double)p->drawdown * money : 0;
    }
    return c;
}

static void free_curves(struct curves *c)
{
    free(c->x);
    free(c->mid);
    free(c->position);
    free(c->total);
    free(c->realised);
    free(c->drawdown);
}

static struct report_mark *marks_of(const result_log_t *log, const struct result_figures *f,
                                    size_t *count)
{
    static const char *const styles[2][2] = {{"buy taker", "buy maker"},
                                             {"sell taker", "sell maker"}};
    const struct result_fill *fills = result_log_fills(log, count);
    struct report_mark *marks = calloc(*count + 1, sizeof *marks);
    CHECK(marks != NULL);
    double tick = report_unit(&f->spec->symbol.units.tick);
    for (size_t i = 0; i < *count; i++)
        marks[i] = (struct report_mark){
            .x = seconds_after(f->begin_ns, fills[i].time_ns),
            .y = (double)fills[i].price * tick,
            .style = styles[fills[i].side - SIDE_BUY][fills[i].maker],
        };
    return marks;
}

static void put_plots(FILE *out, const result_log_t *log, const struct result_figures *f)
{
    struct curves c = curves_of(log, f);
    size_t mark_count;
    struct report_mark *marks = marks_of(log, f, &mark_count);
    unsigned price_digits = f->spec->symbol.units.tick.scale + 1;
    unsigned money_digits = price_digits > 2 ? price_digits : 2;
    unsigned lot_digits = f->spec->symbol.units.lot.scale;
    struct report_plot plot = {
        .time = true,
        .begin_ns = f->begin_ns,
        .x_high = seconds_after(f->begin_ns, f->end_ns),
        .curve_count = 1,
        .none = "Nothing to draw: the run took no time.",
    };
    struct report_curve mid = {"mid", "line", true, false, price_digits, c.x, c.mid, c.count};
    struct report_plot price = plot;
    price.title = "Price";
    price.curves = &mid;
    price.marks = marks;
    price.mark_count = mark_count;
    price.none = "Nothing to draw: the market never had a bid and an offer.";
    report_plot(out, &price);

    plot.zero = true;
    struct report_curve held = {"held", "area", true, false, lot_digits, c.x, c.position, c.count};
    plot.title = "Inventory";
    plot.curves = &held;
    report_plot(out, &plot);

    struct report_curve pnl[] = {
        {"realised, after fees", "dashed", true, false, money_digits, c.x, c.realised, c.count},
        {"total", "accent", true, false, money_digits, c.x, c.total, c.count},
    };
    plot.title = "Profit and loss";
    plot.curves = pnl;
    plot.curve_count = 2;
    report_plot(out, &plot);

    struct report_curve below = {
        "below the highest before", "area", true, false, money_digits, c.x, c.drawdown, c.count};
    plot.title = "Drawdown";
    plot.curves = &below;
    plot.curve_count = 1;
    report_plot(out, &plot);
    free(marks);
    free_curves(&c);
}

/* ---- figures ---- */

static bool is_tile(const struct report_figure *figure)
{
    static const char *const keys[] = {"pnl",      "pnl_realised", "fees",       "drawdown_max",
                                       "position", "fills",        "fill_ratio", "slippage_vwap",
                                       "sharpe",   "turnover"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(figure->key, keys[i]) == 0)
            return true;
    return false;
}

static void put_tiles(FILE *out, const struct result_figures *f)
{
    const struct report_figure *figure;
    fputs("<dl class=\"tiles\">\n", out);
    for (unsigned i = 0; (figure = report_figure_at(i)) != NULL; i++) {
        struct report_value v = report_value(figure, f);
        if (!is_tile(figure))
            continue;
        fputs(i == 0 ? "<div class=\"first\"><dt>" : "<div><dt>", out);
        report_put_html(out, figure->label);
        fprintf(out, "</dt><dd title=\"%s\">%s</dd></div>\n", v.text, v.shown);
    }
    fputs("</dl>\n", out);
}

static void put_figures(FILE *out, const struct result_figures *f)
{
    const struct report_figure *figure;
    int group = -1;
    fputs("<h2>Figures</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>Figure</th>"
          "<th class=\"n\">Value</th><th>What it is</th></tr></thead>\n<tbody>\n",
          out);
    for (unsigned i = 0; (figure = report_figure_at(i)) != NULL; i++) {
        if ((int)figure->group != group) {
            group = (int)figure->group;
            fprintf(out, "<tr class=\"group\"><th colspan=\"3\">%s</th></tr>\n",
                    report_group_name(figure->group));
        }
        struct report_value v = report_value(figure, f);
        fputs("<tr><th scope=\"row\">", out);
        report_put_html(out, figure->label);
        fprintf(out, "</th><td class=\"n\" title=\"%s\">%s</td><td class=\"what\">", v.text,
                v.shown);
        report_put_html(out, figure->meaning);
        fputs("</td></tr>\n", out);
    }
    fputs("</tbody>\n</table></div>\n", out);
}

/* ---- what it was ---- */

static void put_row(FILE *out, const char *name, const char *value, const char *unit,
                    const char *what)
{
    fputs("<tr><th scope=\"row\">", out);
    report_put_html(out, name);
    fputs("</th><td class=\"n\">", out);
    report_put_html(out, value[0] != '\0' ? value : "-");
    fputs("</td><td class=\"what\">", out);
    report_put_html(out, unit);
    fputs("</td><td class=\"what\">", out);
    report_put_html(out, what);
    fputs("</td></tr>\n", out);
}

static void put_limits(FILE *out, const struct strategy_spec *spec)
{
    const struct strategy_limits *l = &spec->limits;
    char text[REPORT_TEXT_SIZE] = "";
    if (l->position_max != 0)
        report_qty(text, &spec->symbol, l->position_max);
    put_row(out, "position_max", text, "base", "Limit: position, long or short, open included.");
    text[0] = '\0';
    if (l->order_max != 0)
        report_qty(text, &spec->symbol, l->order_max);
    put_row(out, "order_max", text, "base", "Limit: one order.");
    text[0] = '\0';
    if (l->has_loss_max)
        report_money(text, &spec->symbol, l->loss_max);
    put_row(out, "loss_max", text, "quote", "Limit: loss after fees, marked at the mid.");
    text[0] = '\0';
    if (l->messages_per_second != 0)
        snprintf(text, sizeof text, "%u", (unsigned)l->messages_per_second);
    put_row(out, "messages_per_second", text, "1/s", "Limit: commands, cancels excepted.");
    snprintf(text, sizeof text, "%.4g", (double)spec->fees.maker_ppm / 100);
    put_row(out, "maker_fee", text, "bp", "Of the notional, for resting; below zero: a rebate.");
    snprintf(text, sizeof text, "%.4g", (double)spec->fees.taker_ppm / 100);
    put_row(out, "taker_fee", text, "bp", "Of the notional, for taking.");
    report_qty(text, &spec->symbol, spec->inventory);
    put_row(out, "inventory", text, "base", "What it begins with.");
}

static void put_parameters(FILE *out, const struct strategy_spec *spec)
{
    fputs("<h2>Parameters</h2>\n<div class=\"wide\"><table>\n<thead><tr><th>Parameter</th>"
          "<th class=\"n\">Value</th><th>Unit</th><th>What it is</th></tr></thead>\n<tbody>\n",
          out);
    for (unsigned i = 0; i < spec->parameters.count; i++) {
        const struct parameter *p = &spec->parameters.table[i];
        put_row(out, p->name, spec->parameters.values[i].text, p->unit != NULL ? p->unit : "",
                p->summary != NULL ? p->summary : "");
    }
    put_limits(out, spec);
    fputs("</tbody>\n</table></div>\n", out);
}

static void put_facts(FILE *out, const struct result_figures *f)
{
    char text[REPORT_TEXT_SIZE];
    fputs("<h2>The run</h2>\n<dl class=\"facts\">\n", out);
    report_page_fact(out, "Strategy", f->spec->name);
    report_page_fact(out, "Account", f->spec->account);
    report_time(text, f->begin_ns);
    report_page_fact(out, "Began", text);
    report_time(text, f->end_ns);
    report_page_fact(out, "Ended", text);
    report_page_fact(out, "Why", f->ended[0] != '\0' ? f->ended : "-");
    fputs("</dl>\n", out);
}

static void put_notes(FILE *out, const result_log_t *log)
{
    size_t count;
    const struct result_note *notes = result_log_notes(log, &count);
    if (count == 0)
        return;
    fputs("<h2>Notes</h2>\n<dl class=\"facts\">\n", out);
    for (size_t i = 0; i < count && i < REPORT_NOTES_SHOWN; i++) {
        char time[REPORT_TEXT_SIZE];
        report_time_shown(time, notes[i].time_ns);
        report_page_fact(out, time, notes[i].words);
    }
    fputs("</dl>\n", out);
    if (count > REPORT_NOTES_SHOWN)
        fprintf(out, "<p class=\"what\">%zu more notes are in the JSON form.</p>\n",
                count - REPORT_NOTES_SHOWN);
}

static void put_section(FILE *out, const result_log_t *log, const struct result_figures *f)
{
    fputs("<section>\n", out);
    report_page_title(out, f, "");
    put_tiles(out, f);
    put_plots(out, log, f);
    put_figures(out, f);
    put_parameters(out, f->spec);
    put_facts(out, f);
    put_notes(out, log);
    fputs("</section>\n", out);
}

enum status report_html(FILE *out, const struct report_run *run, result_log_t *const *logs,
                        const struct result_figures *const *figures, unsigned count)
{
    char *headline = report_headline(figures[0]);
    report_page_begin(out, headline);
    free(headline);
    for (unsigned i = 0; i < count; i++)
        put_section(out, logs[i], figures[i]);
    report_page_run(out, run);
    report_page_end(out);
    return fflush(out) == 0 && !ferror(out) ? STATUS_OK : STATUS_IO;
}
