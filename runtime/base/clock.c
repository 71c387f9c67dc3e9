#include "runtime/base/clock.h"

#include "runtime/base/check.h"

enum {
    SLOWER_BY = 4
};

int64_t clock_tell(struct clock *clock, int64_t wall_ms, int64_t steady_ms)
{
    const int64_t offset_ms = wall_ms - steady_ms;
    if (!clock->is_set || offset_ms >= clock->offset_ms) {
        *clock = (struct clock){true, offset_ms, steady_ms};
        return wall_ms;
    }
    const int64_t ahead_ms = clock->offset_ms - offset_ms;
    const int64_t less_ms = (steady_ms - clock->level_ms) / SLOWER_BY;
    clock->level_ms += less_ms * SLOWER_BY;
    clock->offset_ms -= less_ms < ahead_ms ? less_ms : ahead_ms;
    return steady_ms + clock->offset_ms;
}

void clock_raise(struct clock *clock, int64_t least_ms, int64_t steady_ms)
{
    const int64_t offset_ms = least_ms - steady_ms;
    if (!clock->is_set || offset_ms > clock->offset_ms) {
        *clock = (struct clock){true, offset_ms, steady_ms};
    }
}

int64_t clock_read_us(clockid_t id)
{
    struct timespec now;
    CHECK(clock_gettime(id, &now) == 0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_read_ms(clockid_t id)
{
    return clock_read_us(id) / 1000;
}

int64_t clock_earlier(int64_t a, int64_t b)
{
    if (a == 0 || b == 0) {
        return a == 0 ? b : a;
    }
    return a < b ? a : b;
}
