/* status: the operating failures (not refusals, which are reject codes; not broken invariants,
 * which are CHECKs). Whoever gets one handles it or hands it on. */
#ifndef OUTCRY_BASE_STATUS_H
#define OUTCRY_BASE_STATUS_H

enum status {
    STATUS_OK = 0,
    STATUS_FULL,    /* no room; nothing was done; may be tried again */
    STATUS_INVALID, /* what came from outside does not fit its form */
    STATUS_MISSING, /* there is no such thing, or not any more */
    STATUS_IN_USE,  /* somebody else holds it */
    STATUS_IO,      /* the system failed; errno says how */
};

#endif
