/* report_sweep: many runs side by side: a row a point, on the terminal and as JSON.
 *
 *     {headline, points: [{values: {NAME: "VALUE"}, figures: {KEY: VALUE}},
 *                         {values: {NAME: "VALUE"}, error: "why"}]}
 */
#include <stdlib.h>
#include <string.h>

#include "backtest/report_json_parts.h"
#include "backtest/report_parts.h"
#include "base/check.h"

const struct report_point *report_sweep_first(const struct report_point *points, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (points[i].figures.spec != NULL)
            return &points[i];
    return NULL;
}

char *report_sweep_headline(const struct report_point *points, unsigned count)
{
    const struct report_point *first = report_sweep_first(points, count);
    return first != NULL ? report_headline(&first->figures)
                         : report_clean("no point of this sweep could be run");
}

const char *report_sweep_value(const char *values, struct report_sweep_value *v)
{
    values += strspn(values, " ");
    if (*values == '\0')
        return NULL;
    size_t name = strcspn(values, "= "), whole = strcspn(values, " ");
    size_t from = values[name] == '=' ? name + 1 : name;
    snprintf(v->name, sizeof v->name, "%.*s", (int)name, values);
    snprintf(v->value, sizeof v->value, "%.*s", (int)(whole - from), values + from);
    return values + whole;
}

/* ---- terminal ---- */

enum { COLUMN = 13 };

static int widest(const struct report_point *points, unsigned count)
{
    size_t width = strlen("point");
    for (unsigned i = 0; i < count; i++) {
        size_t own = strlen(points[i].values);
        width = own > width ? own : width;
    }
    return (int)width;
}

static void put_head(FILE *out, int width)
{
    const struct report_figure *figure;
    fprintf(out, "%-*s", width, "point");
    for (unsigned i = 0; (figure = report_figure_at(i)) != NULL; i++)
        if (figure->swept)
            fprintf(out, "  %*s", COLUMN, figure->key);
    putc('\n', out);
}

static void put_row(FILE *out, const struct report_point *p, int width)
{
    const struct report_figure *figure;
    fprintf(out, "%-*s", width, p->values);
    if (p->figures.spec == NULL) {
        fputs("  failed: ", out);
        report_put_plain(out, p->figures.described);
    }
    for (unsigned i = 0; p->figures.spec != NULL && (figure = report_figure_at(i)) != NULL; i++)
        if (figure->swept)
            fprintf(out, "  %*s", COLUMN, report_value(figure, &p->figures).shown);
    putc('\n', out);
}

void report_sweep_terminal(FILE *out, const struct report_point *points, unsigned count)
{
    char *headline = report_sweep_headline(points, count);
    int width = widest(points, count);
    fprintf(out, "%s\n\n", headline);
    free(headline);
    put_head(out, width);
    for (unsigned i = 0; i < count; i++)
        put_row(out, &points[i], width);
}

/* ---- JSON ---- */

static json_t *point_of(const struct report_point *p)
{
    json_t *o = json_object(), *values = json_object();
    struct report_sweep_value v;
    for (const char *at = p->values; (at = report_sweep_value(at, &v)) != NULL;)
        json_object_set_new(values, v.name, report_json_words(v.value));
    json_object_set_new(o, "values", values);
    if (p->figures.spec != NULL)
        json_object_set_new(o, "figures", report_json_figures(&p->figures));
    else
        json_object_set_new(o, "error", report_json_words(p->figures.described));
    return o;
}

enum status report_sweep_json(FILE *out, const struct report_point *points, unsigned count)
{
    json_t *document = json_object(), *all = json_array();
    char *headline = report_sweep_headline(points, count);
    json_object_set_new(document, "headline", json_string(headline));
    free(headline);
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(all, point_of(&points[i]));
    json_object_set_new(document, "points", all);
    return report_json_write(out, document);
}
