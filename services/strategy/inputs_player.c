/* inputs_player: a recorded run, given to a host again. One record is read ahead, so that each
 * command the host answers is held against the record it must be, and one that it does not answer
 * is found when the next input is due. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "proto/printer.h"
#include "strategy/inputs_record.h"

enum { COMMAND_WORDS_SIZE = 400 };

struct record {
    uint8_t bytes[RECORD_SIZE_MAX];
    size_t size;
    uint64_t kind, now_ns;
    struct wire_reader fields;
};

struct inputs_player {
    struct inputs_reader reader;
    struct strategy_spec *specs;
    unsigned count;
    uint64_t session;
    bool ahead;             /* `next` is read, and not used yet */
    bool over;              /* there is no next one */
    struct record next;     /* as `ahead` says */
    struct record given;    /* whose input the host has */
    enum inputs_step fault; /* INPUTS_DIFFERS or _INVALID once it is; reader.error says */
    bool started;
    struct inputs_end end;
};

/* ---- reading ---- */

static void record_parse(struct record *d)
{
    d->fields = (struct wire_reader){d->bytes, d->bytes + d->size, false};
    wire_get_array(&d->fields);
    d->kind = wire_get_u64(&d->fields, 0);
    wire_get_u64(&d->fields, 0); /* n, which the reader has checked */
    d->now_ns = wire_get_u64(&d->fields, 0);
}

static bool invalid(inputs_player_t *p)
{
    p->fault = INPUTS_INVALID;
    return false;
}

/* False: there is no next record, or it is damaged. */
static bool look(inputs_player_t *p)
{
    if (p->ahead)
        return true;
    if (p->over || p->fault != INPUTS_MORE)
        return false;
    struct record *d = &p->next;
    switch (inputs_reader_next(&p->reader, d->bytes, sizeof d->bytes, &d->size)) {
    case RECORD_WRONG:
        return invalid(p);
    case RECORD_NONE:
        p->over = true;
        p->end.torn = !p->reader.ended;
        return false;
    case RECORD_READ:
        break;
    }
    record_parse(d);
    p->ahead = true;
    return true;
}

/* ---- opening ---- */

static bool read_specs(inputs_player_t *p, struct wire_reader *r)
{
    char words[STRATEGY_SPEC_ERROR_SIZE];
    for (unsigned i = 0; i < p->count; i++) {
        struct bytes spec = wire_get_bytes(r, STRATEGY_SPEC_SIZE_MAX);
        if (r->bad)
            return inputs_reader_wrong(&p->reader, "found no strategy %u, expected %u of them",
                                       i + 1, p->count);
        if (!strategy_spec_read(&p->specs[i], spec.data, spec.size, words))
            return inputs_reader_wrong(&p->reader, "strategy %u: %.600s", i + 1, words);
    }
    return true;
}

static bool take_run(inputs_player_t *p, const uint8_t *bytes, size_t size)
{
    struct wire_reader r = {bytes, bytes + size, false};
    wire_get_array(&r);
    uint64_t kind = wire_get_u64(&r, 0);
    wire_get_u64(&r, 0); /* n */
    wire_get_u64(&r, 0); /* now_ns: there was no time yet */
    p->session = wire_get_u64(&r, (uint64_t)1 << 40);
    p->count = (unsigned)wire_get_u64(&r, STRATEGIES_MAX);
    if (r.bad || kind != RECORD_RUN || p->session == 0 || p->count == 0)
        return inputs_reader_wrong(&p->reader, "found something else, expected which strategies "
                                               "ran, and their session");
    return read_specs(p, &r);
}

static bool read_run(inputs_player_t *p)
{
    size_t size;
    uint8_t *bytes = memory_new(RECORD_RUN_SIZE_MAX, 1, "the first record of inputs");
    enum record_read read = inputs_reader_next(&p->reader, bytes, RECORD_RUN_SIZE_MAX, &size);
    bool good = read == RECORD_READ && take_run(p, bytes, size);
    if (read == RECORD_NONE)
        inputs_reader_wrong(&p->reader, "found its end, expected which strategies ran");
    memory_free(bytes, RECORD_RUN_SIZE_MAX, 1);
    return good;
}

enum status inputs_player_open(inputs_player_t **player, const char *path,
                               char error[INPUTS_ERROR_SIZE])
{
    inputs_player_t *p = memory_new(1, sizeof *p, "the player of inputs");
    p->specs = memory_new(STRATEGIES_MAX, sizeof *p->specs, "strategies");
    p->fault = INPUTS_MORE;
    enum status status = inputs_reader_open(&p->reader, path);
    if (status == STATUS_OK && !read_run(p))
        status = STATUS_INVALID;
    *player = p;
    if (status != STATUS_OK) {
        snprintf(error, INPUTS_ERROR_SIZE, "%s", p->reader.error);
        inputs_player_close(player);
    }
    return status;
}

void inputs_player_close(inputs_player_t **player)
{
    inputs_player_t *p = *player;
    if (p == NULL)
        return;
    inputs_reader_close(&p->reader);
    memory_free(p->specs, STRATEGIES_MAX, sizeof *p->specs);
    memory_free(p, 1, sizeof *p);
    *player = NULL;
}

