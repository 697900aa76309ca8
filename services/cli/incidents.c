#include "cli/incidents.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"

/* What comes back within this time is the same incident: some show only every few looks. */
static const uint64_t SAME_NS = 30 * NS_PER_SECOND;

static const struct problem *find(const struct problems *found, const char *key)
{
    for (unsigned i = 0; i < found->count; i++) {
        if (strcmp(found->at[i].key, key) == 0)
            return &found->at[i];
    }
    return NULL;
}

static struct incident *known(struct incidents *all, const char *key)
{
    for (unsigned i = 0; i < all->count; i++) {
        if (strcmp(all->at[i].problem.key, key) == 0)
            return &all->at[i];
    }
    return NULL;
}

/* Room for one more. There are never more than PROBLEMS_MAX now, so at the limit one is over. */
static struct incident *make_room(struct incidents *all)
{
    if (all->count < INCIDENTS_MAX)
        return &all->at[all->count++];
    struct incident *oldest = NULL;
    for (unsigned i = 0; i < all->count; i++) {
        struct incident *one = &all->at[i];
        if (one->until_ns != 0 && (oldest == NULL || one->until_ns < oldest->until_ns))
            oldest = one;
    }
    CHECK(oldest != NULL);
    return oldest;
}

static int in_order(const void *a, const void *b)
{
    const struct incident *x = a, *y = b;
    if ((x->until_ns == 0) != (y->until_ns == 0))
        return x->until_ns == 0 ? -1 : 1;
    if (x->until_ns != y->until_ns)
        return x->until_ns > y->until_ns ? -1 : 1;
    if (x->problem.weight != y->problem.weight)
        return x->problem.weight < y->problem.weight ? -1 : 1;
    if (x->since_ns != y->since_ns)
        return x->since_ns > y->since_ns ? -1 : 1;
    return strverscmp(x->problem.key, y->problem.key);
}

void incidents_update(struct incidents *all, const struct problems *found, uint64_t now_ns)
{
    for (unsigned i = 0; i < all->count; i++) {
        if (all->at[i].until_ns == 0 && find(found, all->at[i].problem.key) == NULL)
            all->at[i].until_ns = now_ns;
    }
    for (unsigned i = 0; i < found->count; i++) {
        struct incident *one = known(all, found->at[i].key);
        if (one == NULL) {
            one = make_room(all);
            one->since_ns = now_ns;
        } else if (one->until_ns != 0 && now_ns > one->until_ns + SAME_NS) {
            one->since_ns = now_ns;
        }
        one->until_ns = 0;
        one->problem = found->at[i];
    }
    qsort(all->at, all->count, sizeof all->at[0], in_order);
}
