/* order: `outcry order`, `outcry cancel`, `outcry amend`: orders by hand, through a gateway. */
#ifndef OUTCRY_CLI_ORDER_H
#define OUTCRY_CLI_ORDER_H

int order_main(int argc, char **argv);
int cancel_main(int argc, char **argv);
int amend_main(int argc, char **argv);

#endif
