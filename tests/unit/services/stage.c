#include "tests/unit/services/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"

struct matcher_options stage_options(void)
{
    return (struct matcher_options){
        .limits = {.shard = STAGE_SHARD,
                   .open_orders_max = 1000,
                   .accounts_max = 20,
                   .finished_per_account = 50,
                   .symbols_max = 8,
                   .origins_max = 4,
                   .origin_window = 3000,
                   .events_max = 100},
        .epoch = STAGE_EPOCH,
        .hash_seed = 1,
        .journal = JOURNAL_MODE_NONE,
        .checkpoint_commands = 1000,
        .heartbeat_ns = 3600 * NS_PER_SECOND,
        .batch_commands_max = 1000,
        .batch_origin_max = 1000,
        .kept_size = 1 << 20,
        .requests_address = "ipc://requests",
    };
}

void stage_open(struct stage *s, const struct matcher_options *options)
{
    const struct add_symbol symbols[] = {
        {text_of(SYMBOL_ONE), text_of("0.01"), text_of("1"), false},
        {text_of(SYMBOL_OTHER), text_of("0.01"), text_of("1"), false},
        {text_of(SYMBOL_ANY), text_of("0.05"), text_of("1"), true},
    };
    memset(s, 0, sizeof *s);
    s->matcher = matcher_new(options, symbols, 3);
    s->service = matcher_service(s->matcher);
    s->now_ns = 1000 * NS_PER_SECOND;
    s->batch = 1;
    stage_begin(s);
    assert_true(stage_end(s));
    stage_clear(s);
}

void stage_close(struct stage *s)
{
    stage_clear(s);
    free(s->journal_bytes);
    matcher_destroy(&s->matcher);
    assert_null(s->matcher);
    matcher_destroy(&s->matcher); /* once more is no harm */
}

void stage_begin(struct stage *s)
{
    assert_false(s->in_batch);
    s->in_batch = true;
    s->service.begin(s->service.self, s->now_ns, s->batch);
}

enum intake stage_receive(struct stage *s, unsigned input, const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size + (size == 0)); /* exact, so that ASan sees a byte too far */
    memcpy(copy, bytes, size);
    enum intake intake = s->service.receive(s->service.self, input, copy, size);
    free(copy);
    return intake;
}

static void take_said(struct stage *s)
{
    struct outgoing m;
    while (outbox_peek(s->service.outbox, UINT64_MAX, &m)) {
        assert_true(s->said_count < STAGE_SAID_MAX);
        struct said *said = &s->said[s->said_count++];
        *said = (struct said){malloc(m.size), m.size, m.output, m.batch};
        memcpy(said->bytes, m.bytes, m.size);
        outbox_pop(s->service.outbox);
    }
}

bool stage_end(struct stage *s)
{
    assert_true(s->in_batch);
    s->in_batch = false;
    bool journaled = s->service.end(s->service.self, &s->journal);
    if (journaled) {
        free(s->journal_bytes);
        s->journal_bytes = malloc(s->journal.size);
        memcpy(s->journal_bytes, s->journal.bytes, s->journal.size);
        s->journal.bytes = s->journal_bytes;
        s->batch++;
    }
    take_said(s);
    return journaled;
}

void stage_batch(struct stage *s, const struct message *m)
{
    stage_begin(s);
    assert_int_equal(stage_receive(s, MATCHER_INPUT_COMMANDS, m->bytes, m->size), INTAKE_MORE);
    stage_end(s);
}

void stage_clear(struct stage *s)
{
    while (s->said_count > 0)
        free(s->said[--s->said_count].bytes);
}

/* ---- what was said ---- */

static bool is_topic(const struct said *m, const char *topic)
{
    return text_equal(frame_topic(m->bytes, m->size), text_of(topic));
}

struct frame_reader stage_frame(const struct stage *s, const char *topic)
{
    struct frame_reader f;
    assert_int_equal(stage_count(s, topic), 1);
    for (unsigned i = 0; i < s->said_count; i++) {
        if (is_topic(&s->said[i], topic))
            assert_int_equal(frame_read(&f, s->said[i].bytes, s->said[i].size), FRAME_READ_OK);
    }
    assert_int_equal(f.head.epoch, STAGE_EPOCH);
    return f;
}

unsigned stage_count(const struct stage *s, const char *topic)
{
    unsigned count = 0;
    for (unsigned i = 0; i < s->said_count; i++)
        count += is_topic(&s->said[i], topic);
    return count;
}

unsigned stage_count_prefix(const struct stage *s, const char *prefix)
{
    unsigned count = 0;
    for (unsigned i = 0; i < s->said_count; i++)
        count += strncmp((const char *)s->said[i].bytes, prefix, strlen(prefix)) == 0;
    return count;
}

struct wire_reader stage_event(struct frame_reader f, uint64_t type)
{
    uint64_t found;
    struct wire_reader fields, result = {NULL, NULL, true};
    unsigned count = 0;
    while (frame_next_group(&f)) {
        while (frame_next_event(&f, &found, &fields)) {
            if (found == type) {
                result = fields;
                count++;
            }
        }
    }
    assert_int_equal(count, 1);
    return result;
}

unsigned stage_results(const struct stage *s, const char *origin, struct result *results,
                       unsigned max)
{
    char topic[64] = "ack.";
    unsigned count = 0;
    strcat(topic, origin);
    for (unsigned i = 0; i < s->said_count; i++) {
        struct frame_reader f;
        uint64_t type;
        struct wire_reader fields;
        if (!is_topic(&s->said[i], topic))
            continue;
        assert_int_equal(s->said[i].output, MATCHER_OUTPUT_PRIVATE);
        assert_int_equal(frame_read(&f, s->said[i].bytes, s->said[i].size), FRAME_READ_OK);
        assert_true(f.head.prev_seq == 0 && !f.head.hash.given);
        while (frame_next_group(&f)) {
            while (frame_next_event(&f, &type, &fields)) {
                if (type != MESSAGE_RESULT)
                    continue;
                assert_true(count < max);
                result_get_fields(&fields, &results[count++]);
            }
        }
    }
    return count;
}

struct result stage_result(const struct stage *s, const char *origin)
{
    struct result result;
    assert_int_equal(stage_results(s, origin, &result, 1), 1);
    return result;
}

void stage_ask_snapshot(struct stage *s, const char *topic, uint64_t min_seq)
{
    static const char subscribe[] = "\1re." STAGE_REPLY;
    for (unsigned output = 0; output < 2; output++)
        s->service.subscription(s->service.self, output, (const uint8_t *)subscribe,
                                sizeof subscribe);
    uint8_t bytes[SNAPSHOT_SIZE_MAX + 1];
    struct wire_writer w = {bytes};
    request_write(
        &w, &(struct request){.type = MESSAGE_SNAPSHOT,
                              .snapshot = {text_of(STAGE_REPLY), 1, text_of(topic), min_seq}});
    assert_int_equal(stage_receive(s, MATCHER_INPUT_REQUESTS, bytes, (size_t)(w.at - bytes)),
                     INTAKE_MORE);
}
