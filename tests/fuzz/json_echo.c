/* json_echo: what json_read makes of bodies, for json_against_python.py to compare.
 *
 * stdin: bodies, each as its size in decimal, a newline, its bytes. stdout: one line each, the
 * verdict and, of an object, each member as kind:key:value, key and value in hexadecimal:
 *
 *     ok s:73796d626f6c:58 n:70:312e35
 *     bad 17 | not_object | too_large
 */
#include <inttypes.h>
#include <stdio.h>

#include "gateway/json_reader.h"

enum { BODY_SIZE_MAX = JSON_SCRATCH_SIZE + 1024 };

static struct json_reader reader;
static char body[BODY_SIZE_MAX];

static void say_hex(struct text text)
{
    putchar(':');
    for (size_t i = 0; i < text.size; i++)
        printf("%02x", (unsigned)(unsigned char)text.data[i]);
}

static void say(enum json_read read)
{
    static const char kinds[] = {[JSON_NULL] = 'z',   [JSON_FLAG] = 'f',  [JSON_NUMBER] = 'n',
                                 [JSON_STRING] = 's', [JSON_ARRAY] = 'a', [JSON_OBJECT] = 'o'};
    static const char *const verdicts[] = {[JSON_READ_OK] = "ok",
                                           [JSON_READ_BAD] = "bad",
                                           [JSON_READ_NOT_OBJECT] = "not_object",
                                           [JSON_READ_TOO_LARGE] = "too_large"};
    printf("%s", verdicts[read]);
    if (read == JSON_READ_BAD)
        printf(" %zu", reader.bad_at);
    for (unsigned i = 0; i < reader.member_count; i++) {
        printf(" %c", kinds[reader.members[i].kind]);
        say_hex(reader.members[i].key);
        say_hex(reader.members[i].value);
    }
    putchar('\n');
}

int main(void)
{
    size_t size;
    while (scanf("%zu", &size) == 1) {
        if (getchar() != '\n' || size > sizeof body || fread(body, 1, size, stdin) != size) {
            fprintf(stderr, "json_echo: a body is cut or larger than %d bytes\n", BODY_SIZE_MAX);
            return 2;
        }
        say(json_read(&reader, body, size));
    }
    return 0;
}
