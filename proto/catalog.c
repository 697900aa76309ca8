/* catalog: expanded from the tables; see catalog.h. */
#include "catalog.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof(array)[0]))

#define CATALOG_FIELD(kind, field, limit, text) {#field, KIND_##kind, limit, text},
#define CATALOG_FIELDS(name, NAME, type, class, text)                                              \
    static const struct catalog_field name##_fields[] = {name##_FIELDS(CATALOG_FIELD)};
#define CATALOG_MESSAGE(name, NAME, type, class, text)                                             \
    {#name, type, CLASS_##class, text, name##_fields, COUNT_OF(name##_fields)},

MESSAGE_TABLE(CATALOG_FIELDS)
static const struct catalog_message messages[] = {MESSAGE_TABLE(CATALOG_MESSAGE)};

static const struct catalog_field envelope_fields[] = {envelope_FIELDS(CATALOG_FIELD)};
static const struct catalog_message envelope = {
    .name = "envelope",
    .class = CLASS_COMMAND,
    .doc = "What stands in front of the fields of every command.",
    .fields = envelope_fields,
    .field_count = COUNT_OF(envelope_fields),
};

#define CATALOG_VALUE(prefix, NAME, number, text) {#prefix, #NAME, number, text},
#define CATALOG_VALUES(name, table, text)                                                          \
    static const struct catalog_value name##_values[] = {table(CATALOG_VALUE)};
#define CATALOG_SET(name, table, text)                                                             \
    {#name, KIND_##name, text, name##_values, COUNT_OF(name##_values)},

SET_TABLE(CATALOG_VALUES)
static const struct catalog_set sets[] = {SET_TABLE(CATALOG_SET)};

#define CATALOG_REJECT(NAME, code, precedence, http_status, text)                                  \
    {#NAME, code, precedence, http_status, text},
static const struct catalog_reject rejects[] = {REJECT_TABLE(CATALOG_REJECT)};

struct strings {
    const char *name;
    const char *doc;
};
#define STRINGS(name, text)            {#name, text},
#define SET_STRINGS(name, table, text) {#name, text},
static const struct strings kinds[KIND_COUNT] = {KIND_TABLE(STRINGS) SET_TABLE(SET_STRINGS)};
static const struct strings classes[CLASS_COUNT] = {CLASS_TABLE(STRINGS)};

const struct catalog_message *catalog_messages(uint32_t *count)
{
    *count = COUNT_OF(messages);
    return messages;
}

const struct catalog_set *catalog_sets(uint32_t *count)
{
    *count = COUNT_OF(sets);
    return sets;
}

const struct catalog_reject *catalog_rejects(uint32_t *count)
{
    *count = COUNT_OF(rejects);
    return rejects;
}

const struct catalog_message *catalog_envelope(void)
{
    return &envelope;
}

const struct catalog_message *catalog_message_find(uint64_t type)
{
    for (uint32_t i = 0; i < COUNT_OF(messages); i++) {
        if (messages[i].type == type)
            return &messages[i];
    }
    return NULL;
}

const struct catalog_reject *catalog_reject_find(uint64_t code)
{
    for (uint32_t i = 0; i < COUNT_OF(rejects); i++) {
        if (rejects[i].code == code)
            return &rejects[i];
    }
    return NULL;
}

const struct catalog_set *catalog_set_find(enum catalog_kind kind)
{
    for (uint32_t i = 0; i < COUNT_OF(sets); i++) {
        if (sets[i].kind == kind)
            return &sets[i];
    }
    return NULL;
}

const char *catalog_value_text(enum catalog_kind set, uint64_t number)
{
    const struct catalog_set *s = catalog_set_find(set);
    for (uint32_t i = 0; s != NULL && i < s->value_count; i++) {
        if (s->values[i].number == number)
            return s->values[i].text;
    }
    const struct catalog_reject *r = set == KIND_reason ? catalog_reject_find(number) : NULL;
    return r == NULL ? NULL : r->name;
}

const char *catalog_reason_name(uint64_t reason)
{
    return catalog_value_text(KIND_reason, reason);
}

bool catalog_value_parse(enum catalog_kind set, struct text text, uint64_t *number)
{
    const struct catalog_set *s = catalog_set_find(set);
    for (uint32_t i = 0; s != NULL && i < s->value_count; i++) {
        if (text_equal(text, text_of(s->values[i].text))) {
            *number = s->values[i].number;
            return true;
        }
    }
    for (uint32_t i = 0; set == KIND_reason && i < COUNT_OF(rejects); i++) {
        if (text_equal(text, text_of(rejects[i].name))) {
            *number = rejects[i].code;
            return true;
        }
    }
    return false;
}

const char *catalog_kind_name(enum catalog_kind kind)
{
    return kinds[kind].name;
}

const char *catalog_kind_doc(enum catalog_kind kind)
{
    return kinds[kind].doc;
}

const char *catalog_class_name(enum catalog_class class)
{
    return classes[class].name;
}

const char *catalog_class_doc(enum catalog_class class)
{
    return classes[class].doc;
}
