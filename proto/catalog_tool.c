/* outcry-catalog: writes the catalog as JSON, for proto/python/outcry/catalog.json, or one of its
 * parts as Markdown, for the tables of PROTOCOL.md. proto/update_tables.py puts both where they
 * belong, and a test compares.
 *
 *     outcry-catalog --json
 *     outcry-catalog --markdown messages|values|rejects */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "catalog.h"
#include "frame.h"

/* ---- JSON: one line an item, so that a change is a small diff ---- */

/* Our own strings: only what JSON needs escaped of printable ASCII. */
static void json_string(const char *string)
{
    putchar('"');
    for (; *string != 0; string++) {
        if (*string == '"' || *string == '\\')
            putchar('\\');
        putchar(*string);
    }
    putchar('"');
}

static void json_text(const char *key, const char *value)
{
    printf("\"%s\": ", key);
    json_string(value);
}

static const char *comma(uint32_t i, uint32_t count)
{
    return i + 1 < count ? "," : "";
}

static void json_fields(const struct catalog_message *m, const char *indent)
{
    printf("\"fields\": [\n");
    for (uint32_t i = 0; i < m->field_count; i++) {
        const struct catalog_field *f = &m->fields[i];
        printf("%s  {\"name\": \"%s\", \"kind\": \"%s\", \"limit\": %" PRIu64 ", ", indent, f->name,
               catalog_kind_name(f->kind), f->limit);
        json_text("doc", f->doc);
        printf("}%s\n", comma(i, m->field_count));
    }
    printf("%s]", indent);
}

static void json_messages(void)
{
    uint32_t count;
    const struct catalog_message *messages = catalog_messages(&count);
    printf("  \"envelope\": {");
    json_fields(catalog_envelope(), "  ");
    printf("},\n  \"messages\": [\n");
    for (uint32_t i = 0; i < count; i++) {
        const struct catalog_message *m = &messages[i];
        printf("    {\"name\": \"%s\", \"type\": %" PRIu64 ", \"class\": \"%s\", ", m->name,
               m->type, catalog_class_name(m->class));
        json_text("doc", m->doc);
        printf(", ");
        json_fields(m, "    ");
        printf("}%s\n", comma(i, count));
    }
    printf("  ],\n");
}

static void json_values(const struct catalog_set *set)
{
    for (uint32_t i = 0; i < set->value_count; i++) {
        const struct catalog_value *v = &set->values[i];
        printf("      {\"prefix\": \"%s\", \"name\": \"%s\", \"number\": %" PRIu64 ", ", v->prefix,
               v->name, v->number);
        json_text("text", v->text);
        printf("}%s\n", comma(i, set->value_count));
    }
}

static void json_sets(void)
{
    uint32_t count;
    const struct catalog_set *sets = catalog_sets(&count);
    printf("  \"sets\": [\n");
    for (uint32_t i = 0; i < count; i++) {
        printf("    {\"name\": \"%s\", ", sets[i].name);
        json_text("doc", sets[i].doc);
        printf(", \"values\": [\n");
        json_values(&sets[i]);
        printf("    ]}%s\n", comma(i, count));
    }
    printf("  ],\n");
}

static void json_rejects(void)
{
    uint32_t count;
    const struct catalog_reject *rejects = catalog_rejects(&count);
    printf("  \"rejects\": [\n");
    for (uint32_t i = 0; i < count; i++) {
        const struct catalog_reject *r = &rejects[i];
        printf("    {\"name\": \"%s\", \"code\": %" PRIu64 ", \"precedence\": %" PRIu32
               ", \"http_status\": %" PRIu32 ", ",
               r->name, r->code, r->precedence, r->http_status);
        json_text("text", r->text);
        printf("}%s\n", comma(i, count));
    }
    printf("  ]\n");
}

static void json(void)
{
    printf("{\n  \"protocol_version\": %d,\n", PROTOCOL_VERSION);
    printf("  \"frame_types\": {\"events\": %d, \"heartbeat\": %d, \"reply\": %d},\n", FRAME_EVENTS,
           FRAME_HEARTBEAT, FRAME_REPLY);
    printf("  \"frame_size_max\": %d,\n  \"topic_size_max\": %d,\n  \"reply_size\": %d,\n",
           FRAME_SIZE_MAX, TOPIC_SIZE_MAX, REPLY_SIZE);
    json_messages();
    json_sets();
    json_rejects();
    printf("}\n");
}

