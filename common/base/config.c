#include "base/config.h"

#include <ctype.h>
#include <czmq.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"

enum { INDENT = 4, DEPTH_MAX = 8 };

struct config {
    char *file;
    char *text; /* as it stands in the file */
    zconfig_t *root;
};

static char *read_file(const char *file)
{
    FILE *f = fopen(file, "rb");
    if (f == NULL)
        return NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *copy = open_memstream(&text, &size);
    char part[4096];
    size_t got;
    CHECK(copy != NULL);
    while ((got = fread(part, 1, sizeof part, f)) > 0)
        fwrite(part, 1, got, copy);
    bool failed = ferror(f);
    fclose(f);
    fclose(copy);
    if (failed) {
        free(text);
        return NULL;
    }
    return text;
}

/* zconfig says what is wrong as "... E (zconfig): (LINE) what"; make it ours. */
static void say_syntax_error(const char *file, const char *complaint, char *error)
{
    const char *at = strstr(complaint, "(zconfig): (");
    unsigned line = 0;
    int read = 0;
    if (at != NULL)
        sscanf(at, "(zconfig): (%u) %n", &line, &read);
    const char *what = at == NULL ? "it is not a configuration file" : at + read;
    snprintf(error, CONFIG_ERROR_SIZE, "%s:%u: %.*s", file, line, (int)strcspn(what, "\n"), what);
}

static zconfig_t *load_tree(const char *file, const char *text, char *error)
{
    char *complaint = NULL;
    size_t size = 0;
    FILE *log = open_memstream(&complaint, &size);
    FILE *standard = stdout;
    CHECK(log != NULL);
    zchunk_t *chunk = zchunk_new(text, strlen(text));
    stdout = log; /* zconfig prints what it complains of; in glibc stdout is a variable */
    zconfig_t *root = zconfig_chunk_load(chunk);
    stdout = standard;
    zchunk_destroy(&chunk);
    fclose(log);
    if (root == NULL)
        say_syntax_error(file, complaint, error);
    free(complaint);
    return root;
}

static bool check_once(const config_t *c, char *error);

config_t *config_load(const char *file, char error[CONFIG_ERROR_SIZE])
{
    zsys_init();
    zsys_handler_set(NULL); /* signals are the process's own business */
    char *text = read_file(file);
    if (text == NULL) {
        snprintf(error, CONFIG_ERROR_SIZE, "%s: cannot read it: %s", file, strerror(errno));
        return NULL;
    }
    zconfig_t *root = load_tree(file, text, error);
    if (root == NULL) {
        free(text);
        return NULL;
    }
    config_t *c = calloc(1, sizeof *c);
    CHECK(c != NULL);
    c->file = strdup(file);
    c->text = text;
    c->root = root;
    if (!check_once(c, error))
        config_destroy(&c);
    return c;
}

void config_destroy(config_t **config)
{
    config_t *c = *config;
    if (c == NULL)
        return;
    zconfig_destroy(&c->root);
    free(c->file);
    free(c->text);
    free(c);
    *config = NULL;
}

const char *config_get(const config_t *c, const char *path)
{
    return zconfig_get(c->root, path, NULL);
}

const char *config_file(const config_t *c)
{
    return c->file;
}

/* ---- lines ---- */

/* Where the text of the next line begins, and how deep its name is indented; false at the end.
 * Lines without a name (empty, comments) are passed over. */
struct line {
    const char *name;
    size_t name_size;
    unsigned depth;
    unsigned number;
    const char *next;
};

static bool next_line(struct line *l)
{
    while (*l->next != '\0') {
        const char *start = l->next;
        size_t spaces = strspn(start, " ");
        l->name = start + spaces;
        l->name_size = strcspn(l->name, " =\t\r\n#");
        l->depth = (unsigned)spaces / INDENT;
        l->number++;
        l->next = start + strcspn(start, "\n");
        if (*l->next == '\n')
            l->next++;
        if (l->name_size > 0)
            return true;
    }
    return false;
}

