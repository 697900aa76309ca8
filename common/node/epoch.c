#include "node/epoch.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/config.h"

static enum status epoch_read(const char *file, uint64_t *last)
{
    char line[32];
    *last = 0;
    FILE *f = fopen(file, "r");
    if (f == NULL)
        return errno == ENOENT ? STATUS_OK : STATUS_IO;
    bool read = fgets(line, sizeof line, f) != NULL;
    fclose(f);
    if (!read)
        return STATUS_INVALID;
    line[strcspn(line, "\n")] = '\0';
    return config_u64(line, 1, UINT64_MAX - 1, last) ? STATUS_OK : STATUS_INVALID;
}

enum status epoch_next(const char *file, uint64_t unix_seconds, uint64_t *epoch)
{
    uint64_t last;
    enum status status = epoch_read(file, &last);
    if (status != STATUS_OK)
        return status;
    *epoch = last + 1 > unix_seconds ? last + 1 : unix_seconds;
    return STATUS_OK;
}

enum status epoch_keep(const char *file, uint64_t epoch)
{
    char fresh[4096];
    int size = snprintf(fresh, sizeof fresh, "%s.new", file);
    FILE *f = size > 0 && (size_t)size < sizeof fresh ? fopen(fresh, "w") : NULL;
    if (f == NULL)
        return STATUS_IO;
    bool written = fprintf(f, "%llu\n", (unsigned long long)epoch) > 0 && fflush(f) == 0 &&
                   fsync(fileno(f)) == 0;
    if (fclose(f) != 0 || !written || rename(fresh, file) != 0)
        return STATUS_IO;
    return STATUS_OK;
}
