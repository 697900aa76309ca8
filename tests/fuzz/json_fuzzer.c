/* libFuzzer target for the bodies of requests. Whatever the bytes are: what is read stands in the
 * body, is read again as the same, and what is refused is right up to where it is refused.
 *
 *     clang -std=c11 -D_GNU_SOURCE -O1 -g -fsanitize=fuzzer,address,undefined -I. -Icommon \
 *         -Iservices tests/fuzz/json_fuzzer.c services/gateway/json_{reader,writer}.c \
 *         services/gateway/utf8.c common/base/{check,decimal}.c -o json_fuzzer
 *     tests/fuzz/json_bodies.py CORPUS
 *     json_fuzzer -max_total_time=60 -max_len=4096 CORPUS
 *
 * A crash is kept by libFuzzer as a file, which given as the argument repeats it. */
#include "base/check.h"
#include "gateway/json_reader.h"
#include "gateway/json_writer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A string is shown as it was meant. */
static void exercise_string(struct text value)
{
    static struct json_reader again;
    static char text[8 * JSON_SCRATCH_SIZE];
    struct json_writer j;
    json_writer_init(&j, text, sizeof text);
    json_object_begin(&j, NULL);
    json_text(&j, "a", value);
    json_object_end(&j);
    CHECK(!j.full);
    if (json_writer_size(&j) > JSON_SCRATCH_SIZE) /* its escapes may be longer than those sent */
        return;
    CHECK(json_read(&again, text, json_writer_size(&j)) == JSON_READ_OK);
    CHECK(again.member_count == 1 && text_equal(again.members[0].value, value));
}

static void exercise_member(const struct json_member *m, const char *text, size_t size)
{
    static struct json_reader again;
    exercise_string(m->key);
    if (m->kind == JSON_STRING) {
        exercise_string(m->value);
        return;
    }
    CHECK(m->value.data >= text && m->value.data + m->value.size <= text + size);
    enum json_read read = json_read(&again, m->value.data, m->value.size);
    CHECK(read == (m->kind == JSON_OBJECT ? JSON_READ_OK : JSON_READ_NOT_OBJECT) ||
          (m->kind == JSON_OBJECT && read == JSON_READ_TOO_LARGE)); /* what was nested counts now */
    CHECK(m->kind != JSON_FLAG || text_equal(m->value, text_of(m->flag ? "true" : "false")));
}

/* Cut where it was refused, a body is either whole or ends too soon. */
static void exercise_refusal(const char *text, size_t bad_at)
{
    static struct json_reader again;
    enum json_read read = json_read(&again, text, bad_at);
    CHECK(read != JSON_READ_TOO_LARGE);
    CHECK(read != JSON_READ_BAD || again.bad_at == bad_at);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct json_reader reader;
    const char *text = (const char *)bytes;
    enum json_read read = json_read(&reader, text, size);
    CHECK(read == JSON_READ_OK || reader.member_count == 0);
    CHECK(reader.member_count <= JSON_MEMBERS_MAX);
    for (unsigned i = 0; i < reader.member_count; i++)
        exercise_member(&reader.members[i], text, size);
    if (read == JSON_READ_BAD) {
        CHECK(reader.bad_at <= size && reader.expected[0] != '\0');
        exercise_refusal(text, reader.bad_at);
    }
    return 0;
}
