/* keys: a directory of certificates: who there is, and by which keys they are known.
 *
 *     NAME.secret        the pair NAME uses (certificate.h)
 *     NAME.public        what others know it by
 *     NAME.next.secret, NAME.next.public     the pair to come: accepted already
 *     NAME.old.public    of the pair before: accepted still
 *
 * NAME is a role, or an identity beside the roles. Every process has all the public files, and of
 * the secret ones only its own: who has another's can be it. So a secret file may be read by its
 * owner and, where a cluster's machinery must, by its group (0440), and by nobody else.
 *
 * What is read is the same whatever the order of the files. Thread: any; a struct keys is plain
 * data. */
#ifndef OUTCRY_BUS_KEYS_H
#define OUTCRY_BUS_KEYS_H

#include <stdint.h>

#include "bus/certificate.h"

enum { KEYS_MAX = 256, KEYS_PATH_SIZE = 1024, KEYS_ERROR_SIZE = CERTIFICATE_ERROR_SIZE };

enum key_state { KEY_CURRENT, KEY_NEXT, KEY_OLD, KEY_STATE_COUNT };

struct key {
    enum key_state state;
    struct certificate certificate; /* without its secret key */
};

struct keys {
    struct key keys[KEYS_MAX]; /* by name, then state */
    unsigned count;
};

/* "", ".next", ".old": what stands between name and kind in a file's name. */
const char *key_state_suffix(enum key_state state);

/* DIRECTORY/NAME[.STATE].public or .secret. */
void keys_path(const char *directory, const char *name, enum key_state state, bool secret,
               char path[KEYS_PATH_SIZE]);

/* Whether an identity that is no role may be called so: 1 to 32 of A-Z a-z 0-9 _. There is no dash
 * in it: NAME-... is NAME's to sign with, so no name may begin with another's and a dash. */
bool keys_is_name(const char *name);

/* Read every public file. A mistake is told in words: a directory that cannot be read, a file that
 * is no certificate or is another's, a key two identities have, more than KEYS_MAX. A key that
 * stands twice under one name, as for a moment in a promotion, stands once. */
bool keys_load(struct keys *k, const char *directory, bool (*is_role)(const char *role),
               char error[KEYS_ERROR_SIZE]);

/* The pair of the identity `name`. Refused in words: there is none, others may read it (it may be
 * written by its owner only), or it is not among the keys known for this name. */
bool keys_load_own(struct certificate *own, const struct keys *k, const char *directory,
                   const char *name, char error[KEYS_ERROR_SIZE]);

/* Of whom a public key is; NULL: nobody's. */
const struct key *keys_find(const struct keys *k, const char public_key[CERTIFICATE_KEY_SIZE]);

/* The n-th key of a name, as often round as asked for: current, next, old; NULL: it has none. */
const struct key *keys_of(const struct keys *k, const char *name, unsigned n);

/* Whether some key of `before` is not there any more, or is another's or for other accounts. */
bool keys_withdrawn(const struct keys *before, const struct keys *now);

/* Differs from what it was when a file of the directory has come, gone or changed. */
uint64_t keys_stamp(const char *directory);

#endif
