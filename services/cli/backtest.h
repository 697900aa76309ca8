/* backtest: `outcry backtest`: strategies against history, through the real engine on a virtual
 * clock, with a report. */
#ifndef OUTCRY_CLI_BACKTEST_H
#define OUTCRY_CLI_BACKTEST_H

int backtest_main(int argc, char **argv);

#endif
