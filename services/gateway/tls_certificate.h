/* tls_certificate: the gateway's TLS key and certificates, from the one PEM file of the setting
 * tls_certificate, read whole and checked before anybody is served with them.
 *
 * The file holds a private key without a passphrase, the certificate that belongs to it, and then,
 * if there are any, those that lead to its root. Key and certificate may come in either order.
 * What is made of it speaks TLS 1.2 and 1.3, with forward secrecy and authenticated encryption
 * only. Pure but for reading the file. */
#ifndef OUTCRY_GATEWAY_TLS_CERTIFICATE_H
#define OUTCRY_GATEWAY_TLS_CERTIFICATE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

enum { TLS_CERTIFICATE_ERROR_SIZE = 384, TLS_CERTIFICATE_SUBJECT_SIZE = 128 };

struct tls_certificate {
    SSL_CTX *context; /* what connections are made of; counted by libssl */
    char subject[TLS_CERTIFICATE_SUBJECT_SIZE]; /* `CN=exchange.example`, cut if it is longer */
    uint64_t not_after_ns;                      /* Unix ns */
    bool expired;                               /* or not valid yet */
    bool exposed;                               /* everybody on this machine may read the key */
};

/* False, with error in words and nothing to close, if the file cannot be used.   Thread: any. */
bool tls_certificate_load(struct tls_certificate *c, const char *path,
                          char error[TLS_CERTIFICATE_ERROR_SIZE]);
void tls_certificate_close(struct tls_certificate *c);

#endif
