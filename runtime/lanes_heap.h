/* runtime/lanes_heap.h: a binary min-heap of nodes that know their place in it.
 *
 * Thread: one.
 * Memory: nodes are embedded in what they stand for and never owned. A node is in at most one heap.
 */
#ifndef GITTERD_RUNTIME_LANES_HEAP_H
#define GITTERD_RUNTIME_LANES_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_node {
    int64_t key;
    int64_t order; /* among equal keys: the smaller one first */
    size_t index;  /* 1 is the top; 0: in no heap */
};

struct heap {
    struct heap_node **nodes;
    size_t count;
    size_t cap;
};

/* All zero is an empty heap. */
void heap_clear(struct heap *heap);
/* The node with the smallest key; NULL if the heap is empty. */
struct heap_node *heap_top(const struct heap *heap);
void heap_add(struct heap *heap, struct heap_node *node);
/* Does nothing if the node is in no heap. */
void heap_remove(struct heap *heap, struct heap_node *node);

#endif
