/* sim_file: a sector's versions are a list, newest write first; each remembers what stood there
 * before that write:
 *
 *     bytes (now) | written at 9: before | written at 7: before | written at 4: before (durable)
 *
 * A sync that began at stamp 8 drops the writes of 7 and 4: what stood there before the write of 9
 * is durable now. Beyond the file's size all bytes in memory are zero. */
#include "tests/sim/sim_file.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct version {
    struct version *older;
    uint64_t stamp;
    bool doomed;
    uint8_t before[SIM_SECTOR_SIZE];
};

struct sim_file {
    uint8_t *bytes;
    uint64_t size, durable_size;
    struct version **versions; /* for each sector, its newest; NULL: durable */
    size_t sectors;            /* there is memory for */
    size_t *dirty;             /* the sectors that are not durable, in the order they became so */
    size_t dirty_count, dirty_size;
};

/* What became of a write to a sector. */
struct fate {
    uint64_t stamp;
    bool kept;
};

struct fates {
    struct fate *of;
    size_t count, size;
};

static void *grown(void *memory, size_t count, size_t size)
{
    void *more = realloc(memory, count * size);
    CHECK(more != NULL);
    return more;
}

static void reserve(sim_file_t *f, uint64_t size)
{
    size_t sectors = (size_t)((size + SIM_SECTOR_SIZE - 1) / SIM_SECTOR_SIZE);
    if (sectors <= f->sectors)
        return;
    if (sectors < 2 * f->sectors)
        sectors = 2 * f->sectors;
    size_t more = sectors - f->sectors;
    f->bytes = grown(f->bytes, sectors, SIM_SECTOR_SIZE);
    memset(f->bytes + f->sectors * SIM_SECTOR_SIZE, 0, more * SIM_SECTOR_SIZE);
    f->versions = grown(f->versions, sectors, sizeof *f->versions);
    memset(f->versions + f->sectors, 0, more * sizeof *f->versions);
    f->sectors = sectors;
}

static void versions_free(struct version *v)
{
    while (v != NULL) {
        struct version *older = v->older;
        free(v);
        v = older;
    }
}

sim_file_t *sim_file_new(void)
{
    sim_file_t *f = calloc(1, sizeof *f);
    CHECK(f != NULL);
    return f;
}

void sim_file_destroy(sim_file_t **f_p)
{
    sim_file_t *f = *f_p;
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->dirty_count; i++)
        versions_free(f->versions[f->dirty[i]]);
    free(f->dirty);
    free(f->versions);
    free(f->bytes);
    free(f);
    *f_p = NULL;
}

sim_file_t *sim_file_copy(const sim_file_t *f)
{
    sim_file_t *copy = sim_file_new();
    reserve(copy, f->size);
    if (f->size > 0)
        memcpy(copy->bytes, f->bytes, (size_t)f->size);
    copy->size = copy->durable_size = f->size;
    return copy;
}

uint64_t sim_file_size(const sim_file_t *f)
{
    return f->size;
}

size_t sim_file_read(const sim_file_t *f, uint64_t at, void *bytes, size_t size)
{
    if (at >= f->size)
        return 0;
    if (size > f->size - at)
        size = (size_t)(f->size - at);
    if (size > 0)
        memcpy(bytes, f->bytes + at, size);
    return size;
}

/* Remember what stands in a sector that is about to be written. */
static void version_push(sim_file_t *f, size_t sector, uint64_t stamp)
{
    struct version *v = malloc(sizeof *v);
    CHECK(v != NULL);
    v->older = f->versions[sector];
    v->stamp = stamp;
    v->doomed = false;
    memcpy(v->before, f->bytes + sector * SIM_SECTOR_SIZE, SIM_SECTOR_SIZE);
    f->versions[sector] = v;
    if (v->older != NULL)
        return;
    if (f->dirty_count == f->dirty_size) {
        f->dirty_size = 2 * f->dirty_size + 64;
        f->dirty = grown(f->dirty, f->dirty_size, sizeof *f->dirty);
    }
    f->dirty[f->dirty_count++] = sector;
}

void sim_file_write(sim_file_t *f, uint64_t at, const void *bytes, size_t size, uint64_t stamp)
{
    if (size == 0)
        return;
    reserve(f, at + size);
    size_t last = (size_t)((at + size - 1) / SIM_SECTOR_SIZE);
    for (size_t sector = (size_t)(at / SIM_SECTOR_SIZE); sector <= last; sector++)
        version_push(f, sector, stamp);
    memcpy(f->bytes + at, bytes, size);
    if (f->size < at + size)
        f->size = at + size;
}

void sim_file_settle(sim_file_t *f, uint64_t stamp, uint64_t size)
{
    size_t left = 0;
    for (size_t i = 0; i < f->dirty_count; i++) {
        size_t sector = f->dirty[i];
        struct version **at = &f->versions[sector];
        while (*at != NULL && ((*at)->stamp > stamp || (*at)->doomed))
            at = &(*at)->older;
        versions_free(*at);
        *at = NULL;
        if (f->versions[sector] != NULL)
            f->dirty[left++] = sector;
    }
    f->dirty_count = left;
    if (f->durable_size < size)
        f->durable_size = size;
}

