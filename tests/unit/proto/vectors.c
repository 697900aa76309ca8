#include "vectors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

const char *const vector_files[] = {"commands.jsonl",
                                    "requests.jsonl",
                                    "events.jsonl",
                                    "frames.jsonl",
                                    "later.jsonl",
                                    "refused.jsonl",
                                    NULL};

/* Copy the string behind the key, up to its quote, into `to`; where it began in the line. */
static const char *string_of(const char *line, const char *key, char *to, size_t to_size)
{
    const char *at = strstr(line, key);
    to[0] = 0;
    if (at == NULL)
        return NULL;
    at += strlen(key);
    size_t size = strcspn(at, "\"");
    if (to_size > 1) {
        CHECK(size < to_size);
        memcpy(to, at, size);
        to[size] = 0;
    }
    return at;
}

static unsigned digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = strchr(digits, c);
    CHECK(c != 0 && at != NULL);
    return (unsigned)(at - digits);
}

static struct vector vector_of(const char *line)
{
    struct vector v;
    char nothing[1];
    CHECK(string_of(line, "{\"name\": \"", v.name, sizeof v.name) != NULL);
    CHECK(string_of(line, "\"kind\": \"", v.kind, sizeof v.kind) != NULL);
    const char *hex = string_of(line, "\"hex\": \"", nothing, sizeof nothing);
    CHECK(hex != NULL);
    v.size = strcspn(hex, "\"") / 2;
    v.bytes = malloc(v.size > 0 ? v.size : 1);
    CHECK(v.bytes != NULL);
    for (size_t i = 0; i < v.size; i++)
        v.bytes[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    string_of(hex, "\"value\": \"", v.verdict, sizeof v.verdict);
    return v;
}

struct vectors vectors_load(const char *file)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", VECTORS_DIR, file);
    FILE *in = fopen(path, "r");
    if (in == NULL) {
        perror(path);
        exit(1);
    }
    struct vectors v = {NULL, 0};
    char *line = NULL;
    size_t room = 0;
    while (getline(&line, &room, in) > 0) {
        v.items = realloc(v.items, (v.count + 1) * sizeof *v.items);
        CHECK(v.items != NULL);
        v.items[v.count++] = vector_of(line);
    }
    CHECK(v.count > 0);
    free(line);
    fclose(in);
    return v;
}

void vectors_free(struct vectors *v)
{
    for (size_t i = 0; i < v->count; i++)
        free(v->items[i].bytes);
    free(v->items);
    *v = (struct vectors){NULL, 0};
}
