/* keys_parts: the parts of `outcry keys`. Each says on stdout what it did and what is next, or on
 * stderr what is wrong, and returns an exit status. */
#ifndef OUTCRY_CLI_KEYS_PARTS_H
#define OUTCRY_CLI_KEYS_PARTS_H

#include "bus/keys.h"
#include "node/access.h"

/* What was asked for. */
struct keys_order {
    const struct cluster *cluster; /* says where admin actions are recorded */
    const char *directory;
    const char *name; /* NULL: every role */
    const char *role, *accounts;
};

int keys_make(const struct keys_order *o);
int keys_list(const struct keys_order *o);
int keys_rotate(const struct keys_order *o);
int keys_promote(const struct keys_order *o);
int keys_retire(const struct keys_order *o);

/* Tell of a mistake; 1. */
int keys_fail(const char *what);

/* Record what was done to a name's keys. */
void keys_record(const struct keys_order *o, const char *action, const char *name);

/* A pair drawn anew for an identity, in both its files; false with error in words. */
bool keys_write_pair(const char *directory, struct certificate *c, enum key_state state,
                     char error[KEYS_ERROR_SIZE]);

#endif
