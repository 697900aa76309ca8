/* probe: `outcry probe`: whether services are well, by their own word, as an exit status. */
#ifndef OUTCRY_CLI_PROBE_H
#define OUTCRY_CLI_PROBE_H

int probe_main(int argc, char **argv);

#endif
