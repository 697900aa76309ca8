/* certificate: one key of one identity in a file, as CZMQ's zcert writes it:
 *
 *     metadata
 *         name = "gateway"             who it is: the User-Id of its connections
 *         role = "gateway"             what it may do
 *         accounts = "alice,bob"       only for these; left out: for all
 *     curve
 *         public-key = "..."           40 characters of Z85
 *         secret-key = "..."           in a secret file only
 *
 * zcert writes them. It does not read them here: zcert_load takes any text for a key and complains
 * on stdout, and a mistake is to be told in words. Thread: any. */
#ifndef OUTCRY_BUS_CERTIFICATE_H
#define OUTCRY_BUS_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    CERTIFICATE_NAME_SIZE = 33,
    CERTIFICATE_ROLE_SIZE = 17,
    CERTIFICATE_ACCOUNTS_SIZE = 512,
    CERTIFICATE_KEY_SIZE = 41, /* Z85 and a NUL */
    CERTIFICATE_ERROR_SIZE = 512,
};

struct certificate {
    char name[CERTIFICATE_NAME_SIZE];
    char role[CERTIFICATE_ROLE_SIZE];
    char accounts[CERTIFICATE_ACCOUNTS_SIZE]; /* "": all */
    char public_key[CERTIFICATE_KEY_SIZE];
    char secret_key[CERTIFICATE_KEY_SIZE]; /* "": none */
};

/* Names of accounts, 1 to 32 of A-Z a-z 0-9 _ -, with commas between them. */
bool certificate_is_accounts(const char *text);

/* Whether the account, size bytes, is one of the list's; an empty list has all. */
bool certificate_has_account(const char *accounts, const char *account, size_t size);

/* False with error in words if there is no such file, or it is not a certificate: no name, no role,
 * no key, or a secret key that is not the public one's. */
bool certificate_read(struct certificate *c, const char *file, char error[CERTIFICATE_ERROR_SIZE]);

/* A new pair of keys for it. */
void certificate_draw(struct certificate *c);

/* Write it, with the secret key (mode 0600) or without (0644). The file is there whole or not at
 * all, and one that is there already is left as it is: an error. */
bool certificate_write(const struct certificate *c, const char *file, bool secret,
                       char error[CERTIFICATE_ERROR_SIZE]);

#endif
