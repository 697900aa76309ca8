/* printer: what is said, as lines a person can read and grep: for the command line and for tests.
 *
 *     trade trade_id=1 maker_order_id=7 taker_order_id=9 price=10000 qty=5 aggressor=buy
 *
 * Names, kinds and values come from the catalog, so a message added to the table is printed. It
 * trusts nothing: bytes nobody can read are said to be so, unknown types and values are shown as
 * numbers, text that is not plain ASCII is quoted and escaped, so that a line stays a line.
 * Bytes are shown as their count, hashes (u64_or_nil) in hexadecimal, nil as `nil`. */
#ifndef OUTCRY_PROTO_PRINTER_H
#define OUTCRY_PROTO_PRINTER_H

#include <stdio.h>

#include "wire.h"

/* One line: an event whose fields `fields` stands before, as frame_next_event() gives it. */
void printer_event(FILE *out, uint64_t type, struct wire_reader fields);

/* One line for the head of the frame, then one an event, indented, after its group's sequence.
 * BORROWS message. */
void printer_frame(FILE *out, const uint8_t *message, size_t size);

/* One line a command, of all that stand back to back in the message; the same for requests. What
 * cannot be read ends it with a line that says so. BORROWS message. */
void printer_commands(FILE *out, const uint8_t *message, size_t size);
void printer_requests(FILE *out, const uint8_t *message, size_t size);

#endif
