/* amount: numbers as people read them at a glance, in few columns: 950, 12.3k, 4.1M; 120us, 4.5ms;
 * 1.2 GiB; NAN is "-". */
#ifndef OUTCRY_CLI_AMOUNT_H
#define OUTCRY_CLI_AMOUNT_H

enum { AMOUNT_SIZE = 24 };

/* At most 5 columns below a thousand billions. */
void amount_count(char text[AMOUNT_SIZE], double count);

/* At most 5 columns below 10,000 s. */
void amount_seconds(char text[AMOUNT_SIZE], double seconds);

/* At most 8. */
void amount_bytes(char text[AMOUNT_SIZE], double bytes);

/* All its digits. */
void amount_whole(char text[AMOUNT_SIZE], double count);

/* A share of a limit: "12%", at most 4. */
void amount_share(char text[AMOUNT_SIZE], double part, double whole);

#endif
