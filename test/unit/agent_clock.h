#ifndef TEST_UNIT_AGENT_CLOCK_H
#define TEST_UNIT_AGENT_CLOCK_H
/*
 * agent_clock.h - a clock that the test moves, in the place of io.h's.
 *
 * Works in programs that need nothing else of io.h: the linker then never looks at the real one.
 */
#include "agent/base/io.h"

static uint64_t fake_ms = 5000;
static int64_t fake_wall_s = 1900000000; /* 2030-03-17 */

uint64_t io_now_ms(void)
{
    return fake_ms;
}

int64_t io_wall_s(void)
{
    return fake_wall_s;
}

/* Time goes by: both clocks move. */
static inline void fake_pass_s(int64_t s)
{
    fake_ms += (uint64_t)s * 1000;
    fake_wall_s += s;
}
#endif
