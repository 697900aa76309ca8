/* report_json: a run for programs.
 *
 *     {headline, run: {history, form, mode, latency, seed, events, recorded_refused, short_qty},
 *      strategies: [{headline, name, type, symbol, account, begin, end, ended, described,
 *                    parameters: {NAME: "VALUE"}, limits, fees, figures: {KEY: VALUE},
 *                    notes: [{time, words}], fills: [{time, trade_id, order, ...}]}]}
 *
 * Money, prices and quantities are decimals, as strings, exact; statistics and counts are numbers;
 * what is not defined is null. The keys of `figures` are those of report_figures.c. Orders and
 * curves are in the CSV files. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "backtest/report_json_parts.h"
#include "backtest/report_parts.h"
#include "base/check.h"
#include "proto/catalog.h"

json_t *report_json_words(const char *words)
{
    char *clean = report_clean(words);
    json_t *text = json_string(clean);
    CHECK(text != NULL);
    free(clean);
    return text;
}

static json_t *time_of(uint64_t time_ns)
{
    char text[REPORT_TEXT_SIZE];
    report_time(text, time_ns);
    return json_string(text);
}

static json_t *number_of(uint64_t number)
{
    return json_integer((json_int_t)number);
}

json_t *report_json_figures(const struct result_figures *f)
{
    json_t *all = json_object();
    const struct report_figure *figure;
    for (unsigned i = 0; (figure = report_figure_at(i)) != NULL; i++) {
        struct report_value v = report_value(figure, f);
        json_t *value = !v.given                       ? json_null()
                        : v.exact                      ? json_string(v.text)
                        : figure->kind == REPORT_COUNT ? number_of((uint64_t)v.number)
                                                       : json_real(v.number);
        CHECK(json_object_set_new(all, figure->key, value) == 0);
    }
    return all;
}

enum status report_json_write(FILE *out, json_t *document)
{
    bool written = json_dumpf(document, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) == 0 &&
                   putc('\n', out) != EOF && fflush(out) == 0;
    json_decref(document);
    return written ? STATUS_OK : STATUS_IO;
}

/* ---- of a run ---- */

static json_t *run_of(const struct report_run *run)
{
    json_t *o = json_object();
    json_object_set_new(o, "history", report_json_words(run->history));
    json_object_set_new(o, "form", report_json_words(run->form));
    json_object_set_new(o, "mode", report_json_words(run->mode));
    json_object_set_new(o, "latency", report_json_words(run->latency));
    json_object_set_new(o, "seed", report_json_words(run->seed));
    json_object_set_new(o, "events", number_of(run->events));
    json_object_set_new(o, "recorded_refused", number_of(run->recorded_refused));
    json_object_set_new(o, "short_qty", report_json_words(run->short_qty));
    return o;
}

static json_t *parameters_of(const struct parameters *p)
{
    json_t *o = json_object();
    for (unsigned i = 0; i < p->count; i++)
        json_object_set_new(o, p->table[i].name, report_json_words(p->values[i].text));
    return o;
}

static json_t *lots_or_null(const struct strategy_symbol *s, int64_t lots)
{
    char text[REPORT_TEXT_SIZE];
    report_qty(text, s, lots);
    return lots != 0 ? json_string(text) : json_null();
}

static json_t *limits_of(const struct strategy_spec *spec)
{
    json_t *o = json_object();
    char loss[REPORT_TEXT_SIZE];
    report_money(loss, &spec->symbol, spec->limits.loss_max);
    json_object_set_new(o, "position_max", lots_or_null(&spec->symbol, spec->limits.position_max));
    json_object_set_new(o, "order_max", lots_or_null(&spec->symbol, spec->limits.order_max));
    json_object_set_new(o, "loss_max", spec->limits.has_loss_max ? json_string(loss) : json_null());
    json_object_set_new(o, "messages_per_second",
                        spec->limits.messages_per_second != 0
                            ? number_of(spec->limits.messages_per_second)
                            : json_null());
    return o;
}

static json_t *fees_of(const struct fees *fees)
{
    json_t *o = json_object();
    json_object_set_new(o, "maker_ppm", json_integer(fees->maker_ppm));
    json_object_set_new(o, "taker_ppm", json_integer(fees->taker_ppm));
    return o;
}

static json_t *notes_of(const result_log_t *log)
{
    json_t *all = json_array();
    size_t count;
    const struct result_note *notes = result_log_notes(log, &count);
    for (size_t i = 0; i < count; i++) {
        json_t *o = json_object();
        json_object_set_new(o, "time", time_of(notes[i].time_ns));
        json_object_set_new(o, "words", report_json_words(notes[i].words));
        json_array_append_new(all, o);
    }
    return all;
}

static json_t *fill_of(const struct strategy_symbol *s, const struct result_fill *f)
{
    char price[REPORT_TEXT_SIZE], qty[REPORT_TEXT_SIZE], position[REPORT_TEXT_SIZE];
    report_price(price, s, f->price);
    report_qty(qty, s, f->qty);
    report_qty(position, s, f->position);
    json_t *o = json_object();
    json_object_set_new(o, "time", time_of(f->time_ns));
    json_object_set_new(o, "trade_id", number_of(f->trade_id));
    json_object_set_new(o, "order", number_of(f->order));
    json_object_set_new(o, "side", json_string(catalog_value_text(KIND_side, f->side)));
    json_object_set_new(o, "liquidity", json_string(f->maker ? "maker" : "taker"));
    json_object_set_new(o, "price", json_string(price));
    json_object_set_new(o, "qty", json_string(qty));
    json_object_set_new(o, "position", json_string(position));
    return o;
}

static json_t *fills_of(const struct strategy_symbol *s, const result_log_t *log)
{
    json_t *all = json_array();
    size_t count;
    const struct result_fill *fills = result_log_fills(log, &count);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(all, fill_of(s, &fills[i]));
    return all;
}

static json_t *headline_of(const struct result_figures *f)
{
    char *line = report_headline(f);
    json_t *text = json_string(line);
    free(line);
    return text;
}

static json_t *strategy_of(const result_log_t *log, const struct result_figures *f)
{
    const struct strategy_spec *spec = f->spec;
    json_t *o = json_object();
    json_object_set_new(o, "headline", headline_of(f));
    json_object_set_new(o, "name", report_json_words(spec->name));
    json_object_set_new(o, "type", report_json_words(spec->type));
    json_object_set_new(o, "symbol", report_json_words(spec->symbol.name));
    json_object_set_new(o, "account", report_json_words(spec->account));
    json_object_set_new(o, "begin", time_of(f->begin_ns));
    json_object_set_new(o, "end", time_of(f->end_ns));
    json_object_set_new(o, "ended", report_json_words(f->ended));
    json_object_set_new(o, "described", report_json_words(f->described));
    json_object_set_new(o, "parameters", parameters_of(&spec->parameters));
    json_object_set_new(o, "limits", limits_of(spec));
    json_object_set_new(o, "fees", fees_of(&spec->fees));
    json_object_set_new(o, "figures", report_json_figures(f));
    json_object_set_new(o, "notes", notes_of(log));
    json_object_set_new(o, "fills", fills_of(&spec->symbol, log));
    return o;
}

enum status report_json(FILE *out, const struct report_run *run, result_log_t *const *logs,
                        const struct result_figures *const *figures, unsigned count)
{
    json_t *document = json_object(), *all = json_array();
    json_object_set_new(document, "headline", headline_of(figures[0]));
    json_object_set_new(document, "run", run_of(run));
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(all, strategy_of(logs[i], figures[i]));
    json_object_set_new(document, "strategies", all);
    return report_json_write(out, document);
}
