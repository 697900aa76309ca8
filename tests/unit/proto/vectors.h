/* vectors: the files of proto/vectors, for C tests.
 *
 * Of each line only name, kind, hex and a value that is a plain word are read, by looking for
 * their keys: make.py writes them in that order, and no JSON library is needed. */
#ifndef OUTCRY_TESTS_VECTORS_H
#define OUTCRY_TESTS_VECTORS_H

#include <stddef.h>
#include <stdint.h>

struct vector {
    char name[64];
    char kind[16];
    char verdict[16]; /* `garbage` or `version` in refused.jsonl; else empty */
    uint8_t *bytes;   /* of its own, exactly size long, so that tools see a read past its end */
    size_t size;
};

struct vectors {
    struct vector *items;
    size_t count;
};

/* All vectors of proto/vectors/`file`. Ends the process if it cannot be read: a test without its
 * vectors must not pass. */
struct vectors vectors_load(const char *file);
void vectors_free(struct vectors *v);

/* The files that hold messages. Ends with NULL. */
extern const char *const vector_files[];

#endif
