/* clock: the two clocks the edges of the system read. Steps and the engine never do: time is
 * passed to them. Unix nanoseconds fit a uint64 until the year 2554. */
#ifndef OUTCRY_BASE_CLOCK_H
#define OUTCRY_BASE_CLOCK_H

#include <stdint.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define NS_PER_MS     UINT64_C(1000000)
#define NS_PER_US     UINT64_C(1000)

/* Wall clock, Unix ns: for stamps. May jump. */
uint64_t clock_wall_ns(void);

/* Only grows; for time-outs and measurements. */
uint64_t clock_monotonic_ns(void);

/* Likewise, and it goes on while the machine sleeps: a jump of the wall clock shows against it. */
uint64_t clock_boot_ns(void);

#endif
