#include "strategy/inputs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/crc32c.h"
#include "base/memory.h"
#include "strategy/inputs_record.h"

enum { STREAM_SIZE = 1 << 16 };

struct inputs_recorder {
    FILE *file;
    char path[512];
    uint64_t n;
    uint64_t now_ns; /* of the last input that had a time */
    int failed;      /* errno of what could not be written: nothing follows it; 0: all is well */
    bool told;
    char *stream;
    uint8_t record[RECORD_HEAD_SIZE + RECORD_SIZE_MAX];
};

/* ---- records ---- */

static void write_bytes(inputs_recorder_t *r, const void *bytes, size_t size)
{
    if (r->failed == 0 && fwrite(bytes, 1, size, r->file) != size)
        r->failed = errno;
}

/* The body at record + RECORD_HEAD_SIZE ends at w. */
static void finish(inputs_recorder_t *r, uint8_t *record, const struct wire_writer *w)
{
    uint8_t *body = record + RECORD_HEAD_SIZE;
    size_t size = (size_t)(w->at - body);
    record_put_u32(record, (uint32_t)size);
    record_put_u32(record + 4, crc32c(0, body, size));
    write_bytes(r, record, RECORD_HEAD_SIZE + size);
}

static struct wire_writer begin_at(inputs_recorder_t *r, uint8_t *record, enum record_kind kind,
                                   unsigned fields)
{
    struct wire_writer w = {record + RECORD_HEAD_SIZE};
    wire_put_array(&w, 3 + fields);
    wire_put_u64(&w, kind);
    wire_put_u64(&w, ++r->n);
    wire_put_u64(&w, r->now_ns);
    return w;
}

static struct wire_writer begin(inputs_recorder_t *r, enum record_kind kind, unsigned fields)
{
    return begin_at(r, r->record, kind, fields);
}

static struct wire_writer begin_timed(inputs_recorder_t *r, enum record_kind kind, unsigned fields,
                                      uint64_t now_ns)
{
    r->now_ns = now_ns;
    return begin(r, kind, fields);
}

/* ---- opening and closing ---- */

static void write_run(inputs_recorder_t *r, const struct strategy_spec *specs, unsigned count,
                      uint64_t session)
{
    size_t size = RECORD_HEAD_SIZE + RECORD_RUN_SIZE_MAX;
    uint8_t *record = memory_new(size, 1, "the first record of inputs");
    uint8_t *spec = memory_new(STRATEGY_SPEC_SIZE_MAX, 1, "a strategy as bytes");
    struct wire_writer w = begin_at(r, record, RECORD_RUN, 2 + count);
    wire_put_u64(&w, session);
    wire_put_u64(&w, count);
    for (unsigned i = 0; i < count; i++) {
        size_t written = strategy_spec_write(&specs[i], spec, STRATEGY_SPEC_SIZE_MAX);
        wire_put_bytes(&w, (struct bytes){spec, written});
    }
    finish(r, record, &w);
    memory_free(spec, STRATEGY_SPEC_SIZE_MAX, 1);
    memory_free(record, size, 1);
}

static void say_failed(const inputs_recorder_t *r, char error[INPUTS_ERROR_SIZE])
{
    snprintf(error, INPUTS_ERROR_SIZE, "cannot write %s: %s", r->path, strerror(r->failed));
}

inputs_recorder_t *inputs_recorder_open(const char *path, const struct strategy_spec *specs,
                                        unsigned count, uint64_t session,
                                        char error[INPUTS_ERROR_SIZE])
{
    FILE *file = fopen(path, "wbx");
    if (file == NULL) {
        snprintf(error, INPUTS_ERROR_SIZE, "cannot make %s: %s", path, strerror(errno));
        return NULL;
    }
    inputs_recorder_t *r = memory_new(1, sizeof *r, "the recorder of inputs");
    r->file = file;
    r->stream = memory_new(STREAM_SIZE, 1, "inputs on their way to a file");
    snprintf(r->path, sizeof r->path, "%s", path);
    setvbuf(file, r->stream, _IOFBF, STREAM_SIZE);
    uint8_t head[INPUTS_HEAD_SIZE] = {'O', 'C', 'I', 'N'};
    record_put_u32(head + 4, INPUTS_VERSION);
    write_bytes(r, head, sizeof head);
    write_run(r, specs, count, session);
    if (inputs_flush(r, error) != STATUS_OK) {
        char ignored[INPUTS_ERROR_SIZE];
        inputs_recorder_close(&r, ignored);
    }
    return r;
}

enum status inputs_flush(inputs_recorder_t *r, char error[INPUTS_ERROR_SIZE])
{
    if (r->failed == 0 && fflush(r->file) != 0)
        r->failed = errno;
    if (r->failed == 0 || r->told)
        return STATUS_OK;
    r->told = true;
    say_failed(r, error);
    return STATUS_IO;
}

enum status inputs_recorder_close(inputs_recorder_t **recorder, char error[INPUTS_ERROR_SIZE])
{
    inputs_recorder_t *r = *recorder;
    if (r == NULL)
        return STATUS_OK;
    struct wire_writer w = begin(r, RECORD_END, 0);
    finish(r, r->record, &w);
    if (fclose(r->file) != 0 && r->failed == 0)
        r->failed = errno;
    bool tell = r->failed != 0 && !r->told;
    if (tell)
        say_failed(r, error);
    memory_free(r->stream, STREAM_SIZE, 1);
    memory_free(r, 1, sizeof *r);
    *recorder = NULL;
    return tell ? STATUS_IO : STATUS_OK;
}

/* ---- inputs ---- */