/* Walk the lines, putting together each one's path. What is deeper or longer than any setting comes
 * under a shortened path: it is none, and its visitor will say so. */
static bool walk_lines(const config_t *c, void *self,
                       bool (*visit)(void *self, const char *path, const struct line *l))
{
    struct line l = {.next = c->text};
    char path[CONFIG_PATH_SIZE];
    size_t sizes[DEPTH_MAX + 1] = {0};
    while (next_line(&l)) {
        unsigned depth = l.depth < DEPTH_MAX ? l.depth : DEPTH_MAX;
        size_t room = sizeof path - sizes[depth];
        int more = snprintf(path + sizes[depth], room, "%s%.*s", sizes[depth] > 0 ? "/" : "",
                            (int)l.name_size, l.name);
        CHECK(more >= 0);
        if (depth < DEPTH_MAX)
            sizes[depth + 1] = sizes[depth] + ((size_t)more < room ? (size_t)more : room - 1);
        if (!visit(self, path, &l))
            return false;
    }
    return true;
}

struct line_search {
    const char *path;
    unsigned left; /* times it may stand there before the one that is looked for */
    unsigned line;
};

static bool match_line(void *self, const char *path, const struct line *l)
{
    struct line_search *search = self;
    if (strcmp(path, search->path) != 0 || search->left-- > 0)
        return true;
    search->line = l->number;
    return false;
}

/* The line on which the path stands for the nth time, from 0. */
static unsigned nth_line(const config_t *c, const char *path, unsigned n)
{
    struct line_search search = {path, n, 0};
    walk_lines(c, &search, match_line);
    return search.line;
}

unsigned config_line(const config_t *c, const char *path)
{
    return nth_line(c, path, 0);
}

/* Whether a name stands twice in a section, or in one within; path is then the whole of it. What is
 * read of such a file is not what its writer thinks. */
static bool stands_twice(zconfig_t *section, char path[CONFIG_PATH_SIZE], size_t size)
{
    for (zconfig_t *one = zconfig_child(section); one != NULL; one = zconfig_next(one)) {
        size_t room = CONFIG_PATH_SIZE - size;
        int more = snprintf(path + size, room, "%s%s", size > 0 ? "/" : "", zconfig_name(one));
        if (more < 0 || (size_t)more >= room)
            continue; /* longer than any setting's: its visitor will say so */
        for (zconfig_t *other = zconfig_next(one); other != NULL; other = zconfig_next(other)) {
            if (strcmp(zconfig_name(one), zconfig_name(other)) == 0)
                return true;
        }
        if (stands_twice(one, path, size + (size_t)more))
            return true;
    }
    return false;
}

static bool check_once(const config_t *c, char *error)
{
    char path[CONFIG_PATH_SIZE];
    if (!stands_twice(c->root, path, 0))
        return true;
    snprintf(error, CONFIG_ERROR_SIZE, "%.200s:%u: %s: found a second time, expected once", c->file,
             nth_line(c, path, 1), path);
    return false;
}

struct walk {
    const config_t *config;
    void *self;
    bool (*visit)(void *self, const char *path, const char *value, bool has_children,
                  unsigned line);
};

static bool visit_line(void *self, const char *path, const struct line *l)
{
    struct walk *w = self;
    zconfig_t *node = zconfig_locate(w->config->root, path);
    bool has_children = node != NULL && zconfig_child(node) != NULL;
    const char *value = config_get(w->config, path);
    return w->visit(w->self, path, value == NULL ? "" : value, has_children, l->number);
}

bool config_walk(const config_t *c, void *self,
                 bool (*visit)(void *self, const char *path, const char *value, bool has_children,
                               unsigned line))
{
    struct walk w = {c, self, visit};
    return walk_lines(c, &w, visit_line);
}

bool config_u64(const char *text, uint64_t low, uint64_t high, uint64_t *value)
{
    if (!isdigit((unsigned char)text[0]) || (text[0] == '0' && text[1] != '\0'))
        return false;
    char *end;
    errno = 0;
    unsigned long long number = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || number < low || number > high)
        return false;
    *value = number;
    return true;
}
