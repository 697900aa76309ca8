#include "cli/targets.h"

#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char suffix[] = ".admin";

/* HOST:PORT as it is reached from here: whoever listens everywhere listens at loopback, too. */
static bool read_address(char address[TARGET_ADDRESS_SIZE], const char *text, size_t size)
{
    uint64_t port;
    char copy[TARGET_ADDRESS_SIZE];
    if (size == 0 || size >= sizeof copy)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    char *colon = strrchr(copy, ':');
    if (colon == NULL || colon == copy || !config_u64(colon + 1, 1, 65535, &port))
        return false;
    *colon = '\0';
    for (const char *at = copy; *at != '\0'; at++) {
        if (!isalnum((unsigned char)*at) && strchr("-._:[]", *at) == NULL)
            return false;
    }
    bool everywhere = strcmp(copy, "0.0.0.0") == 0 || strcmp(copy, "[::]") == 0;
    snprintf(address, TARGET_ADDRESS_SIZE, "%.255s:%u", everywhere ? "127.0.0.1" : copy,
             (unsigned)port);
    return true;
}

const char *target_shown(const struct target *t)
{
    static const char *const prefixes[] = {"gateway-", "strategy-"};
    for (unsigned i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t size = strlen(prefixes[i]);
        if (strcmp(t->name, t->address) != 0 && strncmp(t->name, prefixes[i], size) == 0)
            return t->name + size;
    }
    return t->name;
}

/* ---- files ---- */

struct found {
    struct target target;
    struct timespec changed;
};

static bool is_name(const char *file, size_t *size)
{
    size_t all = strlen(file), end = sizeof suffix - 1;
    *size = all - end;
    return all > end && *size < TARGET_NAME_SIZE && strcmp(file + *size, suffix) == 0;
}

/* A file that cannot be read, or says something else, is a target without an address. */
static void read_file(struct found *f, const char *path)
{
    char line[TARGET_ADDRESS_SIZE] = "";
    struct stat stat;
    FILE *file = fopen(path, "re");
    f->target.address[0] = '\0';
    if (file == NULL)
        return;
    if (fgets(line, sizeof line, file) != NULL && fstat(fileno(file), &stat) == 0) {
        f->changed = stat.st_mtim;
        (void)read_address(f->target.address, line, strcspn(line, "\n"));
    }
    fclose(file);
}

static bool older(const struct found *a, const struct found *b)
{
    return a->changed.tv_sec != b->changed.tv_sec ? a->changed.tv_sec < b->changed.tv_sec
                                                  : a->changed.tv_nsec < b->changed.tv_nsec;
}

static int by_name(const void *a, const void *b)
{
    return strverscmp(((const struct found *)a)->target.name,
                      ((const struct found *)b)->target.name);
}

/* Without the addresses that have passed to a younger file. */
static void keep_addresses(struct targets *t, const struct found *all, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        bool passed = false;
        for (unsigned k = 0; k < count; k++)
            passed = passed || (strcmp(all[i].target.address, all[k].target.address) == 0 &&
                                older(&all[i], &all[k]));
        t->at[i] = all[i].target;
        if (passed)
            t->at[i].address[0] = '\0';
    }
    t->count = count;
}

void targets_find(struct targets *t, const char *run_dir)
{
    static struct found all[TARGETS_MAX];
    char path[SETTING_TEXT_SIZE + 300];
    unsigned count = 0;
    size_t size;
    DIR *directory = opendir(run_dir);
    struct dirent *entry;
    while (directory != NULL && count < TARGETS_MAX && (entry = readdir(directory)) != NULL) {
        if (!is_name(entry->d_name, &size))
            continue;
        struct found *f = &all[count++];
        memset(f, 0, sizeof *f);
        memcpy(f->target.name, entry->d_name, size);
        snprintf(path, sizeof path, "%s/%s", run_dir, entry->d_name);
        read_file(f, path);
    }
    if (directory != NULL)
        closedir(directory);
    qsort(all, count, sizeof all[0], by_name);
    keep_addresses(t, all, count);
}

/* ---- lists ---- */

bool targets_read(struct targets *t, const char *list, char error[TARGET_ERROR_SIZE])
{
    t->count = 0;
    for (const char *at = list;; at++) {
        size_t size = strcspn(at, ",");
        struct target *one = &t->at[t->count];
        if (t->count == TARGETS_MAX) {
            snprintf(error, TARGET_ERROR_SIZE, "expected at most %d addresses", TARGETS_MAX);
            return false;
        }
        if (!read_address(one->address, at, size)) {
            snprintf(error, TARGET_ERROR_SIZE, "found \"%.*s\", expected HOST:PORT",
                     (int)(size < 256 ? size : 256), at);
            return false;
        }
        memcpy(one->name, one->address, sizeof one->name);
        t->count++;
        at += size;
        if (*at == '\0')
            return true;
    }
}

void targets_of(struct targets *t, const char *command, const struct cluster *c, const char *list)
{
    char error[TARGET_ERROR_SIZE];
    if (list == NULL) {
        targets_find(t, c->settings.run_dir);
    } else if (!targets_read(t, list, error)) {
        fprintf(stderr, "outcry %s: %s\n", command, error);
        exit(2);
    }
}
