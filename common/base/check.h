/* CHECK: an invariant of ours that must hold, in every build. When it does not, what is in memory
 * can no longer be trusted, so the process says where and aborts, and the journal is the truth.
 * Input from outside (network, disk, configuration) is validated, never CHECKed. */
#ifndef OUTCRY_BASE_CHECK_H
#define OUTCRY_BASE_CHECK_H

/* Says what failed on stderr and aborts. */
_Noreturn void check_failed(const char *file, int line, const char *expression);

#define CHECK(expression)                                                                          \
    (__builtin_expect(!!(expression), 1) ? (void)0 : check_failed(__FILE__, __LINE__, #expression))

#endif
