/* The vectors of proto/vectors: read and written again they are the same bytes, and no cut or
 * flipped byte of any of them does harm. Run it under ASan: vectors are exact-size allocations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exercise.h"
#include "proto/command.h"
#include "proto/frame.h"
#include "vectors.h"

static void assert_same(const struct vector *v, const uint8_t *bytes, size_t size)
{
    if (size != v->size || memcmp(bytes, v->bytes, size) != 0)
        fail_msg("%s is written as other bytes than it was read from", v->name);
}

/* ---- reading and writing again ---- */

static void commands_come_back(const struct vector *v, uint8_t *out)
{
    struct wire_writer w = {out};
    for (const uint8_t *at = v->bytes; at != v->bytes + v->size;) {
        struct command c;
        assert_int_equal(command_read(&at, v->bytes + v->size, &c), COMMAND_READ_OK);
        assert_int_not_equal(c.type, COMMAND_MALFORMED);
        command_write(&w, &c);
    }
    assert_same(v, out, (size_t)(w.at - out));
}

static void requests_come_back(const struct vector *v, uint8_t *out)
{
    struct wire_writer w = {out};
    for (const uint8_t *at = v->bytes; at != v->bytes + v->size;) {
        struct request q;
        assert_int_equal(request_read(&at, v->bytes + v->size, &q), COMMAND_READ_OK);
        request_write(&w, &q);
    }
    assert_same(v, out, (size_t)(w.at - out));
}

#define COPY_CASE(name, NAME, number, class, text)                                                 \
    case MESSAGE_##NAME: {                                                                         \
        struct name m;                                                                             \
        name##_get_fields(&fields, &m);                                                            \
        if (fields.bad)                                                                            \
            fail_msg("fields of %s do not fit", #name);                                            \
        name##_put(w, &m);                                                                         \
        break;                                                                                     \
    }

static void event_copy(struct wire_writer *w, uint64_t type, struct wire_reader fields)
{
    switch (type) {
        MESSAGE_TABLE(COPY_CASE)
    default:
        fail_msg("no event of type %llu", (unsigned long long)type);
    }
}

static void event_comes_back(const struct vector *v, uint8_t *out)
{
    struct wire_writer w = {out};
    struct wire_reader r = {v->bytes, v->bytes + v->size, false};
    struct event_head head = event_get_head(&r);
    event_copy(&w, head.type, r);
    assert_same(v, out, (size_t)(w.at - out));
}

static void frame_comes_back(const struct vector *v, uint8_t *out)
{
    struct frame_reader f;
    struct wire_writer w = {out};
    assert_int_equal(frame_read(&f, v->bytes, v->size), FRAME_READ_OK);
    frame_head_put(&w, &f.head);
    while (frame_next_group(&f)) {
        wire_put_array(&w, 2);
        wire_put_u64(&w, f.group_seq);
        wire_put_array(&w, f.events_left);
        uint64_t type;
        struct wire_reader fields;
        while (frame_next_event(&f, &type, &fields))
            event_copy(&w, type, fields);
    }
    assert_same(v, out, (size_t)(w.at - out));
}

static void every_vector_comes_back(void **state)
{
    static uint8_t out[1 << 16];
    (void)state;
    for (size_t n = 0; strcmp(vector_files[n], "later.jsonl") != 0; n++) {
        struct vectors v = vectors_load(vector_files[n]);
        for (size_t i = 0; i < v.count; i++) {
            const struct vector *item = &v.items[i];
            assert_true(item->size < sizeof out);
            if (strcmp(item->kind, "command") == 0)
                commands_come_back(item, out);
            else if (strcmp(item->kind, "request") == 0)
                requests_come_back(item, out);
            else if (strcmp(item->kind, "event") == 0)
                event_comes_back(item, out);
            else
                frame_comes_back(item, out);
        }
        vectors_free(&v);
    }
}

/* ---- what is refused, and how ---- */

/* Whether the reader for the vector's kind refuses it as `version`, or as garbage, and stays. */
static bool refuses(const struct vector *v, bool version)
{
    const uint8_t *at = v->bytes;
    const uint8_t *end = v->bytes + v->size;
    enum command_read read;
    struct command c;
    struct request q;
    struct frame_reader f;
    if (strcmp(v->kind, "frame") == 0)
        return frame_read(&f, v->bytes, v->size) ==
               (version ? FRAME_READ_VERSION : FRAME_READ_GARBAGE);
    if (strcmp(v->kind, "command") == 0)
        read = command_read(&at, end, &c);
    else
        read = request_read(&at, end, &q);
    return read == (version ? COMMAND_READ_VERSION : COMMAND_READ_GARBAGE) && at == v->bytes;
}

static void every_refused_vector_is_refused_as_it_says(void **state)
{
    (void)state;
    struct vectors v = vectors_load("refused.jsonl");
    for (size_t i = 0; i < v.count; i++) {
        if (!refuses(&v.items[i], strcmp(v.items[i].verdict, "version") == 0))
            fail_msg("%s is not refused as %s", v.items[i].name, v.items[i].verdict);
    }
    vectors_free(&v);
}

/* ---- damage ---- */

static void damage(void (*each)(struct vector *v, FILE *out))
{
    FILE *out = fopen("/dev/null", "w");
    assert_non_null(out);
    for (size_t n = 0; vector_files[n] != NULL; n++) {
        struct vectors v = vectors_load(vector_files[n]);
        for (size_t i = 0; i < v.count; i++)
            each(&v.items[i], out);
        vectors_free(&v);
    }
    fclose(out);
}

static void cut_everywhere(struct vector *v, FILE *out)
{
    for (size_t size = 0; size <= v->size; size++) {
        uint8_t *cut = malloc(size > 0 ? size : 1);
        assert_non_null(cut);
        memcpy(cut, v->bytes, size);
        exercise(cut, size, out);
        free(cut);
    }
}

static void flip_every_byte(struct vector *v, FILE *out)
{
    for (size_t i = 0; i < v->size; i++) {
        uint8_t was = v->bytes[i];
        for (unsigned flip = 1; flip < 256; flip++) {
            v->bytes[i] = (uint8_t)(was ^ flip);
            exercise(v->bytes, v->size, out);
        }
        v->bytes[i] = was;
    }
}

static void every_truncation_does_no_harm(void **state)
{
    (void)state;
    damage(cut_everywhere);
}

static void every_flipped_byte_does_no_harm(void **state)
{
    (void)state;
    damage(flip_every_byte);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_comes_back),
        cmocka_unit_test(every_refused_vector_is_refused_as_it_says),
        cmocka_unit_test(every_truncation_does_no_harm),
        cmocka_unit_test(every_flipped_byte_does_no_harm),
    };
    return cmocka_run_group_tests_name("proto/vectors", tests, NULL, NULL);
}
