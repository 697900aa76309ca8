#include "base/check.h"

#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FRAMES_MAX = 64, MESSAGE_SIZE = 1024 };

void check_prepare(void)
{
    void *frame;
    (void)backtrace(&frame, 1);
}

/* No stdio and no memory of the heap's: either may be what broke. */
_Noreturn void check_failed(const char *file, int line, const char *expression)
{
    char message[MESSAGE_SIZE];
    void *frames[FRAMES_MAX];
    int size =
        snprintf(message, sizeof message, "%s:%d: CHECK failed: %s\n", file, line, expression);
    if (size >= MESSAGE_SIZE) {
        size = MESSAGE_SIZE - 1;
        message[size - 1] = '\n';
    }
    ssize_t written = write(STDERR_FILENO, message, (size_t)size);
    (void)written; /* there is nobody else to tell */
    int count = backtrace(frames, FRAMES_MAX);
    /* Return addresses; a call that never returns may be its function's last instruction, and the
     * address behind it the next function's. */
    for (int i = 0; i < count; i++)
        frames[i] = (char *)frames[i] - 1;
    backtrace_symbols_fd(frames, count, STDERR_FILENO);
    abort();
}
