#include "tests/unit/services/replica.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"

void replica_cluster(struct cluster *c, unsigned shards)
{
    static const char *const names[] = {SYMBOL_ONE, SYMBOL_OTHER, SYMBOL_ANY};
    memset(c, 0, sizeof *c);
    c->settings.shards = shards;
    c->settings.open_orders_max = 4000;
    c->settings.kept_mib = 1;
    c->symbol_count = 3;
    for (unsigned i = 0; i < 3; i++) {
        strcpy(c->symbols[i].name, names[i]);
        strcpy(c->symbols[i].tick_size, "0.01");
        strcpy(c->symbols[i].lot_size, "1");
        c->symbols[i].shard = (uint16_t)(i == 1 ? shards - 1 : 0);
        c->symbols[i].any_price = i == 2;
    }
}

void replica_open(struct replica *r, const struct cluster *c, char digit)
{
    memset(r, 0, sizeof *r);
    memset(r->reply, digit, REPLY_SIZE);
    r->now_ns = 1000 * NS_PER_SECOND;
    r->market_data =
        market_data_new(&(struct market_data_options){c, "tcp://127.0.0.1:5561", r->reply});
    r->service = market_data_service(r->market_data);
}

static void clear_requests(struct replica *r)
{
    while (r->request_count > 0)
        free((void *)(uintptr_t)r->requests[--r->request_count].data);
}

void replica_close(struct replica *r)
{
    replica_clear(r);
    clear_requests(r);
    market_data_destroy(&r->market_data);
    assert_null(r->market_data);
    market_data_destroy(&r->market_data); /* once more is no harm */
}

static struct bytes copy_of(const struct outgoing *m)
{
    uint8_t *copy = malloc(m->size);
    memcpy(copy, m->bytes, m->size);
    return (struct bytes){copy, m->size};
}

static void take_said(struct replica *r)
{
    struct outgoing m;
    while (outbox_peek(r->service.outbox, UINT64_MAX, &m)) {
        if (m.output == 0) {
            assert_true(r->published_count < REPLICA_SAID_MAX);
            r->published[r->published_count++] = copy_of(&m);
        } else {
            assert_true(r->request_count < 64);
            r->requests_shard[r->request_count] = m.output - 1;
            r->requests[r->request_count++] = copy_of(&m);
        }
        outbox_pop(r->service.outbox);
    }
}

void replica_receive(struct replica *r, unsigned input, const uint8_t *bytes, size_t size)
{
    struct journal_batch batch;
    uint8_t *copy = malloc(size + (size == 0)); /* exact, so that ASan sees a byte too far */
    memcpy(copy, bytes, size);
    r->service.begin(r->service.self, r->now_ns, 1);
    assert_int_equal(r->service.receive(r->service.self, input, copy, size), INTAKE_MORE);
    assert_false(r->service.end(r->service.self, &batch));
    free(copy);
    take_said(r);
}

void replica_tick(struct replica *r)
{
    struct journal_batch batch;
    r->service.begin(r->service.self, r->now_ns, 1);
    assert_false(r->service.end(r->service.self, &batch));
    take_said(r);
}

void replica_subscribe(struct replica *r, const char *reply)
{
    uint8_t message[1 + 3 + REPLY_SIZE + 1] = "\1re.";
    memcpy(message + 4, reply, REPLY_SIZE + 1);
    r->service.subscription(r->service.self, 0, message, sizeof message);
}

void replica_clear(struct replica *r)
{
    while (r->published_count > 0)
        free((void *)(uintptr_t)r->published[--r->published_count].data);
}

unsigned replica_count(const struct replica *r, const char *topic)
{
    unsigned count = 0;
    for (unsigned i = 0; i < r->published_count; i++)
        count +=
            text_equal(frame_topic(r->published[i].data, r->published[i].size), text_of(topic));
    return count;
}

struct frame_reader replica_frame(const struct replica *r, const char *topic)
{
    struct frame_reader f;
    assert_int_equal(replica_count(r, topic), 1);
    for (unsigned i = 0; i < r->published_count; i++) {
        const struct bytes *m = &r->published[i];
        if (text_equal(frame_topic(m->data, m->size), text_of(topic)))
            assert_int_equal(frame_read(&f, m->data, m->size), FRAME_READ_OK);
    }
    return f;
}
