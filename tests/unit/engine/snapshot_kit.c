#include "tests/unit/engine/snapshot_kit.h"

#include <stdlib.h>

#include "base/check.h"

struct written written_of(const engine_t *e)
{
    size_t size_max = engine_snapshot_size_max(e);
    struct written w = {.bytes = malloc(size_max)};
    CHECK(w.bytes != NULL);
    w.size = engine_snapshot_write(e, w.bytes);
    CHECK(w.size <= size_max);
    w.bytes = realloc(w.bytes, w.size);
    CHECK(w.bytes != NULL);
    return w;
}

void written_free(struct written *w)
{
    free(w->bytes);
    *w = (struct written){NULL, 0};
}

engine_t *written_read(const struct written *w, uint64_t hash_seed,
                       char error[ENGINE_SNAPSHOT_ERROR_SIZE])
{
    size_t used = 0;
    engine_t *e = engine_snapshot_read(w->bytes, w->size, hash_seed, &used, error);
    CHECK(e == NULL || used == w->size);
    return e;
}
