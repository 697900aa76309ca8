/* journal_json: what stands in a journal as JSON lines, one a command or note.
 *
 * Times, origin epochs, order ids and hashes are strings, because they need 64 bits; everything
 * else that is a number is one. Sets are their words. Thread: one. */
#ifndef OUTCRY_CLI_JOURNAL_JSON_H
#define OUTCRY_CLI_JOURNAL_JSON_H

#include "cli/csv_writer.h"
#include "journal/record.h"
#include "proto/command.h"

/* A command of this sequence; result: NULL if there is none yet, or none of it. */
void journal_json_command(struct csv_writer *w, const struct journal_record *r, uint64_t seq,
                          const struct command *c, const struct result *result);

/* A record that is no batch. */
void journal_json_note(struct csv_writer *w, const struct journal_record *r);

#endif
