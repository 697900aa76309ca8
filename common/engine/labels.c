/* labels: from an account and its client order id to the order, in one hash and on average one
 * comparison. The table is by order, so a label costs nothing to allocate and nothing to free. */
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/memory.h"
#include "engine/state.h"

void labels_init(struct labels *l, uint32_t order_max, uint32_t labelled_max, uint64_t seed)
{
    uint64_t buckets = 16;
    while (buckets < labelled_max)
        buckets *= 2;
    *l = (struct labels){
        .labels = memory_new((size_t)order_max + 1, sizeof *l->labels, "client order ids"),
        .heads = memory_new(buckets, sizeof *l->heads, "client order ids"),
        .bucket_mask = buckets - 1,
        .seed = seed,
        .order_max = order_max,
    };
}

void labels_close(struct labels *l)
{
    memory_free(l->labels, (size_t)l->order_max + 1, sizeof *l->labels);
    memory_free(l->heads, l->bucket_mask + 1, sizeof *l->heads);
    *l = (struct labels){0};
}

static uint32_t *bucket(const struct labels *l, uint32_t account, struct text id)
{
    uint64_t hash = XXH3_64bits_withSeed(id.data, id.size, l->seed + account);
    return &l->heads[hash & l->bucket_mask];
}

uint32_t labels_find(const struct labels *l, const struct book_pool *pool, uint32_t account,
                     struct text id)
{
    uint32_t order = *bucket(l, account, id);
    while (order != 0) {
        if (pool->orders[order].account == account && text_equal(labels_text(l, order), id))
            break;
        order = l->labels[order].next;
    }
    return order;
}

void labels_add(struct labels *l, uint32_t order, uint32_t account, struct text id,
                uint64_t body_hash)
{
    uint32_t *head = bucket(l, account, id);
    struct label *label = &l->labels[order];
    label->body_hash = body_hash;
    label->size = (uint8_t)id.size;
    memcpy(label->text, id.data, id.size);
    label->next = *head;
    *head = order;
}

void labels_remove(struct labels *l, uint32_t order, uint32_t account)
{
    uint32_t *link = bucket(l, account, labels_text(l, order));
    while (*link != order)
        link = &l->labels[*link].next;
    *link = l->labels[order].next;
}

struct text labels_text(const struct labels *l, uint32_t order)
{
    return (struct text){l->labels[order].text, l->labels[order].size};
}
