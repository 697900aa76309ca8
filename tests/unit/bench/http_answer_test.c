/* http_answer: an answer is whole when its last byte is there, and not before; anything our servers
 * would not say is garbage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/http_answer.h"

#define HEAD "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"

/* In a block of its own of exactly this size, so that the sanitizer sees a read beyond it. */
static enum http_answer_read read_bytes(struct http_answer *a, const char *bytes, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    enum http_answer_read read = http_answer_read(a, copy, size);
    free(copy);
    return read;
}

static enum http_answer_read read_text(struct http_answer *a, const char *text)
{
    return read_bytes(a, text, strlen(text));
}

static void an_answer_is_whole_at_its_last_byte_wherever_it_is_split(void **state)
{
    static const char *const answers[] = {
        HEAD "\r\nhello",
        "HTTP/1.1 201 Created\r\nX-At: 0.1.7\r\ncontent-length:2 \r\n\r\n{}",
        "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        struct http_answer a = {0};
        size_t size = strlen(answers[i]);
        for (size_t cut = 0; cut < size; cut++)
            assert_int_equal(read_bytes(&a, answers[i], cut), HTTP_ANSWER_PART);
        assert_int_equal(read_bytes(&a, answers[i], size), HTTP_ANSWER_WHOLE);
        assert_int_equal(a.head_size + a.body_size, size);
    }
}

static void what_follows_an_answer_is_not_of_it(void **state)
{
    struct http_answer a;
    (void)state;
    assert_int_equal(read_text(&a, HEAD "\r\nhelloHTTP/1.1"), HTTP_ANSWER_WHOLE);
    assert_int_equal(a.status, 200);
    assert_int_equal(a.head_size, strlen(HEAD "\r\n"));
    assert_int_equal(a.body_size, 5);
    assert_false(a.close);
}

static void a_connection_that_will_be_closed_is_told(void **state)
{
    struct http_answer a;
    (void)state;
    assert_int_equal(read_text(&a, HEAD "Connection: Close\r\n\r\nhello"), HTTP_ANSWER_WHOLE);
    assert_true(a.close);
    assert_int_equal(read_text(&a, HEAD "Connection: keep-alive\r\n\r\nhello"), HTTP_ANSWER_WHOLE);
    assert_false(a.close);
}

static void what_is_not_an_answer_of_ours_is_garbage(void **state)
{
    static const char *const garbage[] = {
        "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTQ",
        "{}",
        "HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n",
        HEAD "Content-Length: 5\r\n\r\nhello",
        HEAD "Transfer-Encoding: chunked\r\n\r\nhello",
        HEAD " folded\r\n\r\nhello",
        HEAD "No colon\r\n\r\nhello",
        HEAD ": no name\r\n\r\nhello",
        HEAD "A b: c\r\n\r\nhello",
        HEAD "A: b\nC: d\r\n\r\nhello",
        HEAD "A: b\rC: d\r\n\r\nhello",
    };
    struct http_answer a;
    (void)state;
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++)
        if (read_text(&a, garbage[i]) != HTTP_ANSWER_GARBAGE)
            fail_msg("taken for an answer: %s", garbage[i]);
}

static void an_answer_holds_at_most_its_limit(void **state)
{
    static char bytes[HTTP_ANSWER_SIZE_MAX + 64];
    struct http_answer a;
    (void)state;
    for (int beyond = -1; beyond <= 1; beyond++) {
        size_t size = (size_t)(HTTP_ANSWER_SIZE_MAX + beyond);
        memset(bytes, 'x', sizeof bytes);
        /* five digits, whatever it is: the head has one size */
        size_t head = (size_t)snprintf(bytes, sizeof bytes,
                                       "HTTP/1.1 200 OK\r\nContent-Length: %05zu\r\n\r\n", size);
        int written = snprintf(bytes, sizeof bytes,
                               "HTTP/1.1 200 OK\r\nContent-Length: %05zu\r\n\r\n", size - head);
        assert_int_equal(written, head);
        bytes[head] = 'x'; /* where snprintf's NUL was */
        assert_int_equal(read_bytes(&a, bytes, size),
                         beyond <= 0 ? HTTP_ANSWER_WHOLE : HTTP_ANSWER_GARBAGE);
    }
}

static void a_head_without_an_end_is_garbage_at_the_limit(void **state)
{
    static char bytes[HTTP_ANSWER_SIZE_MAX];
    static const char start[] = HEAD "A: ";
    struct http_answer a;
    (void)state;
    memset(bytes, 'x', sizeof bytes);
    memcpy(bytes, start, sizeof start - 1);
    assert_int_equal(read_bytes(&a, bytes, sizeof bytes - 1), HTTP_ANSWER_PART);
    assert_int_equal(read_bytes(&a, bytes, sizeof bytes), HTTP_ANSWER_GARBAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_whole_at_its_last_byte_wherever_it_is_split),
        cmocka_unit_test(what_follows_an_answer_is_not_of_it),
        cmocka_unit_test(a_connection_that_will_be_closed_is_told),
        cmocka_unit_test(what_is_not_an_answer_of_ours_is_garbage),
        cmocka_unit_test(an_answer_holds_at_most_its_limit),
        cmocka_unit_test(a_head_without_an_end_is_garbage_at_the_limit),
    };
    return cmocka_run_group_tests_name("http_answer", tests, NULL, NULL);
}
