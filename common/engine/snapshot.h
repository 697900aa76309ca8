/* snapshot: an engine's whole state as bytes, and back. The bytes hold no pointer and no place in
 * memory: two engines of the same state hash write the same bytes, on any machine, and what is read
 * back has the same state hash, and the same future.
 *
 * msgpack, in the order state_hash.c walks. Bytes come from disk: whatever does not fit is refused
 * in words, and nothing is read past its end or allocated from an unchecked number. Thread: owner
 * only. */
#ifndef OUTCRY_ENGINE_SNAPSHOT_H
#define OUTCRY_ENGINE_SNAPSHOT_H

#include "engine/engine.h"

enum { ENGINE_SNAPSHOT_ERROR_SIZE = 256 };

/* The most engine_snapshot_write can write now. */
size_t engine_snapshot_size_max(const engine_t *e);

/* bytes: room for engine_snapshot_size_max. The size written. Not while a group is being read. */
size_t engine_snapshot_write(const engine_t *e, uint8_t *bytes);

/* The engine these bytes were written of; *used is how many of them were. hash_seed: as engine_new.
 * NULL, with error filled in ("at byte 812: found 70000 accounts, expected at most 1000"), if they
 * are none. BORROWS bytes. */
engine_t *engine_snapshot_read(const uint8_t *bytes, size_t size, uint64_t hash_seed, size_t *used,
                               char error[ENGINE_SNAPSHOT_ERROR_SIZE]);

#endif
