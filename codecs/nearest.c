#include "codecs/nearest.h"

enum {
    WORD_BYTES_MAX = 15,
    DIFFERENCE_MAX = 2
};

static size_t least(size_t a, size_t b, size_t c)
{
    const size_t smaller = a < b ? a : b;
    return smaller < c ? smaller : c;
}

/* The Levenshtein distance, row by row; both words are at most WORD_BYTES_MAX long. */
static size_t distance(struct slice a, struct slice b)
{
    size_t row[WORD_BYTES_MAX + 1];
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            const bool is_same = slice_equal_fold(slice_first(slice_from(a, i - 1), 1),
                                                  slice_first(slice_from(b, j - 1), 1));
            const size_t above = row[j];
            row[j] = least(above + 1, row[j - 1] + 1, corner + (is_same ? 0 : 1));
            corner = above;
        }
    }
    return row[b.len];
}

struct slice nearest_word(struct slice typed, const struct slice *words, size_t count)
{
    struct slice nearest = SLICE_EMPTY;
    size_t best = DIFFERENCE_MAX + 1;
    if (typed.len == 0 || typed.len > WORD_BYTES_MAX) {
        return nearest;
    }
    for (size_t i = 0; i < count; i++) {
        const size_t here = words[i].len > WORD_BYTES_MAX ? best : distance(typed, words[i]);
        if (here < best && here * 2 < words[i].len) {
            best = here;
            nearest = words[i];
        }
    }
    return nearest;
}
