#include "cli/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/keys_parts.h"
#include "cli/rest.h"
#include "node/host.h"

static const char usage[] =
    "usage: outcry keys make DIR [NAME --role ROLE [--accounts A,B]]\n"
    "       outcry keys list DIR\n"
    "       outcry keys rotate DIR NAME\n"
    "       outcry keys promote DIR NAME\n"
    "       outcry keys retire DIR NAME\n"
    "\n"
    "The keys (CURVE) with which the parts of a cluster know each other over tcp: with the "
    "setting\n"
    "keys_dir nobody without one gets in. A process of role R needs R.secret and all the *.public\n"
    "files in its keys_dir, and no other's secret. Roles are matcher, follower, market-data,\n"
    "gateway, strategy, operator (these tools) and subscriber (readers of market data).\n"
    "\n"
    "make     a pair for every role that has none; or for one more identity, NAME, of a ROLE: a\n"
    "         trading program outside (strategy; --accounts: it may command these only), a reader\n"
    "         (subscriber). What is there is never written over.\n"
    "list     who there is, with which keys, and what is wrong with the files\n"
    "rotate   a next pair for NAME: from now on both are accepted\n"
    "promote  the next pair becomes NAME's own; the one before is still accepted\n"
    "retire   the one before is not accepted any more; who still uses it is cut off\n"
    "\n"
    "A change of keys under load: rotate; give the public files to every process (they read their\n"
    "directory again by themselves); promote; give NAME.secret to the processes of NAME and\n"
    "restart them one by one; retire. To take an identity away for good, remove its files.\n"
    "\n"
    "  outcry keys make /etc/outcry/keys\n"
    "  outcry keys make /etc/outcry/keys desk2 --role strategy --accounts alice,bob\n"
    "  outcry keys list /etc/outcry/keys\n"
    "  outcry keys rotate /etc/outcry/keys matcher\n"
    "  outcry up --keys-dir /etc/outcry/keys --commands-address 'tcp://127.0.0.1:{5600+shard}'\n";

int keys_fail(const char *what)
{
    fprintf(stderr, "outcry keys: %s\n", what);
    return EXIT_FAILURE;
}

void keys_record(const struct keys_order *o, const char *action, const char *name)
{
    char event[32];
    snprintf(event, sizeof event, "keys_%s", action);
    host_audit(o->cluster, event,
               LOG_FIELDS(LOG_TEXT("directory", o->directory), LOG_TEXT("name", name),
                          LOG_TEXT("outcome", "done")));
}

bool keys_write_pair(const char *directory, struct certificate *c, enum key_state state,
                     char error[KEYS_ERROR_SIZE])
{
    char path[KEYS_PATH_SIZE];
    certificate_draw(c);
    keys_path(directory, c->name, state, true, path);
    if (!certificate_write(c, path, true, error))
        return false;
    keys_path(directory, c->name, state, false, path);
    return certificate_write(c, path, false, error);
}

static int refuse(const char *found, const char *expected)
{
    fprintf(stderr, "outcry keys: found %s%s%s, expected %s\n", found == NULL ? "" : "\"",
            found == NULL ? "nothing" : found, found == NULL ? "" : "\"", expected);
    return 2;
}

static const struct action {
    const char *name;
    int (*run)(const struct keys_order *o);
    int words_min, words_max; /* behind DIR */
} actions[] = {
    {"make", keys_make, 0, 1},       {"list", keys_list, 0, 0},     {"rotate", keys_rotate, 1, 1},
    {"promote", keys_promote, 1, 1}, {"retire", keys_retire, 1, 1},
};

int keys_main(int argc, char **argv)
{
    static struct cluster cluster;
    const struct action *action = NULL;
    host_load(&cluster, &argc, argv, usage);
    struct keys_order order = {.cluster = &cluster};
    order.role = rest_text_flag(&argc, argv, "--role");
    order.accounts = rest_text_flag(&argc, argv, "--accounts");
    for (size_t i = 0; argc > 1 && i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(argv[1], actions[i].name) == 0)
            action = &actions[i];
    }
    if (action == NULL)
        return refuse(argc > 1 ? argv[1] : NULL, "make, list, rotate, promote or retire (--help)");
    if (argc < 3)
        return refuse(NULL, "the directory of keys (--help)");
    if (argc - 3 < action->words_min)
        return refuse(NULL, "the NAME whose keys are to change (--help)");
    if (argc - 3 > action->words_max)
        return refuse(argv[3 + action->words_max], "nothing more (--help)");
    order.directory = argv[2];
    order.name = argc > 3 ? argv[3] : NULL;
    if ((order.role != NULL || order.accounts != NULL) &&
        (action->run != keys_make || order.name == NULL))
        return refuse("--role or --accounts", "them only with `make DIR NAME`");
    return action->run(&order);
}
