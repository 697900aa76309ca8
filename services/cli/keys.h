/* keys: `outcry keys`: makes, lists and changes the keys of a cluster (bus/keys.h). */
#ifndef OUTCRY_CLI_KEYS_H
#define OUTCRY_CLI_KEYS_H

int keys_main(int argc, char **argv);

#endif
