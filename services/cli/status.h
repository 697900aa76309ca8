/* status: `outcry status`: how a cluster is, once: what is wrong, then every shard and service. */
#ifndef OUTCRY_CLI_STATUS_H
#define OUTCRY_CLI_STATUS_H

int status_main(int argc, char **argv);

#endif
