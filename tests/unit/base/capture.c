#include "tests/unit/base/capture.h"

#include <unistd.h>

#include "base/check.h"

enum { CAPTURED_MAX = 8192 };

static int saved, ends[2];

void capture_begin(void)
{
    CHECK(pipe(ends) == 0);
    saved = dup(STDERR_FILENO);
    CHECK(saved >= 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    close(ends[1]);
}

const char *capture_end(void)
{
    static char text[CAPTURED_MAX + 1];
    dup2(saved, STDERR_FILENO); /* the last end the writer had: reading comes to an end */
    close(saved);
    size_t size = 0;
    ssize_t got;
    while ((got = read(ends[0], text + size, CAPTURED_MAX - size)) > 0)
        size += (size_t)got;
    close(ends[0]);
    text[size] = '\0';
    return text;
}
