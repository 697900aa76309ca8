/* capture: what stderr gets, in this process. */
#ifndef OUTCRY_UNIT_BASE_CAPTURE_H
#define OUTCRY_UNIT_BASE_CAPTURE_H

/* What stderr gets between begin and end; it is valid until the next end. A pipe holds it: at most
 * 8 KiB. */
void capture_begin(void);
const char *capture_end(void);

#endif
