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
    T(listen_host, "listen_host", "none",                                                          \
      "address services listen at, in place of the host in their tcp addresses, which others "     \
      "connect to: 0.0.0.0 for all there are; none: that host")                                    \
    T(keys_dir, "keys_dir", "none",                                                                \
      "directory of CURVE keys (`outcry keys`): tcp between services is encrypted, and nobody "    \
      "without a key gets in; none: it is not, and only loopback is trusted")                      \
    T(market_data_address, "addresses/market_data", "tcp://127.0.0.1:5560",                        \
      "where market-data publishes (PUB)")                                                         \
    T(market_data_requests_address, "addresses/market_data_requests", "tcp://127.0.0.1:5561",      \
      "where it takes requests (PULL)")                                                            \
    T(gateway_address, "gateway/address", "127.0.0.1:8000",                                        \
      "where the gateway serves REST and WebSocket")                                               \
    T(admin_address, "gateway/admin_address", "127.0.0.1:8001",                                    \
      "where it serves probes and metrics, on threads of their own")                               \
    T(service_admin_address, "service_admin_address", "127.0.0.1:0",                               \
      "where every other service serves probes and metrics; port 0: a free one, which is told in " \
      "{run_dir}/NAME.admin; none: nowhere")                                                       \
    T(tls_certificate, "gateway/tls_certificate", "none",                                          \
      "PEM file with the gateway's key and certificates: it serves https and wss only, and reads " \
      "the file again when it has changed; none: http and ws")                                     \
    T(gateway_name, "gateway/name", "gateway",                                                     \
      "its name as a sender of commands: each gateway of a cluster has its own")                   \
    U(open_anywhere, "gateway/open_anywhere", 0, 0, 1,                                             \
      "1: trading without keys even off loopback, by REST and, if keys_dir is none, by ZeroMQ")    \
    T(hosts, "gateway/hosts", "none",                                                              \
      "host names it is reached by besides loopback's, with commas between them")                  \
    T(origins, "gateway/origins", "none",                                                          \
      "origins whose pages may speak to it besides its own (CORS), with commas between them")      \
    T(trusted_proxies, "gateway/trusted_proxies", "none",                                          \
      "addresses whose X-Forwarded-For is believed, with commas between them")                     \
    U(rest_connections_max, "gateway/rest_connections_max", 128, 1, 4096,                          \
      "connections served at once that are not WebSockets")                                        \
    U(websockets_max, "gateway/websockets_max", 512, 1, 4096, "WebSockets served at once")         \
    U(websocket_queue_max, "gateway/websocket_queue_max", 4096, 16, 65536,                         \
      "messages that wait for one WebSocket before it is closed as too slow")                      \
    U(request_ms, "gateway/request_ms", 5000, 100, 60000, "time a client has to send a request")   \
    U(keep_alive_ms, "gateway/keep_alive_ms", 30000, 100, 600000,                                  \
      "time a connection may be idle between requests")                                            \
    U(answer_ms, "gateway/answer_ms", 2000, 10, 60000,                                             \
      "time a request waits for its matcher, or for a position")                                   \
    U(deadline_ms, "gateway/deadline_ms", 5000, 10, 600000,                                        \
      "a command that reaches its matcher later than this is refused")                             \
    U(rate_orders, "gateway/rate_orders", 100, 1, 1000000,                                         \
      "placements and amends a second from one address; cancels have twice that")                  \
    U(rate_reads, "gateway/rate_reads", 200, 1, 1000000, "reads a second from one address")        \
    U(rate_loopback, "gateway/rate_loopback", 0, 0, 1, "1: loopback addresses are limited, too")   \
    T(journal_mode, "journal/mode", "sync",                                                        \
      "sync: an ack is on disk; async: it is at most 100 ms later; none: nothing is kept")         \
    T(journal_dir, "journal/dir", "{run_dir}/journal",                                             \
      "directory of the journals, each shard's in a folder of its own")                            \
    U(segment_mib, "journal/segment_mib", 32, 1, 1024, "MiB of one journal file")                  \
    U(journal_mib_max, "journal/mib_max", 16384, 4, 1073741824,                                    \
      "MiB a shard's journal may take before it takes no more commands")                           \
    U(checkpoint_commands, "journal/checkpoint_commands", 1000000, 1, 1000000000,                  \
      "commands between two state hashes in the journal")                                          \
    U(snapshot_commands, "journal/snapshot_commands", 1000000, 1, 1000000000,                      \
      "commands between two snapshots of a follower")                                              \
    T(follower_requests_address, "addresses/follower_requests",                                    \
      "ipc://{run_dir}/{shard}.follower",                                                          \
      "where the follower of {shard} takes what its matcher leaves to it (PULL)")                  \
    T(private_answers_address, "addresses/private_answers",                                        \
      "ipc://{run_dir}/{shard}.private_answers",                                                   \
      "where the matcher takes what its follower answers readers of orders (PULL)")                \
    T(public_answers_address, "addresses/public_answers",                                          \
      "ipc://{run_dir}/{shard}.public_answers", "and readers of L3 (PULL)")                        \
    T(follower_private_address, "addresses/follower_private",                                      \
      "ipc://{run_dir}/{shard}.follower_private",                                                  \
      "where the follower publishes what the matcher does (PUB)")                                  \
    T(follower_public_address, "addresses/follower_public",                                        \
      "ipc://{run_dir}/{shard}.follower_public", "likewise, L3 (PUB)")                             \
    U(open_orders_max, "limits/open_orders_max", 1000000, 1, 67108864,                             \
      "open orders a shard can hold at once")                                                      \
    U(accounts_max, "limits/accounts_max", 1000, 1, 1048576, "accounts a shard can ever see")      \
    U(finished_per_account, "limits/finished_per_account", 10000, 0, 1048576,                      \
      "finished orders remembered for an account, with their client order ids")                    \
    U(origins_max, "limits/origins_max", 64, 1, 4096,                                              \
      "senders of commands a shard knows at once; one silent for an hour makes room for another")  \
    U(origin_window, "limits/origin_window", 16384, 1, 131072,                                     \
      "commands of one sender that may be unacknowledged")                                         \
    U(events_max, "limits/events_max", 1024, 1, 4096, "fills or cancels one command may make")     \
    U(batch_commands_max, "batch/commands_max", 4096, 1, 65536, "commands of one journal batch")   \
    U(batch_origin_max, "batch/origin_max", 2048, 1, 65536, "of these, from one sender")           \
    U(kept_mib, "kept_mib", 64, 1, 4096, "MiB of frames each publisher can send again")            \
    U(heartbeat_ms, "heartbeat_ms", 250, 10, 1000, "time between heartbeats")                      \
    T(strategy_inputs_dir, "strategy/inputs_dir", "{run_dir}/strategy",                            \
      "directory where outcry-strategy keeps what it was told, a file a run; none: it does not")   \
    T(log_level, "log_level", "info", "debug, info, warn or error")                                \
    T(log_format, "log_format", "json", "json (a line is an object) or text")                      \
    T(log_destination, "log_destination", "stdout",                                                \
      "where services log: stdout, stderr or a path; {name} in it is the service, as each "        \
      "needs a file of its own, and {run_dir} may stand in it, too")                               \
    U(log_file_mib, "log_file_mib", 64, 1, 4096, "MiB of a log file before it is rotated")         \
    U(log_file_hours, "log_file_hours", 0, 0, 8784,                                                \
      "hours a log file is written before it is rotated; 0: its size alone decides")               \
    U(log_files, "log_files", 4, 1, 100,                                                           \
      "log files kept, the one written and those rotated: FILE, FILE.1, FILE.2 ...")               \
    T(audit_destination, "audit_destination", "{run_dir}/audit.log",                               \
      "file in which every admin action is recorded, a line each, never rotated; none: nowhere")

#endif