/* ---- Markdown ---- */

/* The kind, and its limit where there is one. */
static void markdown_kind(const struct catalog_field *f)
{
    printf("%s", catalog_kind_name(f->kind));
    if (f->limit != 0)
        printf(" &le; %" PRIu64, f->limit);
}

/* A field that says nothing of itself is what its set is. */
static const char *field_doc(const struct catalog_field *f)
{
    const struct catalog_set *set = catalog_set_find(f->kind);
    return f->doc[0] == 0 && set != NULL ? set->doc : f->doc;
}

static void markdown_fields(const struct catalog_message *m)
{
    printf("| field | kind | |\n|---|---|---|\n");
    for (uint32_t i = 0; i < m->field_count; i++) {
        printf("| `%s` | ", m->fields[i].name);
        markdown_kind(&m->fields[i]);
        printf(" | %s |\n", field_doc(&m->fields[i]));
    }
    printf("\n");
}

static void markdown_class(enum catalog_class class)
{
    uint32_t count;
    const struct catalog_message *messages = catalog_messages(&count);
    printf("### %s: %s\n\n", catalog_class_name(class), catalog_class_doc(class));
    if (class == CLASS_COMMAND) {
        printf("**envelope**: %s\n\n", catalog_envelope()->doc);
        markdown_fields(catalog_envelope());
    }
    for (uint32_t i = 0; i < count; i++) {
        if (messages[i].class != class)
            continue;
        printf("**%" PRIu64 " `%s`**: %s\n\n", messages[i].type, messages[i].name, messages[i].doc);
        markdown_fields(&messages[i]);
    }
}

static void markdown_messages(void)
{
    printf("| kind | on the wire |\n|---|---|\n");
    for (unsigned i = 0; i < KIND_COUNT; i++) {
        enum catalog_kind kind = (enum catalog_kind)i;
        bool set = catalog_set_find(kind) != NULL;
        printf("| %s | %s%s |\n", catalog_kind_name(kind), set ? "a u64: " : "",
               catalog_kind_doc(kind));
    }
    printf("\n");
    for (unsigned i = 0; i < CLASS_COUNT; i++)
        markdown_class((enum catalog_class)i);
}

static void markdown_values(void)
{
    uint32_t count;
    const struct catalog_set *sets = catalog_sets(&count);
    printf("| set | number | text | |\n|---|---|---|---|\n");
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < sets[i].value_count; k++)
            printf("| %s | %" PRIu64 " | `%s` | %s |\n", sets[i].name, sets[i].values[k].number,
                   sets[i].values[k].text, k == 0 ? sets[i].doc : "");
    }
    printf("\n");
}

static void markdown_rejects(void)
{
    uint32_t count;
    const struct catalog_reject *rejects = catalog_rejects(&count);
    printf("| code | name | precedence | HTTP | |\n|---|---|---|---|---|\n");
    for (uint32_t i = 0; i < count; i++) {
        const struct catalog_reject *r = &rejects[i];
        printf("| %" PRIu64 " | `%s` | ", r->code, r->name);
        if (r->precedence != 0)
            printf("%" PRIu32, r->precedence);
        printf(" | %" PRIu32 " | %s |\n", r->http_status, r->text);
    }
    printf("\n");
}

static bool markdown(const char *section)
{
    if (strcmp(section, "messages") == 0)
        markdown_messages();
    else if (strcmp(section, "values") == 0)
        markdown_values();
    else if (strcmp(section, "rejects") == 0)
        markdown_rejects();
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    bool known = false;
    if (argc == 2 && strcmp(argv[1], "--json") == 0) {
        json();
        known = true;
    } else if (argc == 3 && strcmp(argv[1], "--markdown") == 0) {
        known = markdown(argv[2]);
    }
    if (!known) {
        fprintf(stderr, "usage: outcry-catalog --json | --markdown messages|values|rejects\n");
        return 2;
    }
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
