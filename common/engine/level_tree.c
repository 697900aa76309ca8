#include "engine/level_tree.h"

#include "base/check.h"
#include "base/memory.h"

enum {
    NODE_BITS = 6,
    DEPTH_MAX = 11, /* ceil(64 / 6) */
};

void level_nodes_init(struct level_nodes *pool, uint32_t levels_max)
{
    CHECK(levels_max < UINT32_MAX / 2);
    uint32_t count_max = 2 * levels_max;
    *pool = (struct level_nodes){
        .nodes = memory_new((size_t)count_max + 1, sizeof *pool->nodes, "price levels"),
        .count_max = count_max,
        .fresh = 1,
    };
}

void level_nodes_close(struct level_nodes *pool)
{
    memory_free(pool->nodes, (size_t)pool->count_max + 1, sizeof *pool->nodes);
    *pool = (struct level_nodes){0};
}

static unsigned index_in(const struct level_node *node, uint64_t key)
{
    return (unsigned)(key >> node->shift) & 63u;
}

static bool holds(const struct level_node *node, unsigned index)
{
    return node->occupied >> index & 1;
}

/* The key without the six bits at shift and all below; two steps, because shift may be 60. */
static uint64_t prefix_of(uint64_t key, uint32_t shift)
{
    return key >> shift >> NODE_BITS << NODE_BITS << shift;
}

static bool covers(const struct level_node *node, uint64_t key)
{
    return prefix_of(key, node->shift) == node->prefix;
}

static void attach(struct level_node *node, unsigned index, uint32_t child)
{
    node->occupied |= UINT64_C(1) << index;
    node->child[index] = child;
}

static uint32_t node_new(struct level_nodes *pool, uint64_t key, uint32_t shift)
{
    uint32_t n = pool->free_head;
    if (n != 0) {
        pool->free_head = pool->nodes[n].next_free;
    } else {
        CHECK(pool->fresh <= pool->count_max);
        n = pool->fresh++;
    }
    struct level_node *node = &pool->nodes[n];
    node->prefix = prefix_of(key, shift);
    node->occupied = 0;
    node->shift = shift;
    return n;
}

static void node_free(struct level_nodes *pool, uint32_t n)
{
    pool->nodes[n].next_free = pool->free_head;
    pool->free_head = n;
}

static uint32_t leaf_new(struct level_nodes *pool, uint64_t key, uint32_t value)
{
    uint32_t n = node_new(pool, key, 0);
    attach(&pool->nodes[n], index_in(&pool->nodes[n], key), value);
    return n;
}

/* The value of the largest key below a node. */
static uint32_t largest(const struct level_nodes *pool, uint32_t n)
{
    for (;;) {
        const struct level_node *node = &pool->nodes[n];
        uint32_t child = node->child[63 - __builtin_clzll(node->occupied)];
        if (node->shift == 0)
            return child;
        n = child;
    }
}

/* The largest occupied index below this one, or -1. */
static int index_below(const struct level_node *node, unsigned index)
{
    uint64_t below = node->occupied & ((UINT64_C(1) << index) - 1);
    return below == 0 ? -1 : 63 - __builtin_clzll(below);
}

uint32_t level_tree_find(const struct level_nodes *pool, uint32_t root, uint64_t key)
{
    for (uint32_t n = root; n != 0;) {
        const struct level_node *node = &pool->nodes[n];
        unsigned index = index_in(node, key);
        if (!covers(node, key) || !holds(node, index))
            return 0;
        if (node->shift == 0)
            return node->child[index];
        n = node->child[index];
    }
    return 0;
}

/* Put a node above `*link`, where the key and the subtree there part, with the key's own leaf. */
static void fork_at(struct level_nodes *pool, uint32_t *link, uint64_t key, uint32_t value)
{
    uint64_t other = pool->nodes[*link].prefix;
    uint32_t highest = 63u - (uint32_t)__builtin_clzll(key ^ other);
    uint32_t leaf = leaf_new(pool, key, value);
    uint32_t fork = node_new(pool, key, highest / NODE_BITS * NODE_BITS);
    struct level_node *node = &pool->nodes[fork];
    attach(node, index_in(node, other), *link);
    attach(node, index_in(node, key), leaf);
    *link = fork;
}

uint32_t level_tree_insert(struct level_nodes *pool, uint32_t *root, uint64_t key, uint32_t value)
{
    uint32_t smaller = 0; /* a subtree whose keys are all smaller, the closest seen so far */
    uint32_t *link = root;
    while (*link != 0) {
        struct level_node *node = &pool->nodes[*link];
        if (!covers(node, key)) {
            if (node->prefix < key)
                smaller = *link;
            fork_at(pool, link, key, value);
            return smaller == 0 ? 0 : largest(pool, smaller);
        }
        unsigned index = index_in(node, key);
        int below = index_below(node, index);
        if (node->shift == 0) {
            attach(node, index, value);
            if (below >= 0)
                return node->child[below];
            return smaller == 0 ? 0 : largest(pool, smaller);
        }
        if (below >= 0)
            smaller = node->child[below];
        if (!holds(node, index)) {
            attach(node, index, leaf_new(pool, key, value));
            return smaller == 0 ? 0 : largest(pool, smaller);
        }
        link = &node->child[index];
    }
    *link = leaf_new(pool, key, value);
    return 0;
}

void level_tree_remove(struct level_nodes *pool, uint32_t *root, uint64_t key)
{
    uint32_t *links[DEPTH_MAX];
    unsigned depth = 0;
    links[0] = root;
    while (pool->nodes[*links[depth]].shift != 0) {
        struct level_node *node = &pool->nodes[*links[depth]];
        links[++depth] = &node->child[index_in(node, key)];
    }

    uint32_t leaf = *links[depth];
    pool->nodes[leaf].occupied &= ~(UINT64_C(1) << index_in(&pool->nodes[leaf], key));
    if (pool->nodes[leaf].occupied != 0)
        return;
    node_free(pool, leaf);
    if (depth == 0) {
        *root = 0;
        return;
    }
    uint32_t parent = *links[depth - 1];
    struct level_node *node = &pool->nodes[parent];
    node->occupied &= ~(UINT64_C(1) << index_in(node, key));
    if ((node->occupied & (node->occupied - 1)) == 0) { /* a fork no more */
        *links[depth - 1] = node->child[__builtin_ctzll(node->occupied)];
        node_free(pool, parent);
    }
}
