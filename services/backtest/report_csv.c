/* report_csv: what is too long for the eye, as files. The first line of each is a comment with the
 * headline, `# ...`, the second names the columns; times are Unix ns, an empty cell is nil. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backtest/report_parts.h"
#include "base/check.h"
#include "proto/catalog.h"

enum { PATH_MAX_SIZE = 4096 };

static FILE *open_file(const char *directory, const char *name, const struct result_figures *f,
                       const char *columns)
{
    char path[PATH_MAX_SIZE];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, name) >= sizeof path) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    FILE *out = fopen(path, "w");
    if (out == NULL)
        return NULL;
    char *headline = report_headline(f);
    fprintf(out, "# %s\n%s\n", headline, columns);
    free(headline);
    return out;
}

/* STATUS_IO with the errno of what failed first. */
static enum status close_file(FILE *out)
{
    int before = ferror(out) ? errno : 0;
    int failed = fclose(out);
    if (before != 0)
        errno = before;
    return before != 0 || failed != 0 ? STATUS_IO : STATUS_OK;
}

static enum status put_fills(const char *directory, const result_log_t *log,
                             const struct result_figures *f)
{
    const struct strategy_symbol *s = &f->spec->symbol;
    FILE *out = open_file(directory, "fills.csv", f,
                          "time_ns,trade_id,order,side,liquidity,price,qty,position");
    if (out == NULL)
        return STATUS_IO;
    size_t count;
    const struct result_fill *fills = result_log_fills(log, &count);
    for (size_t i = 0; i < count && !ferror(out); i++) {
        const struct result_fill *fill = &fills[i];
        char price[REPORT_TEXT_SIZE], qty[REPORT_TEXT_SIZE], position[REPORT_TEXT_SIZE];
        report_price(price, s, fill->price);
        report_qty(qty, s, fill->qty);
        report_qty(position, s, fill->position);
        fprintf(out, "%" PRIu64 ",%" PRIu64 ",%" PRIu32 ",%s,%s,%s,%s,%s\n", fill->time_ns,
                fill->trade_id, fill->order, catalog_value_text(KIND_side, fill->side),
                fill->maker ? "maker" : "taker", price, qty, position);
    }
    return close_file(out);
}

static void put_time(FILE *out, uint64_t time_ns)
{
    if (time_ns != 0)
        fprintf(out, "%" PRIu64, time_ns);
    putc(',', out);
}

static void put_order(FILE *out, const struct strategy_symbol *s, const struct result_order *o)
{
    static const char *const states[] = {"sent", "working", "done"};
    char price[REPORT_TEXT_SIZE] = "", ahead[REPORT_TEXT_SIZE] = "";
    char qty[REPORT_TEXT_SIZE], filled[REPORT_TEXT_SIZE];
    if (o->type != ORDER_TYPE_MARKET)
        report_price(price, s, o->price);
    if (o->ahead >= 0)
        report_qty(ahead, s, o->ahead);
    report_qty(qty, s, o->qty);
    report_qty(filled, s, o->filled_qty);
    fprintf(out, "%" PRIu32 ",", o->number);
    put_time(out, o->placed_ns);
    put_time(out, o->rested_ns);
    put_time(out, o->filled_ns);
    put_time(out, o->done_ns);
    fprintf(out, "%s,%s,%s,%s,%s,%s,%s,%s,%s,%s\n", catalog_value_text(KIND_side, o->side),
            catalog_value_text(KIND_order_type, o->type),
            catalog_value_text(KIND_time_in_force, o->time_in_force),
            o->post_only ? "post_only" : "", price, qty, filled, ahead, states[o->state],
            report_refusal(o));
}

static enum status put_orders(const char *directory, const result_log_t *log,
                              const struct result_figures *f)
{
    FILE *out = open_file(directory, "orders.csv", f,
                          "order,placed_ns,rested_ns,filled_ns,done_ns,side,type,time_in_force,"
                          "post_only,price,qty,filled_qty,ahead,state,reason");
    if (out == NULL)
        return STATUS_IO;
    size_t count;
    const struct result_order *orders = result_log_orders(log, &count);
    for (size_t i = 0; i < count && !ferror(out); i++)
        put_order(out, &f->spec->symbol, &orders[i]);
    return close_file(out);
}

static enum status put_curve(const char *directory, const result_log_t *log,
                             const struct result_figures *f)
{
    const struct strategy_symbol *s = &f->spec->symbol;
    FILE *out =
        open_file(directory, "curve.csv", f, "time_ns,mid,position,pnl,pnl_realised_net,drawdown");
    if (out == NULL)
        return STATUS_IO;
    size_t count;
    const struct result_point *points = result_log_points(log, &count);
    for (size_t i = 0; i < count && !ferror(out); i++) {
        const struct result_point *p = &points[i];
        char mid[REPORT_TEXT_SIZE] = "", position[REPORT_TEXT_SIZE], total[REPORT_TEXT_SIZE];
        char realised[REPORT_TEXT_SIZE], drawdown[REPORT_TEXT_SIZE];
        if (p->twice_mid != 0)
            report_price_halves(mid, s, p->twice_mid);
        report_qty(position, s, p->position);
        report_money_fine(total, s, p->total);
        report_money_fine(realised, s, p->realised);
        report_money_fine(drawdown, s, p->drawdown);
        fprintf(out, "%" PRIu64 ",%s,%s,%s,%s,%s\n", p->time_ns, mid, position, total, realised,
                drawdown);
    }
    return close_file(out);
}

static enum status put_all(const char *directory, const result_log_t *log,
                           const struct result_figures *f)
{
    enum status status = put_fills(directory, log, f);
    if (status == STATUS_OK)
        status = put_orders(directory, log, f);
    if (status == STATUS_OK)
        status = put_curve(directory, log, f);
    return status;
}

enum status report_csv(const char *directory, result_log_t *const *logs,
                       const struct result_figures *const *figures, unsigned count)
{
    if (count == 1)
        return put_all(directory, logs[0], figures[0]);
    for (unsigned i = 0; i < count; i++) {
        char own[PATH_MAX_SIZE];
        if ((size_t)snprintf(own, sizeof own, "%s/%s", directory, figures[i]->spec->name) >=
            sizeof own) {
            errno = ENAMETOOLONG;
            return STATUS_IO;
        }
        if (mkdir(own, 0777) != 0 && errno != EEXIST)
            return STATUS_IO;
        if (put_all(own, logs[i], figures[i]) != STATUS_OK)
            return STATUS_IO;
    }
    return STATUS_OK;
}
