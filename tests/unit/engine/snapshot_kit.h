/* snapshot_kit: an engine's state written into just as much memory as it is, so that whatever
 * reads past its end is seen. */
#ifndef OUTCRY_UNIT_ENGINE_SNAPSHOT_KIT_H
#define OUTCRY_UNIT_ENGINE_SNAPSHOT_KIT_H

#include "engine/snapshot.h"

struct written {
    uint8_t *bytes;
    size_t size;
};

struct written written_of(const engine_t *e);
void written_free(struct written *w);

/* Read all of it; NULL with the reason in error. What is read is used up to the last byte. */
engine_t *written_read(const struct written *w, uint64_t hash_seed,
                       char error[ENGINE_SNAPSHOT_ERROR_SIZE]);

#endif
