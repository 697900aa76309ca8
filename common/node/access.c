#include "node/access.h"

#include <string.h>

const char *const access_roles[ACCESS_ROLE_COUNT] = ACCESS_ROLES;

static const struct row {
    const char *socket;
    const char *binder;
    const char *roles;
    bool limited;
} rows[] = {
#define ROW(socket, binder, roles, limited) {#socket, binder, roles, limited},
    ACCESS_TABLE(ROW)
#undef ROW
};

static const struct row *row_of(const char *socket)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].socket, socket) == 0)
            return &rows[i];
    }
    return NULL;
}

/* Whether the word is one of those in the list. */
static bool has_word(const char *list, const char *word)
{
    size_t size = strlen(word);
    while (*list != '\0') {
        size_t next = strcspn(list, " ");
        if (next == size && memcmp(list, word, size) == 0)
            return true;
        list += next + (list[next] == ' ');
    }
    return false;
}

static bool is_role(const char *role)
{
    for (unsigned i = 0; i < ACCESS_ROLE_COUNT; i++) {
        if (strcmp(access_roles[i], role) == 0)
            return true;
    }
    return false;
}

static const char *binder(const char *socket)
{
    const struct row *row = row_of(socket);
    return row == NULL ? NULL : row->binder;
}

static bool may_connect(const char *socket, const char *role, bool limited)
{
    const struct row *row = row_of(socket);
    return row != NULL && has_word(row->roles, role) && (row->limited || !limited);
}

const struct guard_rules access_rules = {is_role, binder, may_connect};

bool access_guard(const struct cluster *c, const char *role, void *context, guard_t **g,
                  char error[KEYS_ERROR_SIZE])
{
    char directory[CLUSTER_ADDRESS_SIZE];
    *g = NULL;
    if (strcmp(c->settings.keys_dir, "none") == 0)
        return true;
    cluster_address(c, c->settings.keys_dir, 0, directory);
    *g = guard_open(context, directory, role, &access_rules, error);
    return *g != NULL;
}

bool access_owns(const struct guard_sender *who, const char *origin, size_t size)
{
    size_t own = strlen(who->name);
    return size >= own && memcmp(origin, who->name, own) == 0 &&
           (size == own || (origin[own] == '-' && who->accounts[0] == '\0'));
}