const struct strategy_spec *inputs_player_specs(const inputs_player_t *p, unsigned *count)
{
    *count = p->count;
    return p->specs;
}

uint64_t inputs_player_session(const inputs_player_t *p)
{
    return p->session;
}

uint64_t inputs_player_size(const inputs_player_t *p)
{
    return p->reader.size;
}

uint64_t inputs_player_at(const inputs_player_t *p)
{
    return p->reader.at;
}

struct inputs_end inputs_player_end(const inputs_player_t *p)
{
    return p->end;
}

/* ---- commands ---- */

/* A command for people; its envelope, which is empty, is left out. */
static void command_words(char words[COMMAND_WORDS_SIZE], struct bytes command)
{
    struct wire_reader r = {command.data, command.data + command.size, false};
    struct envelope envelope;
    wire_get_array(&r);
    wire_get_u64(&r, 0); /* the version */
    uint64_t type = wire_get_u64(&r, 0);
    envelope_get_fields(&r, &envelope);
    FILE *out = fmemopen(words, COMMAND_WORDS_SIZE, "w");
    words[0] = '\0';
    if (out == NULL)
        return;
    printer_event(out, type, r);
    fclose(out);
    words[COMMAND_WORDS_SIZE - 1] = '\0';
    words[strcspn(words, "\n")] = '\0';
}

static const char *name_of(const inputs_player_t *p, uint64_t strategy)
{
    return strategy < p->count ? p->specs[strategy].name : "?";
}

static void differs(inputs_player_t *p, const char *found, const char *expected)
{
    inputs_reader_wrong(&p->reader, "found %s, expected %s", found, expected);
    p->fault = INPUTS_DIFFERS;
}

/* The command that is read ahead, and whose it is. */
static struct bytes recorded_command(const inputs_player_t *p, uint64_t *strategy)
{
    struct wire_reader r = p->next.fields;
    *strategy = wire_get_u64(&r, STRATEGIES_MAX - 1);
    struct bytes command = wire_get_bytes(&r, COMMAND_SIZE_MAX);
    return r.bad ? (struct bytes){(const uint8_t *)"", 0} : command;
}

static void recorded_words(const inputs_player_t *p, char words[COMMAND_WORDS_SIZE + 32])
{
    char command[COMMAND_WORDS_SIZE];
    uint64_t strategy;
    command_words(command, recorded_command(p, &strategy));
    snprintf(words, COMMAND_WORDS_SIZE + 32, "%s: %s", name_of(p, strategy), command);
}

/* There is a command, and another record, or the end of a run that ended well. */
static void differs_from(inputs_player_t *p, unsigned strategy, struct bytes command)
{
    char words[COMMAND_WORDS_SIZE], found[COMMAND_WORDS_SIZE + 32];
    char expected[COMMAND_WORDS_SIZE + 32] = "no command";
    command_words(words, command);
    snprintf(found, sizeof found, "%s: %s", name_of(p, strategy), words);
    if (p->ahead && p->next.kind == RECORD_COMMAND)
        recorded_words(p, expected);
    differs(p, found, expected);
}

void inputs_player_command(inputs_player_t *p, unsigned strategy, const struct command *c)
{
    uint8_t bytes[COMMAND_SIZE_MAX];
    struct wire_writer w = {bytes};
    command_write(&w, c);
    struct bytes command = {bytes, (size_t)(w.at - bytes)}, expected = {NULL, 0};
    uint64_t whose = 0;
    if (p->fault != INPUTS_MORE || !look(p))
        return; /* the first difference is told; and what was cut off cannot be compared */
    if (p->next.kind == RECORD_COMMAND)
        expected = recorded_command(p, &whose);
    if (expected.size != command.size || whose != strategy ||
        memcmp(expected.data, command.data, command.size) != 0) {
        differs_from(p, strategy, command);
        return;
    }
    p->ahead = false;
    p->end.commands++;
}

/* ---- inputs ---- */

static bool cannot_be(inputs_player_t *p, const char *found, const char *expected)
{
    inputs_reader_wrong(&p->reader, "found %s, expected %s", found, expected);
    return invalid(p);
}

static bool take_symbol(inputs_player_t *p, strategy_host_t *h, struct wire_reader *r,
                        unsigned *symbol)
{
    *symbol = (unsigned)wire_get_u64(r, STRATEGIES_MAX);
    return (!r->bad && *symbol < strategy_host_symbol_count(h)) ||
           cannot_be(p, "a symbol there is not", "one of the run");
}

