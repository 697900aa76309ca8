#include "gateway/tls_certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* Of TLS 1.2; those of 1.3 are all of this kind. */
#define CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

static const char expected[] = "expected a PEM file with a private key and its certificates";

enum { FILE_SIZE_MAX = 1 << 20, WORDS_SIZE = 160 };

static bool refuse(char error[TLS_CERTIFICATE_ERROR_SIZE], const char *path, const char *found)
{
    snprintf(error, TLS_CERTIFICATE_ERROR_SIZE, "tls_certificate: found %s, %.120s; %s", path,
             found, expected);
    return false;
}

/* In libssl's words, where it has any. */
static bool refuse_by_library(char error[TLS_CERTIFICATE_ERROR_SIZE], const char *path,
                              const char *found)
{
    char words[WORDS_SIZE];
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    snprintf(words, sizeof words, "%s (%s)", found, reason == NULL ? "no reason given" : reason);
    return refuse(error, path, words);
}

/* ---- the file ---- */

static ssize_t read_all(int fd, char *bytes, size_t size)
{
    size_t total = 0;
    ssize_t more = 1;
    while (more > 0 && total < size) {
        more = read(fd, bytes + total, size - total);
        total += more > 0 ? (size_t)more : 0;
    }
    return more < 0 ? -1 : (ssize_t)total;
}

/* All of it, in one look, so that key and certificates are of one file even while it is replaced.
 * The caller frees it with its key. */
static BIO *open_file(struct tls_certificate *c, const char *path, char *error)
{
    struct stat status;
    BIO *bio = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *bytes = malloc(FILE_SIZE_MAX);
    ssize_t size = -1;
    if (fd >= 0 && bytes != NULL && fstat(fd, &status) == 0)
        size = read_all(fd, bytes, FILE_SIZE_MAX);
    if (size < 0) {
        char words[WORDS_SIZE];
        snprintf(words, sizeof words, "which cannot be read (%s)", strerror(errno));
        refuse(error, path, words);
    } else if (size == FILE_SIZE_MAX) {
        refuse(error, path, "which is 1 MiB or larger");
    } else {
        c->exposed = (status.st_mode & S_IROTH) != 0;
        bio = BIO_new(BIO_s_mem());
        if (bio == NULL || BIO_write(bio, bytes, (int)size) != size)
            refuse(error, path, "for which there is no memory");
    }
    if (bytes != NULL)
        OPENSSL_cleanse(bytes, FILE_SIZE_MAX);
    free(bytes);
    if (fd >= 0)
        close(fd);
    return bio;
}

static int no_passphrase(char *buffer, int size, int writing, void *self)
{
    (void)buffer, (void)size, (void)writing, (void)self;
    return -1; /* nobody is there to be asked */
}

/* ---- its contents ---- */

static bool take_key(struct tls_certificate *c, const char *path, BIO *bio, char *error)
{
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    if (key == NULL)
        return refuse_by_library(error, path,
                                 "in which no private key without a passphrase can be read");
    bool taken = SSL_CTX_use_PrivateKey(c->context, key) == 1;
    EVP_PKEY_free(key);
    return taken || refuse_by_library(error, path, "whose key cannot be used");
}

static uint64_t unix_ns(const ASN1_TIME *time)
{
    struct tm parts;
    time_t seconds = ASN1_TIME_to_tm(time, &parts) == 1 ? timegm(&parts) : 0;
    return seconds < 0 ? 0 : (uint64_t)seconds * NS_PER_SECOND;
}

static void describe(struct tls_certificate *c, X509 *leaf)
{
    BIO *bio = BIO_new(BIO_s_mem());
    int size = -1;
    if (bio != NULL &&
        X509_NAME_print_ex(bio, X509_get_subject_name(leaf), 0,
                           XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0)
        size = BIO_read(bio, c->subject, sizeof c->subject - 1);
    c->subject[size < 0 ? 0 : size] = '\0';
    BIO_free(bio);
    c->not_after_ns = unix_ns(X509_get0_notAfter(leaf));
    c->expired = X509_cmp_current_time(X509_get0_notBefore(leaf)) > 0 ||
                 X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0;
}

/* The first is the gateway's; those behind it lead to its root. */
static bool take_certificates(struct tls_certificate *c, const char *path, BIO *bio, char *error)
{
    unsigned count = 0;
    X509 *one;
    while ((one = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL)) != NULL) {
        bool taken = count == 0 ? SSL_CTX_use_certificate(c->context, one) == 1
                                : SSL_CTX_add1_chain_cert(c->context, one) == 1;
        if (count++ == 0)
            describe(c, one);
        X509_free(one);
        if (!taken)
            return refuse_by_library(error, path, "whose certificates cannot be used");
    }
    unsigned long why = ERR_peek_last_error();
    bool at_end = ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE;
    if (!at_end)
        return refuse_by_library(error, path, "in which a certificate cannot be read");
    return count > 0 || refuse(error, path, "in which there is no certificate");
}

/* The key first: a certificate that is not its own makes libssl forget it. */
static bool take_all(struct tls_certificate *c, const char *path, BIO *bio, char *error)
{
    char *bytes;
    long size = BIO_get_mem_data(bio, &bytes);
    BIO *again =
        BIO_new_mem_buf(bytes, (int)size); /* for each kind, all of the file is looked at */
    ERR_clear_error();
    bool fine = again == NULL ? refuse(error, path, "in which there is nothing")
                              : take_key(c, path, again, error);
    BIO_free(again);
    ERR_clear_error();
    return fine && take_certificates(c, path, bio, error) &&
           (SSL_CTX_check_private_key(c->context) == 1 ||
            refuse(error, path, "whose key is not that of its first certificate"));
}

/* ---- the context ---- */

static int select_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_size,
                           const unsigned char *in, unsigned in_size, void *self)
{
    static const unsigned char http[] = "\x08http/1.1";
    unsigned char *selected;
    (void)ssl, (void)self;
    if (SSL_select_next_proto(&selected, out_size, http, sizeof http - 1, in, in_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = selected;
    return SSL_TLSEXT_ERR_OK;
}

/* A connection that ends without a close_notify ends as one over plain TCP does: requests and
 * frames say how long they are. Writes go from wherever the bytes are, and may take a part. */
static bool set_up(SSL_CTX *context)
{
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, select_protocol, NULL);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, CIPHERS) == 1;
}

bool tls_certificate_load(struct tls_certificate *c, const char *path,
                          char error[TLS_CERTIFICATE_ERROR_SIZE])
{
    *c = (struct tls_certificate){.context = SSL_CTX_new(TLS_server_method())};
    if (c->context == NULL || !set_up(c->context)) {
        tls_certificate_close(c);
        return refuse_by_library(error, path, "but libssl cannot begin");
    }
    BIO *bio = open_file(c, path, error);
    bool fine = bio != NULL && take_all(c, path, bio, error);
    BIO_free(bio);
    ERR_clear_error();
    if (!fine)
        tls_certificate_close(c);
    return fine;
}

void tls_certificate_close(struct tls_certificate *c)
{
    SSL_CTX_free(c->context);
    c->context = NULL;
}
