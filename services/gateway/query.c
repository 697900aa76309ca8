#include "gateway/query.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool query_decode(const char *text, size_t size, char *out, size_t out_size, size_t *decoded_size)
{
    size_t count = 0;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '%') {
            int high = i + 2 < size ? hex_value(text[i + 1]) : -1;
            int low = i + 2 < size ? hex_value(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (count == out_size)
            return false;
        out[count++] = c;
    }
    *decoded_size = count;
    return true;
}

/* A plus is a space in a query, and only there. */
static void spaces_from_plus(const char *raw, size_t size, char *copy)
{
    for (size_t i = 0; i < size; i++)
        copy[i] = raw[i] == '+' ? ' ' : raw[i];
}

static bool add(struct query *q, size_t *used, const char *name, size_t name_size,
                const char *value, size_t value_size)
{
    struct query_parameter *p = &q->parameters[q->count];
    char plain[QUERY_SIZE_MAX];
    p->name.data = q->scratch + *used;
    if (!query_decode(name, name_size, q->scratch + *used, QUERY_SIZE_MAX - *used, &p->name.size))
        return false;
    *used += p->name.size;
    p->value.data = q->scratch + *used;
    spaces_from_plus(value, value_size, plain);
    if (!query_decode(plain, value_size, q->scratch + *used, QUERY_SIZE_MAX - *used,
                      &p->value.size))
        return false;
    *used += p->value.size;
    q->count++;
    return true;
}

static bool stands_twice(const struct query *q, unsigned last)
{
    for (unsigned i = 0; i < last; i++) {
        if (text_equal(q->parameters[i].name, q->parameters[last].name))
            return true;
    }
    return false;
}

bool query_read(struct query *q, const char *text, struct problem *problem)
{
    size_t used = 0;
    q->count = 0;
    if (text == NULL)
        return true;
    if (strlen(text) >= QUERY_SIZE_MAX)
        return problem_set(problem, REJECT_INVALID_PARAMETER, "query", NULL,
                           "found a query of %zu bytes, expected less than %d", strlen(text),
                           QUERY_SIZE_MAX);
    while (*text != '\0') {
        size_t size = strcspn(text, "&");
        size_t name_size = strcspn(text, "=&");
        bool has_value = name_size < size;
        if (q->count == QUERY_PARAMETERS_MAX)
            return problem_set(problem, REJECT_INVALID_PARAMETER, "query", NULL,
                               "found more than %d parameters", QUERY_PARAMETERS_MAX);
        if (size > 0 && !add(q, &used, text, name_size, text + name_size + has_value,
                             size - name_size - has_value))
            return problem_set(problem, REJECT_INVALID_PARAMETER, "query", NULL,
                               "found an escape that is not %% and two hexadecimal digits");
        if (size > 0 && stands_twice(q, q->count - 1))
            return problem_set(problem, REJECT_INVALID_PARAMETER, "query", NULL,
                               "a parameter stands twice");
        text += size;
        text += *text == '&';
    }
    return true;
}

const struct text *query_find(const struct query *q, const char *name)
{
    for (unsigned i = 0; i < q->count; i++) {
        if (text_equal(q->parameters[i].name, text_of(name)))
            return &q->parameters[i].value;
    }
    return NULL;
}
