#include "base/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

enum { FIELDS_MAX = 16 };

/* Who asked for it, and by which process, stand before the rest. */
static size_t compose(char *line, const char *action, const char *actor,
                      const struct log_field *fields)
{
    struct log_field all[FIELDS_MAX + 1] = {LOG_TEXT("actor", actor), LOG_U64("pid", getpid())};
    unsigned count = 2;
    while (fields->key != NULL && count < FIELDS_MAX)
        all[count++] = *fields++;
    return log_compose_json(line, clock_wall_ns(), LOG_LEVEL_INFO, "audit", action, all);
}

/* Of a record that was cut short for want of space. */
static bool ends_within_a_line(const char *path)
{
    char last = '\n';
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    bool within = lseek(fd, -1, SEEK_END) >= 0 && read(fd, &last, 1) == 1 && last != '\n';
    close(fd);
    return within;
}

enum status audit_write(const char *path, const char *action, const char *actor,
                        const struct log_field *fields)
{
    char text[1 + LOG_LINE_SIZE_MAX] = "\n";
    if (strcmp(path, "none") == 0)
        return STATUS_OK;
    size_t size = 1 + compose(text + 1, action, actor, fields);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return STATUS_IO;
    const char *line = ends_within_a_line(path) ? text : text + 1;
    size -= (size_t)(line - text);
    ssize_t written = write(fd, line, size);
    bool kept = written == (ssize_t)size && fsync(fd) == 0;
    if (written >= 0 && written < (ssize_t)size)
        errno = ENOSPC; /* cut short; nothing else does that */
    int why = errno;
    close(fd);
    errno = why;
    return kept ? STATUS_OK : STATUS_IO;
}

static const char *name_of(uid_t uid)
{
    const struct passwd *found = getpwuid(uid);
    return found == NULL ? "?" : found->pw_name;
}

void audit_actor(char actor[AUDIT_ACTOR_SIZE])
{
    const char *behind = getenv("SUDO_USER");
    int size =
        snprintf(actor, AUDIT_ACTOR_SIZE, "%.32s (uid %u)", name_of(getuid()), (unsigned)getuid());
    if (behind != NULL && getuid() == 0)
        snprintf(actor + size, AUDIT_ACTOR_SIZE - (size_t)size, ", called by %.32s", behind);
}