void sim_file_doom(sim_file_t *f, uint64_t stamp)
{
    for (size_t i = 0; i < f->dirty_count; i++)
        for (struct version *v = f->versions[f->dirty[i]]; v != NULL; v = v->older)
            if (v->stamp <= stamp)
                v->doomed = true;
}

static void fate_add(struct fates *fates, uint64_t stamp, bool kept)
{
    if (fates->count == fates->size) {
        fates->size = 2 * fates->size + 64;
        fates->of = grown(fates->of, fates->size, sizeof *fates->of);
    }
    fates->of[fates->count++] = (struct fate){.stamp = stamp, .kept = kept};
}

/* Leave of a sector's writes since it was durable the first `keep`, at most all; whether that
 * changes it. */
static bool sector_cut(sim_file_t *f, size_t sector, size_t keep, struct fates *fates)
{
    uint8_t *now = f->bytes + sector * SIM_SECTOR_SIZE;
    const uint8_t *after = now, *left = now;
    size_t index = 0; /* of the write, from 1 */
    for (struct version *v = f->versions[sector]; v != NULL; v = v->older)
        index++;
    for (struct version *v = f->versions[sector]; v != NULL; v = v->older, index--) {
        if (memcmp(after, v->before, SIM_SECTOR_SIZE) != 0)
            fate_add(fates, v->stamp, index <= keep);
        if (index == keep + 1)
            left = v->before;
        after = v->before;
    }
    bool changed = memcmp(now, left, SIM_SECTOR_SIZE) != 0;
    if (changed)
        memcpy(now, left, SIM_SECTOR_SIZE);
    versions_free(f->versions[sector]);
    f->versions[sector] = NULL;
    return changed;
}

static size_t writes_of(const sim_file_t *f, size_t sector)
{
    size_t count = 0;
    for (const struct version *v = f->versions[sector]; v != NULL; v = v->older)
        count++;
    return count;
}

static int fate_compare(const void *a_p, const void *b_p)
{
    const struct fate *a = a_p, *b = b_p;
    return (a->stamp > b->stamp) - (a->stamp < b->stamp);
}

/* Writes of which a part survived, and sectors lost although something later did. */
static void fates_count(struct fates *fates, struct sim_file_losses *losses)
{
    if (fates->count > 0)
        qsort(fates->of, fates->count, sizeof *fates->of, fate_compare);
    uint64_t last_kept = 0;
    for (size_t i = 0; i < fates->count; i++)
        if (fates->of[i].kept)
            last_kept = fates->of[i].stamp;
    for (size_t i = 0; i < fates->count;) {
        uint64_t stamp = fates->of[i].stamp, kept = 0, lost = 0;
        for (; i < fates->count && fates->of[i].stamp == stamp; i++) {
            kept += fates->of[i].kept;
            lost += !fates->of[i].kept;
        }
        losses->torn += kept > 0 && lost > 0;
        losses->reordered += stamp < last_kept ? lost : 0;
    }
}

/* Where the file ends after a power loss: its end may be as durable as any sector. */
static uint64_t size_left(const sim_file_t *f, struct random *random, uint64_t kept_of_8)
{
    uint64_t more = f->size - f->durable_size;
    if (more == 0 || random_below(random, 8) < kept_of_8)
        return f->size;
    return f->durable_size + (random_once_in(random, 2) ? 0 : random_below(random, more));
}

void sim_file_power_loss(sim_file_t *f, struct random *random, struct sim_file_losses *losses)
{
    /* nearly everything written, nearly nothing, and all between: each shows other mistakes */
    static const uint64_t odds[] = {0, 1, 4, 7, 8};
    if (f->dirty_count == 0 && f->durable_size == f->size)
        return;
    uint64_t kept_of_8 = RANDOM_OF(random, odds);
    uint64_t size = size_left(f, random, kept_of_8);
    struct fates fates = {0};
    for (size_t i = 0; i < f->dirty_count; i++) {
        size_t sector = f->dirty[i], writes = writes_of(f, sector), keep = writes;
        if (sector * SIM_SECTOR_SIZE >= size)
            keep = 0;
        else if (random_below(random, 8) >= kept_of_8)
            keep = (size_t)random_below(random, writes);
        losses->lost += sector_cut(f, sector, keep, &fates);
    }
    f->dirty_count = 0;
    if (size < f->size) {
        losses->lost++;
        memset(f->bytes + size, 0, (size_t)(f->size - size));
    }
    f->size = f->durable_size = size;
    fates_count(&fates, losses);
    free(fates.of);
}

bool sim_file_flip(sim_file_t *f, uint64_t offset, unsigned bit)
{
    if (offset >= f->size)
        return false;
    uint8_t mask = (uint8_t)(1U << bit);
    f->bytes[offset] ^= mask;
    struct version *v = f->versions[offset / SIM_SECTOR_SIZE];
    for (; v != NULL; v = v->older)
        v->before[offset % SIM_SECTOR_SIZE] ^= mask;
    return true;
}