void inputs_start(inputs_recorder_t *r, strategy_host_t *h, uint64_t now_ns)
{
    if (r != NULL) {
        struct wire_writer w = begin_timed(r, RECORD_START, 0, now_ns);
        finish(r, r->record, &w);
    }
    strategy_host_start(h, now_ns);
}

void inputs_book_reset(inputs_recorder_t *r, strategy_host_t *h, unsigned symbol)
{
    if (r != NULL) {
        struct wire_writer w = begin(r, RECORD_BOOK_RESET, 1);
        wire_put_u64(&w, symbol);
        finish(r, r->record, &w);
    }
    strategy_host_book_reset(h, symbol);
}

/* The host says by reading how much of it is the event; no command comes of it, so it may be
 * written down behind it. */
void inputs_book_event(inputs_recorder_t *r, strategy_host_t *h, unsigned symbol, uint64_t type,
                       struct wire_reader *fields)
{
    const uint8_t *at = fields->at;
    strategy_host_book_event(h, symbol, type, fields);
    if (r == NULL)
        return;
    size_t size = (size_t)(fields->at - at); /* all that is left, where it could not be read */
    struct wire_writer w = begin(r, RECORD_BOOK_EVENT, 3);
    wire_put_u64(&w, symbol);
    wire_put_u64(&w, type);
    wire_put_bytes(&w, (struct bytes){at, size < RECORD_EVENT_SIZE ? size : RECORD_EVENT_SIZE});
    finish(r, r->record, &w);
}

void inputs_book_joined(inputs_recorder_t *r, strategy_host_t *h, unsigned symbol, uint64_t now_ns)
{
    if (r != NULL) {
        struct wire_writer w = begin_timed(r, RECORD_BOOK_JOINED, 1, now_ns);
        wire_put_u64(&w, symbol);
        finish(r, r->record, &w);
    }
    strategy_host_book_joined(h, symbol, now_ns);
}

void inputs_book_group(inputs_recorder_t *r, strategy_host_t *h, unsigned symbol, uint64_t now_ns,
                       uint64_t seq, uint64_t time_ns)
{
    if (r != NULL) {
        struct wire_writer w = begin_timed(r, RECORD_BOOK_GROUP, 3, now_ns);
        wire_put_u64(&w, symbol);
        wire_put_u64(&w, seq);
        wire_put_u64(&w, time_ns);
        finish(r, r->record, &w);
    }
    strategy_host_book_group(h, symbol, now_ns, seq, time_ns);
}

void inputs_account(inputs_recorder_t *r, strategy_host_t *h, unsigned strategy, uint64_t now_ns,
                    const struct own_event *e)
{
    if (r != NULL) {
        CHECK(e->client_order_id.size <= CLIENT_ORDER_ID_SIZE_MAX);
        struct wire_writer w = begin_timed(r, RECORD_ACCOUNT, 10, now_ns);
        wire_put_u64(&w, strategy);
        wire_put_u64(&w, e->type);
        wire_put_u64(&w, e->order_id);
        wire_put_text(&w, e->client_order_id);
        wire_put_i64(&w, e->price);
        wire_put_i64(&w, e->qty);
        wire_put_i64(&w, e->open_qty);
        wire_put_u64(&w, e->trade_id);
        wire_put_u64(&w, e->reason);
        wire_put_flag(&w, e->maker);
        finish(r, r->record, &w);
    }
    strategy_host_account(h, strategy, now_ns, e);
}

void inputs_result(inputs_recorder_t *r, strategy_host_t *h, uint16_t shard, uint64_t now_ns,
                   const struct result *result)
{
    if (r != NULL) {
        struct wire_writer w = begin_timed(r, RECORD_RESULT, 1 + RESULT_FIELD_COUNT, now_ns);
        wire_put_u64(&w, shard);
        result_put_fields(&w, result);
        finish(r, r->record, &w);
    }
    strategy_host_result(h, shard, now_ns, result);
}

void inputs_lost(inputs_recorder_t *r, strategy_host_t *h, uint16_t shard, uint64_t now_ns)
{
    if (r != NULL) {
        struct wire_writer w = begin_timed(r, RECORD_LOST, 1, now_ns);
        wire_put_u64(&w, shard);
        finish(r, r->record, &w);
    }
    strategy_host_lost(h, shard, now_ns);
}

void inputs_time(inputs_recorder_t *r, strategy_host_t *h, uint64_t now_ns)
{
    if (r != NULL) {
        struct wire_writer w = begin_timed(r, RECORD_TIME, 0, now_ns);
        finish(r, r->record, &w);
    }
    strategy_host_time(h, now_ns);
}

void inputs_stop_all(inputs_recorder_t *r, strategy_host_t *h, uint64_t now_ns, const char *why)
{
    if (r != NULL) {
        struct wire_writer w = begin_timed(r, RECORD_STOP_ALL, 1, now_ns);
        wire_put_text(&w, (struct text){why, strnlen(why, RECORD_WHY_SIZE - 1)});
        finish(r, r->record, &w);
    }
    strategy_host_stop_all(h, now_ns, why);
}

void inputs_command(inputs_recorder_t *r, unsigned strategy, const struct command *c)
{
    if (r == NULL)
        return;
    uint8_t bytes[COMMAND_SIZE_MAX];
    struct wire_writer command = {bytes};
    command_write(&command, c);
    struct wire_writer w = begin(r, RECORD_COMMAND, 2);
    wire_put_u64(&w, strategy);
    wire_put_bytes(&w, (struct bytes){bytes, (size_t)(command.at - bytes)});
    finish(r, r->record, &w);
}
