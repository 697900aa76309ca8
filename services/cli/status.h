/* status: `outcry status`: how the cluster is, as its gateway sees it. */
#ifndef OUTCRY_CLI_STATUS_H
#define OUTCRY_CLI_STATUS_H

int status_main(int argc, char **argv);

#endif
