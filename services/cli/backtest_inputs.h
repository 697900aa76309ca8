/* backtest_inputs: a live run played again from what its host was given (inputs.h): every command
 * it sends must be the recorded one, to the byte. Then it is reported like any other. */
#ifndef OUTCRY_CLI_BACKTEST_INPUTS_H
#define OUTCRY_CLI_BACKTEST_INPUTS_H

#include "cli/backtest_options.h"

/* Exit status: 0; 1: a command differs, the file is damaged, or a report cannot be written; 2: it
 * is no such file. What is wrong was said on stderr. */
int backtest_inputs_run(const struct backtest_options *o, const struct result_options *result);

#endif
