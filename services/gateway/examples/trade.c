/* Place an order, read it back, cancel it: C, with libcurl (Debian's libcurl4-openssl-dev).
 *
 *     ./outcry up                                                   in one terminal
 *     cc -Wall -o /tmp/trade services/gateway/examples/trade.c -lcurl
 *     /tmp/trade                                                    in another
 *     /tmp/trade http://127.0.0.1:8000 AAPL 10 0.01                 where, what, how much, at
 *
 * Answers are printed as they come. The one thing read out of them is where they stand, X-At, so
 * that what is read back is at least as new; in a program, a JSON library does the rest. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static CURL *curl;
static char at[128]; /* where the last answer that said so stood */

static size_t take_header(char *line, size_t size, size_t count, void *self)
{
    (void)self;
    if (strncasecmp(line, "X-At: ", 6) == 0)
        snprintf(at, sizeof at, "%.*s", (int)strcspn(line + 6, "\r\n"), line + 6);
    return size * count;
}

/* body: NULL for requests that have none. Ends the program if the answer is not a success; 202 is
 * none: the order may yet be executed, and asking for it by its name says whether it was. */
static void ask(const char *method, const char *url, const char *body)
{
    char error[CURL_ERROR_SIZE] = "";
    long status = 0;
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_reset(curl); /* the connection stays */
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    if (body != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    }
    printf("%s %s\n", method, url);
    fflush(stdout);
    CURLcode result = curl_easy_perform(curl); /* writes the answer to stdout */
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    printf("\n");
    curl_slist_free_all(headers);
    if (result != CURLE_OK || (status != 200 && status != 201)) {
        fprintf(stderr, "trade: %s: %s%ld\n", url, error, status);
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv)
{
    const char *base = argc > 1 ? argv[1] : "http://127.0.0.1:8000";
    const char *symbol = argc > 2 ? argv[2] : "BTC-USD";
    const char *quantity = argc > 3 ? argv[3] : "0.5";
    const char *price = argc > 4 ? argv[4] : "0.01";
    char name[32], url[512], body[512];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    curl = curl_easy_init();
    if (curl == NULL)
        return EXIT_FAILURE;

    /* A name of our own makes it safe to send again: the same order is never placed twice. */
    snprintf(name, sizeof name, "c-%lld", (long long)time(NULL));
    snprintf(url, sizeof url, "%s/api/v1/orders", base);
    snprintf(body, sizeof body,
             "{\"symbol\":\"%s\",\"side\":\"buy\",\"type\":\"limit\",\"quantity\":\"%s\","
             "\"price\":\"%s\",\"client_order_id\":\"%s\"}",
             symbol, quantity, price, name);
    ask("POST", url, body);

    snprintf(url, sizeof url, "%s/api/v1/orders/client:%s?symbol=%s&min_at=%s", base, name, symbol,
             at);
    ask("GET", url, NULL);

    snprintf(url, sizeof url, "%s/api/v1/orders/client:%s?symbol=%s", base, name, symbol);
    ask("DELETE", url, NULL);

    curl_easy_cleanup(curl);
    curl_global_cleanup();
    return EXIT_SUCCESS;
}
