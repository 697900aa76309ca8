#include "names.h"

#include "message_table.h"

/* What a character may stand in. */
enum { PLAIN = 1, LABEL = 2, SYMBOL = 4, SYMBOL_START = 8, HEXADECIMAL = 16 };

enum {
    DIGIT = PLAIN | LABEL | SYMBOL | SYMBOL_START | HEXADECIMAL,
    UPPER = PLAIN | LABEL | SYMBOL | SYMBOL_START,
    LOWER = PLAIN | LABEL,
    LOWER_HEXADECIMAL = LOWER | HEXADECIMAL,
};

static const uint8_t classes[256] = {
    ['0'] = DIGIT,
    ['1'] = DIGIT,
    ['2'] = DIGIT,
    ['3'] = DIGIT,
    ['4'] = DIGIT,
    ['5'] = DIGIT,
    ['6'] = DIGIT,
    ['7'] = DIGIT,
    ['8'] = DIGIT,
    ['9'] = DIGIT,
    ['A'] = UPPER,
    ['B'] = UPPER,
    ['C'] = UPPER,
    ['D'] = UPPER,
    ['E'] = UPPER,
    ['F'] = UPPER,
    ['G'] = UPPER,
    ['H'] = UPPER,
    ['I'] = UPPER,
    ['J'] = UPPER,
    ['K'] = UPPER,
    ['L'] = UPPER,
    ['M'] = UPPER,
    ['N'] = UPPER,
    ['O'] = UPPER,
    ['P'] = UPPER,
    ['Q'] = UPPER,
    ['R'] = UPPER,
    ['S'] = UPPER,
    ['T'] = UPPER,
    ['U'] = UPPER,
    ['V'] = UPPER,
    ['W'] = UPPER,
    ['X'] = UPPER,
    ['Y'] = UPPER,
    ['Z'] = UPPER,
    ['a'] = LOWER_HEXADECIMAL,
    ['b'] = LOWER_HEXADECIMAL,
    ['c'] = LOWER_HEXADECIMAL,
    ['d'] = LOWER_HEXADECIMAL,
    ['e'] = LOWER_HEXADECIMAL,
    ['f'] = LOWER_HEXADECIMAL,
    ['g'] = LOWER,
    ['h'] = LOWER,
    ['i'] = LOWER,
    ['j'] = LOWER,
    ['k'] = LOWER,
    ['l'] = LOWER,
    ['m'] = LOWER,
    ['n'] = LOWER,
    ['o'] = LOWER,
    ['p'] = LOWER,
    ['q'] = LOWER,
    ['r'] = LOWER,
    ['s'] = LOWER,
    ['t'] = LOWER,
    ['u'] = LOWER,
    ['v'] = LOWER,
    ['w'] = LOWER,
    ['x'] = LOWER,
    ['y'] = LOWER,
    ['z'] = LOWER,
    ['_'] = PLAIN | LABEL | SYMBOL,
    ['-'] = PLAIN | LABEL | SYMBOL,
    ['.'] = LABEL | SYMBOL,
    [':'] = LABEL,
};

/* Whether every character may stand in it. */
static bool consists_of(struct text name, unsigned class)
{
    unsigned common = class;
    for (size_t i = 0; i < name.size; i++)
        common &= classes[(uint8_t)name.data[i]];
    return common == class;
}

bool name_is_plain(struct text name)
{
    return consists_of(name, PLAIN);
}

bool name_is_label(struct text name)
{
    return consists_of(name, LABEL);
}

bool name_is_symbol(struct text name)
{
    return name.size >= 1 && name.size <= SYMBOL_SIZE_MAX && consists_of(name, SYMBOL) &&
           (classes[(uint8_t)name.data[0]] & SYMBOL_START) != 0;
}

bool name_is_reply(struct text name)
{
    return name.size == REPLY_SIZE && consists_of(name, HEXADECIMAL);
}
