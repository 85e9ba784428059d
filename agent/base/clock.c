/* see clock.h */
#include "agent/base/clock.h"
#include "agent/base/io.h"

enum { STEP_S = 5 };

static int64_t base_wall;
static uint64_t base_ms;

void clock_start(void)
{
    base_wall = io_wall_s();
    base_ms = io_now_ms();
}

int64_t clock_now(void)
{
    return base_wall + (int64_t)((io_now_ms() - base_ms) / 1000);
}

int64_t clock_check(void)
{
    int64_t step = io_wall_s() - clock_now();

    if (step >= -STEP_S && step <= STEP_S)
        return 0;
    clock_start();
    return step;
}
