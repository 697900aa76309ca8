/* zip: the members of a zip file, as data is often handed on: stored or deflated, whole in memory.
 * What is encrypted, or too large for the plain form (zip64), is refused in words.
 *
 *     struct zip z;
 *     struct zip_member m = {0};
 *     if (csv_load(&file, "AAPL.zip", &why) == STATUS_OK && zip_open(&z, &file, &why) == STATUS_OK)
 * { while (zip_next(&z, &m)) status = zip_read(&z, &m, "its name", &member, &why); zip_close(&z);
 *     }
 *
 * The form is PKWARE's APPNOTE.TXT, 4.3: the directory at the end says what there is. Thread: owner
 * only. */
#ifndef OUTCRY_CLI_ZIP_H
#define OUTCRY_CLI_ZIP_H

#include "cli/csv.h"

struct zip {
    struct csv_file file; /* all of it */
    size_t directory;     /* offset */
    size_t count;         /* members */
};

struct zip_member {
    struct text name; /* BORROWED from the zip */
    unsigned method;
    bool encrypted;
    uint32_t crc;
    size_t size_packed, size;
    size_t at;                /* of its own header */
    size_t number, entry_end; /* how far zip_next is; 0: before the first */
};

/* Whether a file that was loaded is one. */
bool zip_is(const struct csv_file *file);

/* TAKES a file that was loaded (csv_load), also on failure. Errors: STATUS_INVALID  it is none, or
 * damaged: *why is a constant. */
enum status zip_open(struct zip *z, struct csv_file *file, const char **why);
void zip_close(struct zip *z);

/* The next member; *m zeroed: the first. False: there are no more. */
bool zip_next(const struct zip *z, struct zip_member *m);

/* What it holds, the caller's to csv_unload; KEEPS name as the file's. Errors: STATUS_INVALID
 * *why says what is wrong with it. STATUS_FULL  there is no memory for it. */
enum status zip_read(const struct zip *z, const struct zip_member *m, const char *name,
                     struct csv_file *file, const char **why);

#endif
