#include "gateway/routes.h"

#include <stdio.h>

#define ROUTE_ROW(NAME, method, path, class, read, body)                                           \
    {method, path, method " " path, class, read, body},
static const struct route routes[] = {
    ROUTES_TABLE(ROUTE_ROW){NULL, NULL, "none", RATE_READS, NULL, false}};

#define ROUTE_LABEL(NAME, method, path, class, read, body) method " " path,
static const char *const labels[] = {ROUTES_TABLE(ROUTE_LABEL) "none"};

/* Whether the path is the route's; *part is what stands behind its slash. */
static bool fits(const struct route *r, const char *path, struct text *part)
{
    size_t size = strlen(r->path);
    if (strncmp(path, r->path, size) != 0)
        return false;
    *part = text_of(path + size);
    if (r->path[size - 1] != '/')
        return part->size == 0;
    /* /ws/ has two parts: the channel and the symbol; they are websockets.c's to tell apart */
    return part->size > 0 &&
           (r == &routes[ROUTE_SOCKET] || memchr(part->data, '/', part->size) == NULL);
}

enum route_name route_find(const char *method, const char *path, struct text *part,
                           char allow[ROUTE_ALLOW_SIZE], struct problem *p)
{
    size_t allowed = 0;
    bool head = strcmp(method, "HEAD") == 0; /* of GET, all but the body */
    allow[0] = '\0';
    for (unsigned i = 0; i < ROUTE_NONE; i++) {
        const struct route *r = &routes[i];
        if (!fits(r, path, part))
            continue;
        if (strcmp(head ? "GET" : method, r->method) == 0)
            return (enum route_name)i;
        int more = snprintf(allow + allowed, ROUTE_ALLOW_SIZE - allowed, "%s%s",
                            allowed == 0 ? "" : ", ", r->method);
        allowed += more > 0 ? (size_t)more : 0;
    }
    *part = (struct text){"", 0};
    if (allowed > 0)
        problem_set(p, REJECT_METHOD_NOT_ALLOWED, "header", NULL, "found %.16s, expected %s",
                    method, allow);
    else
        problem_set(p, REJECT_UNKNOWN_PATH, "path", NULL, "there is nothing at this path");
    return ROUTE_NONE;
}

const struct route *route_of(enum route_name name)
{
    return &routes[name];
}

const char *const *route_labels(void)
{
    return labels;
}
