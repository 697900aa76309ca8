#include "tests/unit/services/page_check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 64, TAG_SIZE = 32 };

struct open_tags {
    char names[DEPTH_MAX][TAG_SIZE];
    unsigned count;
};

static bool wrong(char error[PAGE_ERROR_SIZE], const char *words, const char *at)
{
    snprintf(error, PAGE_ERROR_SIZE, "%s: %.80s", words, at);
    return false;
}

static bool is_void(const char *name)
{
    return strcmp(name, "meta") == 0 || strcmp(name, "!doctype") == 0;
}

/* Behind the `>` of the tag whose attributes begin at `at`; NULL: they are not well-formed. */
static const char *skip_attributes(const char *at, bool *self_closed)
{
    *self_closed = false;
    for (;;) {
        at += strspn(at, " \n");
        if (*at == '>')
            return at + 1;
        if (at[0] == '/' && at[1] == '>') {
            *self_closed = true;
            return at + 2;
        }
        size_t name = strspn(at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-0123456789");
        if (name == 0)
            return NULL;
        at += name;
        if (*at != '=')
            continue;
        if (at[1] != '"')
            return NULL;
        at = strchr(at + 2, '"');
        if (at == NULL)
            return NULL;
        at++;
    }
}

static bool close_tag(struct open_tags *t, const char *name, const char *at,
                      char error[PAGE_ERROR_SIZE])
{
    if (t->count == 0 || strcmp(t->names[t->count - 1], name) != 0)
        return wrong(error, "closes what is not open", at);
    t->count--;
    return true;
}

/* At a `<`: past the tag, and past the raw text of a script or style. NULL: wrong. */
static const char *take_tag(struct open_tags *t, const char *at, char error[PAGE_ERROR_SIZE])
{
    char name[TAG_SIZE];
    bool closing = at[1] == '/', self_closed;
    const char *from = at + 1 + closing;
    size_t size = strcspn(from, " \n/>");
    if (size == 0 || size >= sizeof name) {
        wrong(error, "a tag without a name", at);
        return NULL;
    }
    for (size_t i = 0; i < size; i++)
        name[i] = (char)tolower((unsigned char)from[i]);
    name[size] = '\0';
    const char *next = skip_attributes(from + size, &self_closed);
    if (next == NULL) {
        wrong(error, "attributes", at);
        return NULL;
    }
    if (closing)
        return close_tag(t, name, at, error) ? next : NULL;
    if (self_closed || is_void(name))
        return next;
    if (t->count == DEPTH_MAX) {
        wrong(error, "too deep", at);
        return NULL;
    }
    strcpy(t->names[t->count++], name);
    if (strcmp(name, "script") == 0)
        return strstr(next, "</script>");
    return strcmp(name, "style") == 0 ? strstr(next, "</style>") : next;
}

static bool stands_alone(const char *page, char error[PAGE_ERROR_SIZE])
{
    static const char *const reaches[] = {"http:",   "https:", "src=",  "href=", "url(",
                                          "@import", "fetch(", "//cdn", "xmlns"};
    for (size_t i = 0; i < sizeof reaches / sizeof *reaches; i++)
        if (strstr(page, reaches[i]) != NULL)
            return wrong(error, "reaches outside", strstr(page, reaches[i]));
    return true;
}

bool page_check(const char *page, char error[PAGE_ERROR_SIZE])
{
    struct open_tags t = {.count = 0};
    if (strncmp(page, "<!doctype html>", 15) != 0)
        return wrong(error, "no doctype", page);
    for (const char *at = page; at != NULL && *at != '\0';) {
        if (*at == '>')
            return wrong(error, "a bare >", at);
        if (*at == '&' &&
            strspn(at + 1, "abcdefghijklmnopqrstuvwxyz#0123456789") != strcspn(at + 1, ";"))
            return wrong(error, "a bare &", at);
        at = *at == '<' ? take_tag(&t, at, error) : at + 1;
        if (at == NULL)
            return false;
    }
    if (t.count != 0)
        return wrong(error, "never closed", t.names[t.count - 1]);
    return stands_alone(page, error);
}

size_t page_count(const char *page, const char *words)
{
    size_t count = 0;
    for (const char *at = page; (at = strstr(at, words)) != NULL; at += strlen(words))
        count++;
    return count;
}
