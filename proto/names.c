#include "names.h"

#include "message_table.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

/* Letters, digits, and the marks given. */
static bool consists_of(struct text name, const char *marks)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (!is_digit(c) && !is_upper(c) && !is_lower(c) && (c == '\0' || !strchr(marks, c)))
            return false;
    }
    return true;
}

bool name_is_plain(struct text name)
{
    return consists_of(name, "_-");
}

bool name_is_label(struct text name)
{
    return consists_of(name, "_.:-");
}

bool name_is_symbol(struct text name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool mark = i > 0 && (c == '.' || c == '_' || c == '-');
        if (!is_upper(c) && !is_digit(c) && !mark)
            return false;
    }
    return name.size >= 1 && name.size <= SYMBOL_SIZE_MAX;
}

bool name_is_reply(struct text name)
{
    for (size_t i = 0; i < name.size; i++) {
        if (!is_digit(name.data[i]) && !(name.data[i] >= 'a' && name.data[i] <= 'f'))
            return false;
    }
    return name.size == REPLY_SIZE;
}
