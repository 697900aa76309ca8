#include "bus/certificate.h"

#include <czmq.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"

enum { FILE_SIZE_MAX = 4096, ACCOUNT_SIZE_MAX = 32 };

/* ---- accounts ---- */

static bool is_account(const char *text, size_t size)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    return size >= 1 && size <= ACCOUNT_SIZE_MAX && strspn(text, letters) >= size;
}

bool certificate_is_accounts(const char *text)
{
    for (;;) {
        size_t size = strcspn(text, ",");
        if (!is_account(text, size))
            return false;
        if (text[size] == '\0')
            return true;
        text += size + 1;
    }
}

bool certificate_has_account(const char *accounts, const char *account, size_t size)
{
    if (accounts[0] == '\0')
        return true;
    while (*accounts != '\0') {
        size_t next = strcspn(accounts, ",");
        if (next == size && memcmp(accounts, account, size) == 0)
            return true;
        accounts += next + (accounts[next] == ',');
    }
    return false;
}

/* ---- reading ---- */

static bool complain(char *error, const char *file, const char *what)
{
    snprintf(error, CERTIFICATE_ERROR_SIZE, "%.300s: %s", file, what);
    return false;
}

static bool read_text(const char *file, char text[FILE_SIZE_MAX + 1], char *error)
{
    FILE *f = fopen(file, "rb");
    if (f == NULL) {
        snprintf(error, CERTIFICATE_ERROR_SIZE, "%.300s: cannot read it: %s", file,
                 strerror(errno));
        return false;
    }
    size_t size = fread(text, 1, FILE_SIZE_MAX + 1, f);
    bool failed = ferror(f) != 0;
    fclose(f);
    if (failed || size > FILE_SIZE_MAX || memchr(text, '\0', size) != NULL)
        return complain(error, file, "it is not a certificate (`outcry keys` makes them)");
    text[size] = '\0';
    return true;
}

/* Where the value of `name = "value"` on this line goes; NULL: it is not one of ours. */
static char *place_of(struct certificate *c, const char *line, size_t *room)
{
    static const struct {
        const char *name;
        size_t offset, size;
    } places[] = {
        {"name", offsetof(struct certificate, name), sizeof c->name},
        {"role", offsetof(struct certificate, role), sizeof c->role},
        {"accounts", offsetof(struct certificate, accounts), sizeof c->accounts},
        {"public-key", offsetof(struct certificate, public_key), sizeof c->public_key},
        {"secret-key", offsetof(struct certificate, secret_key), sizeof c->secret_key},
    };
    size_t size = strcspn(line, " \t=");
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (strlen(places[i].name) == size && memcmp(places[i].name, line, size) == 0) {
            *room = places[i].size;
            return (char *)c + places[i].offset;
        }
    }
    return NULL;
}

/* False if the line says something of ours in a way that cannot be. */
static bool take_line(struct certificate *c, char *line)
{
    size_t room = 0;
    line += strspn(line, " \t");
    char *place = *line == '#' ? NULL : place_of(c, line, &room);
    char *value = strchr(line, '=');
    if (place == NULL)
        return true;
    if (value == NULL)
        return false; /* accounts without a word would be all of them */
    value += 1 + strspn(value + 1, " \t");
    char quote = *value;
    size_t size = strcspn(value, " \t\r");
    if (quote == '"' || quote == '\'') {
        char *end = strchr(++value, quote);
        if (end == NULL)
            return false;
        size = (size_t)(end - value);
    }
    if (size == 0 || size >= room || place[0] != '\0')
        return false;
    memcpy(place, value, size);
    place[size] = '\0';
    return true;
}

static bool is_key(const char *text)
{
    uint8_t bytes[32];
    return strlen(text) == CERTIFICATE_KEY_SIZE - 1 && zmq_z85_decode(bytes, text) != NULL;
}

static bool check(const struct certificate *c, const char *file, char *error)
{
    char own[CERTIFICATE_KEY_SIZE];
    if (!is_key(c->public_key) || (c->secret_key[0] != '\0' && !is_key(c->secret_key)))
        return complain(error, file,
                        "it is not a certificate: found no key of 40 characters (Z85) in it");
    if (c->name[0] == '\0' || c->role[0] == '\0')
        return complain(error, file, "found no name and role in it, expected both in its metadata");
    if (c->accounts[0] != '\0' && !certificate_is_accounts(c->accounts))
        return complain(error, file,
                        "accounts: expected names of 1 to 32 of A-Z a-z 0-9 _ - with commas");
    if (c->secret_key[0] != '\0' &&
        (zmq_curve_public(own, c->secret_key) != 0 || strcmp(own, c->public_key) != 0))
        return complain(error, file, "its secret key and its public key are not one pair");
    return true;
}

bool certificate_read(struct certificate *c, const char *file, char error[CERTIFICATE_ERROR_SIZE])
{
    char text[FILE_SIZE_MAX + 1];
    char *rest = text, *line;
    memset(c, 0, sizeof *c);
    bool fine = read_text(file, text, error);
    while (fine && (line = strsep(&rest, "\n")) != NULL) {
        if (!take_line(c, line))
            fine = complain(error, file,
                            "it is not a certificate: a value is missing, too long, or said twice");
    }
    explicit_bzero(text, sizeof text);
    return fine && check(c, file, error);
}

/* ---- writing ---- */

void certificate_draw(struct certificate *c)
{
    CHECK(zmq_curve_keypair(c->public_key, c->secret_key) == 0);
}

static bool save(const struct certificate *c, const char *file, bool secret)
{
    uint8_t public_key[32], secret_key[32];
    CHECK(zmq_z85_decode(public_key, c->public_key) != NULL);
    CHECK(zmq_z85_decode(secret_key, c->secret_key) != NULL);
    zcert_t *cert = zcert_new_from(public_key, secret_key);
    explicit_bzero(secret_key, sizeof secret_key);
    zcert_set_meta(cert, "name", "%s", c->name);
    zcert_set_meta(cert, "role", "%s", c->role);
    if (c->accounts[0] != '\0')
        zcert_set_meta(cert, "accounts", "%s", c->accounts);
    bool saved = (secret ? zcert_save_secret(cert, file) : zcert_save_public(cert, file)) == 0 &&
                 chmod(file, secret ? 0600 : 0644) == 0;
    zcert_destroy(&cert);
    return saved;
}

/* Whether what is on disk is what was meant: saving does not tell of a disk that is full. */
static bool kept(const struct certificate *c, const char *file, bool secret)
{
    char error[CERTIFICATE_ERROR_SIZE];
    struct certificate again;
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    bool same = synced && certificate_read(&again, file, error) &&
                strcmp(again.public_key, c->public_key) == 0 &&
                (!secret || strcmp(again.secret_key, c->secret_key) == 0);
    explicit_bzero(&again, sizeof again);
    if (synced && !same)
        errno = ENOSPC;
    return same;
}

bool certificate_write(const struct certificate *c, const char *file, bool secret,
                       char error[CERTIFICATE_ERROR_SIZE])
{
    char draft[FILE_SIZE_MAX];
    if ((size_t)snprintf(draft, sizeof draft, "%s.draft", file) >= sizeof draft)
        return complain(error, file, "its path is too long");
    (void)unlink(draft); /* of a run that was cut short */
    mode_t mask = umask(0077);
    bool written = save(c, draft, secret) && kept(c, draft, secret) && link(draft, file) == 0;
    int why = errno;
    umask(mask);
    (void)unlink(draft);
    if (!written)
        snprintf(error, CERTIFICATE_ERROR_SIZE, "%.300s: cannot write it: %s", file, strerror(why));
    return written;
}
