#include "cli/fetch.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/rest.h"

/* An answer on its way. */
struct transfer {
    CURL *curl;
    FILE *into;
    struct fetched *answer;
};

static size_t on_bytes(char *bytes, size_t one, size_t count, void *self)
{
    struct transfer *t = self;
    (void)one; /* libcurl's is always 1 */
    if (t->answer->size + count > FETCH_SIZE_MAX || fwrite(bytes, 1, count, t->into) != count)
        return 0;
    t->answer->size += count;
    return count;
}

static void say(struct fetched *answer, const char *words)
{
    snprintf(answer->error, sizeof answer->error, "%s", words);
}

/* Nothing to be done but to tell, if there is no address or no memory. */
static void begin(CURLM *all, struct transfer *t, const struct target *target, const char *path,
                  unsigned timeout_ms)
{
    char url[TARGET_ADDRESS_SIZE + 64];
    if (target->address[0] == '\0') {
        say(t->answer, "it has ended, and left its .admin file behind");
        return;
    }
    say(t->answer, "there is no memory to ask it");
    t->into = open_memstream(&t->answer->text, &t->answer->size);
    t->curl = t->into == NULL ? NULL : curl_easy_init();
    if (t->curl == NULL)
        return;
    snprintf(url, sizeof url, "http://%s%s", target->address, path);
    curl_easy_setopt(t->curl, CURLOPT_URL, url);
    curl_easy_setopt(t->curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(t->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(t->curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->curl, CURLOPT_PRIVATE, t);
    curl_multi_add_handle(all, t->curl);
}

static void finish(struct transfer *t, CURLcode code, unsigned timeout_ms)
{
    char words[FETCH_ERROR_SIZE];
    if (code == CURLE_OK) {
        curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->answer->status);
        say(t->answer, "");
        return;
    }
    if (code == CURLE_COULDNT_CONNECT)
        snprintf(words, sizeof words, "nobody listens there");
    else if (code == CURLE_OPERATION_TIMEDOUT)
        snprintf(words, sizeof words, "no answer within %u ms", timeout_ms);
    else
        snprintf(words, sizeof words, "%s", curl_easy_strerror(code));
    say(t->answer, words);
}

static void run(CURLM *all, unsigned timeout_ms)
{
    int running = 0, left;
    do {
        CURLMcode code = curl_multi_perform(all, &running);
        for (CURLMsg *m; (m = curl_multi_info_read(all, &left)) != NULL;) {
            struct transfer *t = NULL;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &t);
            if (m->msg == CURLMSG_DONE)
                finish(t, m->data.result, timeout_ms);
        }
        if (code != CURLM_OK)
            break;
        if (running > 0)
            curl_multi_poll(all, NULL, 0, 100, NULL);
    } while (running > 0);
}

void fetch_all(const struct targets *t, const char *path, unsigned timeout_ms,
               struct fetched *answers)
{
    static struct transfer transfers[TARGETS_MAX];
    CURLM *all = curl_multi_init();
    for (unsigned i = 0; i < t->count; i++) {
        transfers[i] = (struct transfer){NULL, NULL, &answers[i]};
        answers[i] = (struct fetched){0, NULL, 0, "there is no memory to ask it"};
        if (all != NULL)
            begin(all, &transfers[i], &t->at[i], path, timeout_ms);
    }
    if (all != NULL)
        run(all, timeout_ms);
    for (unsigned i = 0; i < t->count; i++) {
        if (transfers[i].curl != NULL)
            curl_multi_remove_handle(all, transfers[i].curl);
        curl_easy_cleanup(transfers[i].curl);
        if (transfers[i].into != NULL)
            fclose(transfers[i].into);
        if (answers[i].status == 0) {
            free(answers[i].text);
            answers[i].text = NULL;
            answers[i].size = 0;
        }
    }
    curl_multi_cleanup(all);
}

void fetch_free(struct fetched *answers, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        free(answers[i].text);
        answers[i].text = NULL;
    }
}

void fetch_why(const struct fetched *answer, char why[FETCH_WHY_SIZE])
{
    json_t *json = answer->text == NULL ? NULL : json_loads(answer->text, 0, NULL);
    const char *detail = rest_text(json, "detail"), *status = rest_text(json, "status");
    if (answer->text == NULL)
        snprintf(why, FETCH_WHY_SIZE, "%s", answer->error);
    else
        snprintf(why, FETCH_WHY_SIZE, "%.*s", (int)strcspn(answer->text, "\r\n"), answer->text);
    if (*detail != '\0' || *status != '\0')
        snprintf(why, FETCH_WHY_SIZE, "%s", *detail != '\0' ? detail : status);
    json_decref(json);
    for (char *at = why; *at != '\0'; at++)
        *at = (char)(isprint((unsigned char)*at) ? *at : '.');
}
