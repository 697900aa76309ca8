#include "cli/simulate_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/clock.h"

enum { ROW_SIZE_MAX = 256 };

static const char *const headers[] = {
    "ts,msg_type,side,price,qty,order_id\n",
    "row,ts,op,order_id,side,price,qty\n",
    "op,id,account,side,type,tif,price,qty\n",
};

static const char *side_word(uint64_t side)
{
    return side == SIDE_BUY ? "buy" : "sell";
}

#define SPOKEN(t) (int)(t).size, (t).data

/* ---- form csv ---- */

static int csv_new(char *row, const struct order_flow_command *c,
                   const struct cluster_symbol *symbol)
{
    const struct new_order *o = &c->command.new_order;
    char price[DECIMAL_TEXT_SIZE] = "", qty[DECIMAL_TEXT_SIZE];
    const char *type = o->type == ORDER_TYPE_MARKET            ? "market"
                       : o->time_in_force == TIME_IN_FORCE_IOC ? "ioc"
                                                               : "add";
    if (o->price.given)
        decimal_from_units(price, o->price.value, &symbol->tick);
    decimal_from_units(qty, o->qty, &symbol->lot);
    return snprintf(row, ROW_SIZE_MAX, "%" PRIu64 ",%s,%s,%s,%s,%.*s\n", c->time_ns, type,
                    side_word(o->side), price, qty, SPOKEN(o->client_order_id));
}

static int csv_row(char *row, uint64_t number, const struct order_flow_command *c,
                   const struct cluster_symbol *symbol)
{
    (void)number;
    if (c->command.type == MESSAGE_NEW_ORDER)
        return csv_new(row, c, symbol);
    if (c->command.type == MESSAGE_CANCEL_ORDER)
        return snprintf(row, ROW_SIZE_MAX, "%" PRIu64 ",cancel,,,,%.*s\n", c->time_ns,
                        SPOKEN(c->command.cancel_order.client_order_id));
    const struct amend_order *a = &c->command.amend_order;
    char price[DECIMAL_TEXT_SIZE] = "", qty[DECIMAL_TEXT_SIZE];
    if (a->price.given)
        decimal_from_units(price, a->price.value, &symbol->tick);
    decimal_from_units(qty, a->qty.value, &symbol->lot);
    return snprintf(row, ROW_SIZE_MAX, "%" PRIu64 ",amend,,%s,%s,%.*s\n", c->time_ns, price, qty,
                    SPOKEN(a->client_order_id));
}

/* ---- form commands: no amends, no market orders ---- */

static int commands_row(char *row, uint64_t number, const struct order_flow_command *c,
                        const struct cluster_symbol *symbol)
{
    (void)symbol;
    uint64_t s = c->time_ns / NS_PER_SECOND, ns = c->time_ns % NS_PER_SECOND;
    const struct new_order *o = &c->command.new_order;
    if (c->command.type == MESSAGE_CANCEL_ORDER)
        /* The form wants all fields; a reader knows these by the order's name. */
        return snprintf(row, ROW_SIZE_MAX,
                        "%" PRIu64 ",%" PRIu64 ".%09" PRIu64 ",cancel,%.*s,buy,0,0\n", number, s,
                        ns, SPOKEN(c->command.cancel_order.client_order_id));
    return snprintf(row, ROW_SIZE_MAX,
                    "%" PRIu64 ",%" PRIu64 ".%09" PRIu64 ",%s,%.*s,%s,%" PRId64 ",%" PRId64 "\n",
                    number, s, ns, o->time_in_force == TIME_IN_FORCE_IOC ? "ioc" : "new",
                    SPOKEN(o->client_order_id), side_word(o->side), o->price.value, o->qty);
}

/* ---- form match ---- */

static int match_row(char *row, uint64_t number, const struct order_flow_command *c,
                     const struct cluster_symbol *symbol)
{
    (void)number, (void)symbol;
    const struct command *m = &c->command;
    char price[24] = "";
    if (m->type == MESSAGE_CANCEL_ORDER)
        return snprintf(row, ROW_SIZE_MAX, "cancel,%.*s,%.*s,,,,,\n",
                        SPOKEN(m->cancel_order.client_order_id), SPOKEN(m->cancel_order.account));
    const struct i64_or_nil *given =
        m->type == MESSAGE_NEW_ORDER ? &m->new_order.price : &m->amend_order.price;
    if (given->given)
        snprintf(price, sizeof price, "%" PRId64, given->value);
    if (m->type == MESSAGE_AMEND_ORDER)
        return snprintf(row, ROW_SIZE_MAX, "amend,%.*s,%.*s,,,,%s,%" PRId64 "\n",
                        SPOKEN(m->amend_order.client_order_id), SPOKEN(m->amend_order.account),
                        price, m->amend_order.qty.value);
    const struct new_order *o = &m->new_order;
    return snprintf(row, ROW_SIZE_MAX, "new,%.*s,%.*s,%s,%s,%s,%s,%" PRId64 "\n",
                    SPOKEN(o->client_order_id), SPOKEN(o->account), side_word(o->side),
                    o->type == ORDER_TYPE_MARKET ? "market" : "limit",
                    o->time_in_force == TIME_IN_FORCE_IOC ? "IOC" : "GTC", price, o->qty);
}

/* ---- the file ---- */

/* zlib writes plain files as well ("T"), so there is one way to write. Its gzip header has no time
 * and no name in it. */
static gzFile open_file(const char *path)
{
    size_t size = strlen(path);
    bool packed = size > 3 && strcmp(path + size - 3, ".gz") == 0;
    if (strcmp(path, "-") == 0)
        return gzdopen(dup(STDOUT_FILENO), "wbT");
    return gzopen(path, packed ? "wb6" : "wbT");
}

static bool write_rows(const struct simulate_options *o, order_flow_t *flow, gzFile file,
                       uint64_t *count, const volatile sig_atomic_t *stop)
{
    static int (*const rows[])(char *, uint64_t, const struct order_flow_command *,
                               const struct cluster_symbol *) = {csv_row, commands_row, match_row};
    char row[ROW_SIZE_MAX];
    if (gzputs(file, headers[o->form]) < 0)
        return false;
    for (*count = 0; *count < o->count_max && !*stop; ++*count) {
        struct order_flow_command c;
        order_flow_next(flow, &c);
        if (c.time_ns - SIMULATE_FILE_START_NS > o->duration_ns)
            break;
        int size = rows[o->form](row, *count + 1, &c, o->chosen[c.symbol]);
        if (gzwrite(file, row, (unsigned)size) != size)
            return false;
    }
    return true;
}

enum status simulate_file_write(const struct simulate_options *o, order_flow_t *flow,
                                const volatile sig_atomic_t *stop)
{
    uint64_t count = 0;
    errno = 0;
    gzFile file = open_file(o->file);
    bool written = file != NULL && write_rows(o, flow, file, &count, stop);
    int error = errno;
    if (file != NULL && gzclose(file) != Z_OK && written) {
        written = false;
        error = errno;
    }
    if (!written) {
        fprintf(stderr, "outcry simulate: cannot write %s: %s\n", o->file,
                strerror(error != 0 ? error : ENOMEM));
        return STATUS_IO;
    }
    fprintf(stderr, "outcry simulate: %" PRIu64 " commands written to %s\n", count, o->file);
    return STATUS_OK;
}