static bool give_book(inputs_player_t *p, strategy_host_t *h, struct record *d)
{
    struct wire_reader *r = &d->fields;
    unsigned symbol;
    if (!take_symbol(p, h, r, &symbol))
        return false;
    uint64_t first =
        d->kind == RECORD_BOOK_EVENT || d->kind == RECORD_BOOK_GROUP ? wire_get_u64(r, 0) : 0;
    struct bytes bytes = {NULL, 0};
    uint64_t time_ns = 0;
    if (d->kind == RECORD_BOOK_EVENT)
        bytes = wire_get_bytes(r, RECORD_EVENT_SIZE);
    else if (d->kind == RECORD_BOOK_GROUP)
        time_ns = wire_get_u64(r, 0);
    if (r->bad)
        return cannot_be(p, "too few fields", "those of its kind");
    struct wire_reader fields = {bytes.data, bytes.data + bytes.size, false};
    if (d->kind == RECORD_BOOK_RESET)
        strategy_host_book_reset(h, symbol);
    else if (d->kind == RECORD_BOOK_EVENT)
        strategy_host_book_event(h, symbol, first, &fields);
    else if (d->kind == RECORD_BOOK_JOINED)
        strategy_host_book_joined(h, symbol, d->now_ns);
    else
        strategy_host_book_group(h, symbol, d->now_ns, first, time_ns);
    return true;
}

static bool give_account(inputs_player_t *p, strategy_host_t *h, struct record *d)
{
    struct wire_reader *r = &d->fields;
    unsigned strategy = (unsigned)wire_get_u64(r, STRATEGIES_MAX);
    struct own_event e = {.type = wire_get_u64(r, 0)};
    e.order_id = wire_get_u64(r, 0);
    e.client_order_id = wire_get_text(r, CLIENT_ORDER_ID_SIZE_MAX);
    e.price = wire_get_i64(r);
    e.qty = wire_get_i64(r);
    e.open_qty = wire_get_i64(r);
    e.trade_id = wire_get_u64(r, 0);
    e.reason = (uint16_t)wire_get_u64(r, UINT16_MAX);
    e.maker = wire_get_flag(r);
    if (r->bad || strategy >= p->count)
        return cannot_be(p, "no event of an account of the run", "one");
    strategy_host_account(h, strategy, d->now_ns, &e);
    return true;
}

static bool give_shard(inputs_player_t *p, strategy_host_t *h, struct record *d)
{
    struct wire_reader *r = &d->fields;
    uint16_t shard = (uint16_t)wire_get_u64(r, UINT16_MAX);
    struct result result = {0};
    if (d->kind == RECORD_RESULT)
        result_get_fields(r, &result);
    if (r->bad)
        return cannot_be(p, "too few fields", "those of its kind");
    if (d->kind == RECORD_RESULT)
        strategy_host_result(h, shard, d->now_ns, &result);
    else
        strategy_host_lost(h, shard, d->now_ns);
    return true;
}

static bool give_stop(inputs_player_t *p, strategy_host_t *h, struct record *d)
{
    char why[RECORD_WHY_SIZE];
    struct text text = wire_get_text(&d->fields, sizeof why - 1);
    if (d->fields.bad)
        return cannot_be(p, "no reason to stop", "one");
    snprintf(why, sizeof why, "%.*s", (int)text.size, text.size > 0 ? text.data : "");
    strategy_host_stop_all(h, d->now_ns, why);
    return true;
}

static bool give_start(inputs_player_t *p, strategy_host_t *h, const struct record *d)
{
    if (p->started)
        return cannot_be(p, "a second start", "one");
    p->started = true;
    strategy_host_start(h, d->now_ns);
    return true;
}

static bool give(inputs_player_t *p, strategy_host_t *h, struct record *d)
{
    switch (d->kind) {
    case RECORD_START:
        return give_start(p, h, d);
    case RECORD_BOOK_RESET:
    case RECORD_BOOK_EVENT:
    case RECORD_BOOK_JOINED:
    case RECORD_BOOK_GROUP:
        return give_book(p, h, d);
    case RECORD_ACCOUNT:
        return give_account(p, h, d);
    case RECORD_RESULT:
    case RECORD_LOST:
        return give_shard(p, h, d);
    case RECORD_TIME:
        strategy_host_time(h, d->now_ns);
        return true;
    case RECORD_STOP_ALL:
        return give_stop(p, h, d);
    default:
        return cannot_be(p, "a record of no kind there is", "an input");
    }
}

/* Whether there is a next input. */
static bool next_input(inputs_player_t *p)
{
    if (!look(p) || p->next.kind == RECORD_END) {
        p->ahead = false;
        look(p); /* nothing may stand behind the end */
        return false;
    }
    if (p->next.kind == RECORD_COMMAND) {
        char expected[COMMAND_WORDS_SIZE + 32];
        recorded_words(p, expected);
        differs(p, "no command", expected);
        return false;
    }
    p->given = p->next;
    record_parse(&p->given);
    p->ahead = false;
    return true;
}

enum inputs_step inputs_player_next(inputs_player_t *p, strategy_host_t *h,
                                    char error[INPUTS_ERROR_SIZE])
{
    bool more = p->fault == INPUTS_MORE && next_input(p);
    if (more && give(p, h, &p->given))
        p->end.records++;
    if (p->fault == INPUTS_MORE)
        return more ? INPUTS_MORE : INPUTS_END;
    snprintf(error, INPUTS_ERROR_SIZE, "%s", p->reader.error);
    return p->fault;
}
