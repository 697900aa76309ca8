#include "tests/unit/base/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

static char directory[32];
static char before[4096];

/* OUTCRY_TEST_... stay: they are the tests' own. */
static void forget_variables(void)
{
    for (char **v = environ; *v != NULL;) {
        char name[64];
        size_t size = strcspn(*v, "=");
        if (strncmp(*v, "OUTCRY_", 7) != 0 || strncmp(*v, "OUTCRY_TEST_", 12) == 0 ||
            size >= sizeof name) {
            v++;
            continue;
        }
        memcpy(name, *v, size);
        name[size] = '\0';
        unsetenv(name); /* which moves the others up */
    }
}

int scratch_open(void **state)
{
    (void)state;
    forget_variables();
    strcpy(directory, "/tmp/outcry-XXXXXX");
    CHECK(getcwd(before, sizeof before) != NULL);
    CHECK(mkdtemp(directory) != NULL);
    CHECK(chdir(directory) == 0);
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status;
    (void)type;
    (void)place;
    return remove(path);
}

int scratch_close(void **state)
{
    (void)state;
    CHECK(chdir(before) == 0);
    CHECK(nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
    forget_variables();
    return 0;
}

const char *scratch_path(void)
{
    return directory;
}

void scratch_write(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    CHECK(f != NULL);
    CHECK(fputs(text, f) >= 0 && fclose(f) == 0);
}
