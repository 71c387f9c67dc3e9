#include "actors/lines.h"

#include <inttypes.h>

void lines_init(struct lines *lines, struct arena *arena, int64_t page, int64_t page_lines)
{
    *lines = (struct lines){.arena = arena, .page = page < 1 ? 1 : page, .page_lines = page_lines};
    buf_init(&lines->plain, arena);
    buf_init(&lines->html, arena);
}

bool lines_wants(struct lines *lines)
{
    lines->count++;
    return (lines->count - 1) / lines->page_lines == lines->page - 1;
}

void lines_put(struct lines *lines, const struct text_pair *line)
{
    buf_put(&lines->plain, lines->plain.len > 0 ? SLICE("\n") : SLICE_EMPTY);
    buf_put(&lines->html, lines->html.len > 0 ? SLICE("<br>") : SLICE_EMPTY);
    buf_put(&lines->plain, line->plain);
    buf_put(&lines->html, line->html);
}

static int64_t pages_of(const struct lines *lines)
{
    return (lines->count + lines->page_lines - 1) / lines->page_lines;
}

bool lines_has_more(const struct lines *lines)
{
    return lines->page < pages_of(lines);
}

struct text_pair lines_end(const struct lines *lines)
{
    const struct slice page = arena_printf(lines->arena, "%" PRId64, lines->page);
    const struct slice total = arena_printf(lines->arena, "%" PRId64, pages_of(lines));
    const struct text_pair shown = {buf_slice(&lines->plain), buf_slice(&lines->html)};
    if (lines->page > pages_of(lines)) {
        return TEXT_RENDER(lines->arena, TEXT_NO_SUCH_PAGE, {"page", page}, {"total", total});
    }
    if (pages_of(lines) <= 1) {
        return shown;
    }
    return text_join(lines->arena, shown,
                     TEXT_RENDER(lines->arena, lines_has_more(lines) ? TEXT_MORE : TEXT_LAST_PAGE,
                                 {"page", page}, {"total", total}));
}

struct slice lines_id(struct slice ids, int64_t place)
{
    struct slice id = SLICE_EMPTY;
    for (int64_t i = 0; i < place; i++) {
        if (ids.ptr == NULL) {
            return SLICE_EMPTY;
        }
        id = slice_cut(&ids, ' ');
    }
    return id;
}
