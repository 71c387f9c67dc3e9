/* runtime/base/clock.h: a time of day that never goes back.
 *
 * What is stored as a time (deadlines of actors, the earliest time of a call) is compared with this
 * clock. Were it to follow a wall clock that is set back by an hour, everything that waits would
 * wait for an hour more. One that is set forward is followed. While this clock is ahead of the wall
 * clock it goes slower by a fourth, until the other has come up.
 *
 * Thread: one.
 * Memory: none; a clock of zeros is new.
 * Units:  ms; `wall_ms` since the epoch, `steady_ms` since any moment.
 */
#ifndef GITTERD_BASE_CLOCK_H
#define GITTERD_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct clock {
    bool is_set;
    int64_t offset_ms; /* ahead of the steady clock */
    int64_t level_ms;  /* on the steady clock: up to then it was not ahead, or went slower */
};

/* The time now, by what both clocks say now. */
int64_t clock_tell(struct clock *clock, int64_t wall_ms, int64_t steady_ms);
/* What the process before was told last: it is not earlier now. */
void clock_raise(struct clock *clock, int64_t least_ms, int64_t steady_ms);

/* What one of the system's clocks says now. */
int64_t clock_read_ms(clockid_t id);
int64_t clock_read_us(clockid_t id); /* microseconds */

/* The earlier of two times, of which 0 is none. */
int64_t clock_earlier(int64_t a, int64_t b);

#endif
