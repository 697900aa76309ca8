/* level_tree: from a price to its level, and from a new price to its neighbour, anywhere in 64
 * bits.
 *
 * A radix tree of 64-way nodes with an occupancy bitmap each, path-compressed: a node exists only
 * where keys part, so a market in one neighbourhood is two or three nodes deep whatever its
 * prices are, and one spread over the whole of int64 at most eleven. A flat array of ticks would
 * be faster by a few ns and have an edge to fall off.
 *
 *              root: bits 12..17 of the key differ below here
 *             /    \
 *        bits 6..11  ...
 *        /      \
 *     leaf: 64 neighbouring keys, child = the level
 *
 * Keys are prices turned so that a smaller key is always the better price (level_tree_key), which
 * is what lets one routine serve both sides. Values are level numbers, never 0.
 * Nodes come from a pool that all trees of a shard share. Thread: owner only. */
#ifndef OUTCRY_ENGINE_LEVEL_TREE_H
#define OUTCRY_ENGINE_LEVEL_TREE_H

#include <stdint.h>

#include "proto/messages.h"

struct level_node {
    uint64_t prefix; /* the key bits above this node's six; the rest 0 */
    uint64_t occupied;
    uint32_t next_free;
    uint32_t shift; /* which six bits choose the child: 0 (a leaf), 6, ... 60 */
    uint32_t child[64];
};

struct level_nodes {
    struct level_node *nodes; /* 1..count_max */
    uint32_t count_max;
    uint32_t fresh; /* nodes never used yet start here */
    uint32_t free_head;
};

/* One node's worth of keys needs at most one leaf and one inner node, so 2 * levels_max nodes
 * can never run out. */
void level_nodes_init(struct level_nodes *pool, uint32_t levels_max);
void level_nodes_close(struct level_nodes *pool);

/* side: SIDE_BUY or SIDE_SELL. */
static inline uint64_t level_tree_key(unsigned side, int64_t price)
{
    uint64_t ascending = (uint64_t)price ^ (UINT64_C(1) << 63);
    return ascending ^
           (0 - (uint64_t)(side == SIDE_BUY)); /* no branch: nobody can guess the side */
}

/* A tree is the number of its root; 0 is the empty tree. */
uint32_t level_tree_find(const struct level_nodes *pool, uint32_t root, uint64_t key);

/* Insert a key that is not there. The value of the next smaller key, or 0. */
uint32_t level_tree_insert(struct level_nodes *pool, uint32_t *root, uint64_t key, uint32_t value);

/* Remove a key that is there. */
void level_tree_remove(struct level_nodes *pool, uint32_t *root, uint64_t key);

#endif
