/* clock: monotonic time for deadlines and measurements; wall time only for people (certificates,
 * logs, `created`). */
#ifndef RUNTIME_BASE_CLOCK_H
#define RUNTIME_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_mono_ms(void);
int64_t clock_mono_us(void);
int64_t clock_wall_s(void);

#endif
