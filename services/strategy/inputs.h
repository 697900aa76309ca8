/* inputs: everything a strategy_host was given, and the commands it answered with, in a file: the
 * journal of a live run, from which the run can be made again, to the byte.
 *
 * The recorder stands before the host: each strategy_host_* input has its inputs_* here, which
 * writes it down and hands it on. One record an input:
 *
 *     "OCIN" | version u32            then, per record, little-endian:
 *     size u32 | crc32c u32 | msgpack array [kind, n, now_ns, ...]
 *
 * n counts records, 1, 2, 3, ...; commands follow the input that caused them. The first record says
 * which strategies ran, with which parameters (strategy_spec_write), and the session; the last one
 * says that it is the last. A torn tail is cut: what is before it is whole. Anything else that is
 * not as it was written is damage, and said with file, byte, what was found and expected. Written
 * by a buffered stream, flushed at least each second: a kill loses at most that much of the record,
 * never an order. Thread: owner only. */
#ifndef OUTCRY_STRATEGY_INPUTS_H
#define OUTCRY_STRATEGY_INPUTS_H

#include "base/status.h"
#include "strategy/strategy_host.h"

enum { INPUTS_ERROR_SIZE = 1024 };

/* ---- recording ---- */

typedef struct inputs_recorder inputs_recorder_t;

/* Make a file, never over one that is there. NULL with error. */
inputs_recorder_t *inputs_recorder_open(const char *path, const struct strategy_spec *specs,
                                        unsigned count, uint64_t session,
                                        char error[INPUTS_ERROR_SIZE]);

/* Each as the host's of the same name; r NULL: nothing is recorded. */
void inputs_start(inputs_recorder_t *r, strategy_host_t *h, uint64_t now_ns);
void inputs_book_reset(inputs_recorder_t *r, strategy_host_t *h, unsigned symbol);
void inputs_book_event(inputs_recorder_t *r, strategy_host_t *h, unsigned symbol, uint64_t type,
                       struct wire_reader *fields);
void inputs_book_joined(inputs_recorder_t *r, strategy_host_t *h, unsigned symbol, uint64_t now_ns);
void inputs_book_group(inputs_recorder_t *r, strategy_host_t *h, unsigned symbol, uint64_t now_ns,
                       uint64_t seq, uint64_t time_ns);
void inputs_account(inputs_recorder_t *r, strategy_host_t *h, unsigned strategy, uint64_t now_ns,
                    const struct own_event *e);
void inputs_result(inputs_recorder_t *r, strategy_host_t *h, uint16_t shard, uint64_t now_ns,
                   const struct result *result);
void inputs_lost(inputs_recorder_t *r, strategy_host_t *h, uint16_t shard, uint64_t now_ns);
void inputs_time(inputs_recorder_t *r, strategy_host_t *h, uint64_t now_ns);
void inputs_stop_all(inputs_recorder_t *r, strategy_host_t *h, uint64_t now_ns, const char *why);

/* From the owner's command(), while its envelope is empty: what the host answered. */
void inputs_command(inputs_recorder_t *r, unsigned strategy, const struct command *c);

/* About each second; and the end. STATUS_IO: something could not be written (error, once). */
enum status inputs_flush(inputs_recorder_t *r, char error[INPUTS_ERROR_SIZE]);
enum status inputs_recorder_close(inputs_recorder_t **r, char error[INPUTS_ERROR_SIZE]);

/* ---- playing it again ---- */

typedef struct inputs_player inputs_player_t;

/* Errors: STATUS_IO; STATUS_INVALID  no such file of ours, another version, or its first record
 * cannot be used (a type that is not to be found). */
enum status inputs_player_open(inputs_player_t **p, const char *path,
                               char error[INPUTS_ERROR_SIZE]);
void inputs_player_close(inputs_player_t **p);

const struct strategy_spec *inputs_player_specs(const inputs_player_t *p, unsigned *count);
uint64_t inputs_player_session(const inputs_player_t *p);
uint64_t inputs_player_size(const inputs_player_t *p); /* bytes, and how far it is: for a bar */
uint64_t inputs_player_at(const inputs_player_t *p);

/* From the owner's command(), while playing: compared with what was recorded. */
void inputs_player_command(inputs_player_t *p, unsigned strategy, const struct command *c);

enum inputs_step {
    INPUTS_MORE,
    INPUTS_END,     /* all of it; `torn` of inputs_player_end says if its end was cut */
    INPUTS_DIFFERS, /* a command is not the recorded one: error says which, found and expected */
    INPUTS_INVALID, /* a record within the file is damaged, or cannot be */
};

/* Give h the next input, and compare what it answers. */
enum inputs_step inputs_player_next(inputs_player_t *p, strategy_host_t *h,
                                    char error[INPUTS_ERROR_SIZE]);

struct inputs_end {
    uint64_t records, commands; /* inputs that were given, commands that were the same */
    bool torn;                  /* it does not end as a run that was closed */
};
struct inputs_end inputs_player_end(const inputs_player_t *p);

#endif
