/* admin_file: {run_dir}/NAME.admin, one line `HOST:PORT`: where a service of this machine is looked
 * at. It is there while the service serves its probes and metrics; one that was killed leaves its
 * file behind, until it is started again. Thread: one, at start and end. */
#ifndef OUTCRY_NODE_ADMIN_FILE_H
#define OUTCRY_NODE_ADMIN_FILE_H

#include "node/cluster.h"

enum { ADMIN_FILE_SIZE = CLUSTER_ADDRESS_SIZE, ADMIN_FILE_ERROR_SIZE = 384 };

/* Its path. name: as for host_enter(), which makes the directory. */
void admin_file_path(const struct cluster *c, const char *name, char path[ADMIN_FILE_SIZE]);

/* address: HOST:PORT. Whoever reads the file finds all of it, or no file. False, with error in
 * words. */
bool admin_file_write(const char *path, const char *address, char error[ADMIN_FILE_ERROR_SIZE]);
void admin_file_remove(const char *path);

#endif
