#include "cli/strategy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

int strategy_main(int argc, char **argv)
{
    static const char name[] = "/outcry-strategy";
    char path[PATH_SIZE + sizeof name];
    (void)argc;
    ssize_t size = readlink("/proc/self/exe", path, PATH_SIZE);
    if (size > 0) {
        path[size] = '\0';
        strcpy(strrchr(path, '/'), name);
        execv(path, argv);
    }
    fprintf(stderr, "outcry strategy: cannot start %s: %s\n", name + 1, strerror(errno));
    return EXIT_FAILURE;
}
