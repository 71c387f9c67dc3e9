#include "runtime/base/clock.h"

int64_t clock_tell(struct clock *clock, int64_t wall_ms, int64_t steady_ms)
{
    const int64_t offset_ms = wall_ms - steady_ms;
    if (!clock->is_set || offset_ms > clock->offset_ms) {
        clock->offset_ms = offset_ms;
        clock->is_set = true;
    }
    return steady_ms + clock->offset_ms;
}
