#include "cli/rest.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 15000, ANSWER_SIZE_MAX = 64 << 20 };

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

static CURLcode perform(CURL *curl, const char *method, const char *url, const char *body,
                        struct text_buffer *into)
{
    struct curl_slist *headers = NULL;
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

bool rest_ready(const char *base)
{
    char url[2 * REST_URL_SIZE];
    struct text_buffer into = {NULL, 0};
    long status = 0;
    CURL *curl = curl_easy_init();
    snprintf(url, sizeof url, "%s/readyz", base);
    if (curl != NULL && perform(curl, "GET", url, NULL, &into) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_cleanup(curl);
    free(into.text);
    return status == 200;
}

bool rest_ask(const char *command, const char *method, const char *base, const char *path,
              const json_t *body, struct rest_answer *answer)
{
    char url[2 * REST_URL_SIZE];
    struct text_buffer into = {calloc(1, 1), 0};
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    CURL *curl = curl_easy_init();
    CURLcode code = CURLE_FAILED_INIT;
    *answer = (struct rest_answer){0, NULL, NULL};
    snprintf(url, sizeof url, "%s%s", base, path);
    if (curl != NULL && into.text != NULL)
        code = perform(curl, method, url, text, &into);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    curl_easy_cleanup(curl);
    free(text);
    answer->text = into.text;
    if (code != CURLE_OK) {
        bool sent = code != CURLE_COULDNT_CONNECT && code != CURLE_COULDNT_RESOLVE_HOST &&
                    code != CURLE_FAILED_INIT && code != CURLE_URL_MALFORMAT;
        fprintf(stderr,
                sent ? "outcry %s: the answer of %s did not come (%s); what was asked may have "
                       "been done: look before you repeat it\n"
                     : "outcry %s: no gateway answers at %s (%s); is a cluster running "
                       "(./outcry up)?\n",
                command, base, curl_easy_strerror(code));
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

void rest_base(const struct cluster *c, char base[REST_URL_SIZE])
{
    const char *address = c->settings.gateway_address;
    bool everywhere = strncmp(address, "0.0.0.0:", 8) == 0; /* is reached at loopback, too */
    snprintf(base, REST_URL_SIZE, "http://%s%s", everywhere ? "127.0.0.1:" : "",
             everywhere ? address + 8 : address);
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
