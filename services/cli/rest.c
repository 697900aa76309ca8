#include "cli/rest.h"

#include <ctype.h>
#include <curl/curl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 15000, ANSWER_SIZE_MAX = 64 << 20, PIN_SIZE = 64 };

struct text_buffer {
    char *text;
    size_t size;
};

static size_t on_bytes(char *bytes, size_t one, size_t count, void *self)
{
    struct text_buffer *b = self;
    (void)one; /* libcurl's is always 1 */
    if (b->size + count > ANSWER_SIZE_MAX)
        return 0;
    char *more = realloc(b->text, b->size + count + 1);
    if (more == NULL)
        return 0;
    b->text = more;
    memcpy(b->text + b->size, bytes, count);
    b->size += count;
    b->text[b->size] = '\0';
    return count;
}

/* The public key of the file's first certificate, as libcurl wants it told. */
static bool find_pin(const char *path, char pin[PIN_SIZE])
{
    unsigned char *key = NULL, digest[EVP_MAX_MD_SIZE];
    unsigned digest_size = 0;
    BIO *file = BIO_new_file(path, "r");
    X509 *certificate = file == NULL ? NULL : PEM_read_bio_X509(file, NULL, NULL, NULL);
    int size = certificate == NULL ? -1 : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
    bool found =
        size > 0 && EVP_Digest(key, (size_t)size, digest, &digest_size, EVP_sha256(), NULL) == 1;
    if (found) {
        int prefix = snprintf(pin, PIN_SIZE, "sha256//");
        (void)EVP_EncodeBlock((unsigned char *)pin + prefix, digest, (int)digest_size);
    }
    OPENSSL_free(key);
    X509_free(certificate);
    BIO_free(file);
    return found;
}

/* Its certificate is the one trusted, whoever signed it; that its key is there makes its name
 * needless: the address may be that of a name not in it. */
static CURLcode set_trust(CURL *curl, const struct rest_gateway *gateway)
{
    char pin[PIN_SIZE];
    if (gateway->certificate[0] == '\0')
        return CURLE_OK;
    if (!find_pin(gateway->certificate, pin))
        return CURLE_SSL_CACERT_BADFILE;
    curl_easy_setopt(curl, CURLOPT_CAINFO, gateway->certificate);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    return curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, pin);
}

static CURLcode perform(CURL *curl, const struct rest_gateway *gateway, const char *method,
                        const char *path, const char *body, struct text_buffer *into)
{
    char url[2 * REST_URL_SIZE];
    struct curl_slist *headers = NULL;
    CURLcode trust = set_trust(curl, gateway);
    if (trust != CURLE_OK)
        return trust;
    snprintf(url, sizeof url, "%s%s", gateway->url, path);
    if (body != NULL)
        headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, into);
    if (body != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    CURLcode code = curl_easy_perform(curl);
    curl_slist_free_all(headers);
    return code;
}

bool rest_ready(const struct rest_gateway *gateway)
{
    struct text_buffer into = {NULL, 0};
    long status = 0;
    CURL *curl = curl_easy_init();
    if (curl != NULL && perform(curl, gateway, "GET", "/readyz", NULL, &into) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    free(into.text);
    return status == 200;
}

static void explain(const char *command, const struct rest_gateway *gateway, CURLcode code)
{
    const char *why = curl_easy_strerror(code);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_FAILED_INIT:
    case CURLE_URL_MALFORMAT:
        fprintf(stderr,
                "outcry %s: no gateway answers at %s (%s); is a cluster running (./outcry up)?\n",
                command, gateway->url, why);
        break;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
        fprintf(stderr,
                "outcry %s: nothing was asked: what answers at %s is not trusted (%s); expected "
                "the certificate in %s (tls_certificate)\n",
                command, gateway->url, why, gateway->certificate);
        break;
    default:
        fprintf(stderr,
                "outcry %s: the answer of %s did not come (%s); what was asked may have been done: "
                "look before you repeat it\n",
                command, gateway->url, why);
    }
}

bool rest_ask(const char *command, const char *method, const struct rest_gateway *gateway,
              const char *path, const json_t *body, struct rest_answer *answer)
{
    struct text_buffer into = {calloc(1, 1), 0};
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    CURL *curl = curl_easy_init();
    CURLcode code = CURLE_FAILED_INIT;
    *answer = (struct rest_answer){0, NULL, NULL};
    if (curl != NULL && into.text != NULL)
        code = perform(curl, gateway, method, path, text, &into);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_cleanup(curl);
    free(text);
    answer->text = into.text;
    if (code != CURLE_OK) {
        explain(command, gateway, code);
        rest_free(answer);
        return false;
    }
    answer->json = json_loads(answer->text, 0, NULL);
    return true;
}

void rest_free(struct rest_answer *answer)
{
    json_decref(answer->json);
    free(answer->text);
    *answer = (struct rest_answer){0, NULL, NULL};
}

int rest_refused(const char *command, const struct rest_answer *answer)
{
    const char *detail = rest_text(answer->json, "detail");
    fprintf(stderr, "outcry %s: %s (%ld %s", command,
            detail[0] == '\0' ? "the gateway refused" : detail, answer->status,
            rest_text(answer->json, "error"));
    fprintf(stderr, ", outcome %s, request %s)\n", rest_text(answer->json, "outcome"),
            rest_text(answer->json, "request_id"));
    return 1;
}

const char *rest_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

void rest_gateway(const struct cluster *c, struct rest_gateway *gateway)
{
    const char *address = c->settings.gateway_address;
    bool everywhere = strncmp(address, "0.0.0.0:", 8) == 0; /* is reached at loopback, too */
    bool tls = strcmp(c->settings.tls_certificate, "none") != 0;
    snprintf(gateway->url, sizeof gateway->url, "%s://%s%s", tls ? "https" : "http",
             everywhere ? "127.0.0.1:" : "", everywhere ? address + 8 : address);
    snprintf(gateway->certificate, sizeof gateway->certificate, "%s",
             tls ? c->settings.tls_certificate : "");
}

static void take_out(int *argc, char **argv, int at, int count)
{
    memmove(&argv[at], &argv[at + count], (size_t)(*argc - at - count + 1) * sizeof argv[0]);
    *argc -= count;
}

const char *rest_text_flag(int *argc, char **argv, const char *flag)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], flag) != 0)
            continue;
        if (i + 1 == *argc) {
            fprintf(stderr, "outcry: %s: found nothing, expected a value after it\n", flag);
            exit(2);
        }
        const char *value = argv[i + 1];
        take_out(argc, argv, i, 2);
        return value;
    }
    return NULL;
}

bool rest_flag(int *argc, char **argv, const char *flag)
{
    for (int i = 1; i < *argc; i++) {
        if (strcmp(argv[i], flag) == 0) {
            take_out(argc, argv, i, 1);
            return true;
        }
    }
    return false;
}

void rest_escape(char *out, size_t size, const char *text)
{
    size_t at = 0;
    for (; *text != '\0' && at + 4 < size; text++) {
        if (isalnum((unsigned char)*text) || strchr("-_.:~", *text) != NULL)
            out[at++] = *text;
        else
            at += (size_t)snprintf(out + at, size - at, "%%%02X", (unsigned char)*text);
    }
    out[at] = '\0';
}
