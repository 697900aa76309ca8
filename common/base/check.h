/* CHECK: an invariant of ours that must hold, in every build. When it does not, what is in memory
 * can no longer be trusted, so the process says where, with the calls that led there, and aborts,
 * and the journal is the truth. Input from outside (network, disk, configuration) is validated,
 * never CHECKed.
 *
 *     common/engine/book.c:71: CHECK failed: level->count > 0
 *     bin/outcry-matcher(check_failed+0x8f)[0x55d0c1a4f1cf]
 *     bin/outcry-matcher(+0x1f3a2)[0x55d0c1a4f3a2]
 *     ...
 *
 * What the compiler made static or inlined has an offset only, to which
 * `addr2line -ifp -e bin/outcry-matcher 0x1f3a2` gives functions and lines. */
#ifndef OUTCRY_BASE_CHECK_H
#define OUTCRY_BASE_CHECK_H

/* Load what a stack trace needs, which takes memory and opens a file: at start, so that a failed
 * CHECK needs neither. */
void check_prepare(void);

/* Says what failed on stderr, with a stack trace, and aborts. */
_Noreturn void check_failed(const char *file, int line, const char *expression);

#define CHECK(expression)                                                                          \
    (__builtin_expect(!!(expression), 1) ? (void)0 : check_failed(__FILE__, __LINE__, #expression))

#endif
