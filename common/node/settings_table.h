/* Every setting there is, one line each: expanded into struct settings, its defaults, its parser,
 * .env.example and `outcry settings`.
 *
 *     U(name, "path in the file", default, low, high, "what it is")     whole numbers
 *     T(name, "path in the file", "default", "what it is")              texts
 *
 * A setting comes from, in this order: the flag --name (dashes for underscores), the environment
 * variable OUTCRY_NAME, that variable in the file .env, the configuration file, the default. */
#ifndef OUTCRY_NODE_SETTINGS_TABLE_H
#define OUTCRY_NODE_SETTINGS_TABLE_H

#define SETTINGS_TABLE(U, T)                                                                       \
    T(run_dir, "run_dir", "/tmp/outcry",                                                           \
      "directory of sockets and of what must survive a restart")                                   \
    U(shards, "shards", 1, 1, 64, "matchers; each symbol says which is its own")                   \
    T(commands_address, "addresses/commands", "ipc://{run_dir}/{shard}.commands",                  \
      "where the matcher of {shard} takes commands (PULL)")                                        \
    T(requests_address, "addresses/requests", "ipc://{run_dir}/{shard}.requests",                  \
      "where it takes requests (PULL)")                                                            \
    T(private_address, "addresses/private", "ipc://{run_dir}/{shard}.private",                     \
      "where it publishes results and orders (PUB)")                                               \
    T(public_address, "addresses/public", "ipc://{run_dir}/{shard}.public",                        \
      "where it publishes L3 (PUB), for market-data")                                              \
    T(market_data_address, "addresses/market_data", "tcp://127.0.0.1:5560",                        \
      "where market-data publishes (PUB)")                                                         \
    T(market_data_requests_address, "addresses/market_data_requests", "tcp://127.0.0.1:5561",      \
      "where it takes requests (PULL)")                                                            \
    U(open_orders_max, "limits/open_orders_max", 1000000, 1, 67108864,                             \
      "open orders a shard can hold at once")                                                      \
    U(accounts_max, "limits/accounts_max", 1000, 1, 1048576, "accounts a shard can ever see")      \
    U(finished_per_account, "limits/finished_per_account", 10000, 0, 1048576,                      \
      "finished orders remembered for an account, with their client order ids")                    \
    U(origins_max, "limits/origins_max", 64, 1, 4096, "senders of commands a shard can ever see")  \
    U(origin_window, "limits/origin_window", 16384, 1, 131072,                                     \
      "commands of one sender that may be unacknowledged")                                         \
    U(events_max, "limits/events_max", 1024, 1, 4096, "fills or cancels one command may make")     \
    U(batch_commands_max, "batch/commands_max", 4096, 1, 65536, "commands of one journal batch")   \
    U(batch_origin_max, "batch/origin_max", 2048, 1, 65536, "of these, from one sender")           \
    U(kept_mib, "kept_mib", 64, 1, 4096, "MiB of frames each publisher can send again")            \
    U(heartbeat_ms, "heartbeat_ms", 250, 10, 1000, "time between heartbeats")                      \
    T(log_level, "log_level", "info", "debug, info, warn or error")

#endif
