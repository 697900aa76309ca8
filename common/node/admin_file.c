#include "node/admin_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"

void admin_file_path(const struct cluster *c, const char *name, char path[ADMIN_FILE_SIZE])
{
    int size = snprintf(path, ADMIN_FILE_SIZE, "%s/%s.admin", c->settings.run_dir, name);
    CHECK(size > 0 && size < ADMIN_FILE_SIZE);
}

static bool write_all(const char *file, const char *text)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    return (close(fd) == 0) && written;
}

bool admin_file_write(const char *path, const char *address, char error[ADMIN_FILE_ERROR_SIZE])
{
    char temporary[ADMIN_FILE_SIZE + 8], line[SETTING_TEXT_SIZE + 16];
    snprintf(temporary, sizeof temporary, "%s.new", path);
    snprintf(line, sizeof line, "%s\n", address);
    if (write_all(temporary, line) && rename(temporary, path) == 0)
        return true;
    snprintf(error, ADMIN_FILE_ERROR_SIZE, "cannot write %.256s: %s", path, strerror(errno));
    return false;
}

void admin_file_remove(const char *path)
{
    (void)unlink(path);
}
