#include "runtime/lanes_heap.h"

#include "runtime/base/check.h"

#include <stdlib.h>

void heap_clear(struct heap *heap)
{
    free(heap->nodes);
    *heap = (struct heap){0};
}

struct heap_node *heap_top(const struct heap *heap)
{
    return heap->count == 0 ? NULL : heap->nodes[0];
}

static bool is_before(const struct heap_node *a, const struct heap_node *b)
{
    return a->key != b->key ? a->key < b->key : a->order < b->order;
}

static void put(struct heap *heap, size_t index, struct heap_node *node)
{
    heap->nodes[index - 1] = node;
    node->index = index;
}

static void sift_up(struct heap *heap, struct heap_node *node)
{
    size_t index = node->index;
    while (index > 1 && is_before(node, heap->nodes[index / 2 - 1])) {
        put(heap, index, heap->nodes[index / 2 - 1]);
        index /= 2;
    }
    put(heap, index, node);
}

static void sift_down(struct heap *heap, struct heap_node *node)
{
    size_t index = node->index;
    while (2 * index <= heap->count) {
        size_t child = 2 * index;
        if (child < heap->count && is_before(heap->nodes[child], heap->nodes[child - 1])) {
            child++;
        }
        if (!is_before(heap->nodes[child - 1], node)) {
            break;
        }
        put(heap, index, heap->nodes[child - 1]);
        index = child;
    }
    put(heap, index, node);
}

void heap_add(struct heap *heap, struct heap_node *node)
{
    CHECK(node->index == 0);
    if (heap->count == heap->cap) {
        heap->cap = heap->cap == 0 ? 16 : 2 * heap->cap;
        heap->nodes = reallocarray(heap->nodes, heap->cap, sizeof(struct heap_node *));
        CHECK(heap->nodes != NULL);
    }
    heap->count++;
    put(heap, heap->count, node);
    sift_up(heap, node);
}

void heap_remove(struct heap *heap, struct heap_node *node)
{
    if (node->index == 0) {
        return;
    }
    CHECK(node->index <= heap->count && heap->nodes[node->index - 1] == node);
    struct heap_node *last = heap->nodes[heap->count - 1];
    heap->count--;
    if (last != node) {
        put(heap, node->index, last);
        sift_up(heap, last);
        sift_down(heap, last);
    }
    node->index = 0;
}
