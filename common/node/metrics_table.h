/* Every metric there is, one line each: expanded into the families of base/metrics.h, and into the
 * reference k8s/METRICS.md (`outcry metrics`).
 *
 *     GROUP("who has those that follow")
 *     M(NAME, "outcry_name_unit", TYPE, "labels", "what it is")
 *
 * `shard` and `symbol` are the only labels that grow with the configuration; the others take words
 * of tables in this repository: `code` of reject_table.h, `standing`, `route`, `status`, and
 * `input`, `output`, `stream`, `stage`, which the services name. A stream that is of no one shard,
 * as market-data's is, has an empty one. Never an account, an order, an address. */
#ifndef OUTCRY_NODE_METRICS_TABLE_H
#define OUTCRY_NODE_METRICS_TABLE_H

#include "base/metrics.h"

/* clang-format off */
#define METRICS_TABLE(GROUP, M)                                                                    \
    GROUP("Every service")                                                                         \
    M(BUILD_INFO, "outcry_build_info", GAUGE, "version,service", "1; what is running")             \
    M(START_TIME, "outcry_start_time_seconds", GAUGE_SECONDS, "", "when it started, Unix time")    \
    M(READY, "outcry_ready", GAUGE, "", "1 while it does what it is for")                          \
    M(NODE_CYCLES, "outcry_node_cycles_total", COUNTER, "", "turns of the duty cycle")             \
    M(NODE_BATCH, "outcry_node_batch_messages", SIZES, "",                                         \
      "messages of a turn that had any: the batch")                                                \
    M(NODE_MESSAGES, "outcry_node_messages_total", COUNTER, "input", "messages taken in")          \
    M(NODE_STEP, "outcry_node_step_seconds", SECONDS, "",                                          \
      "a batch from its stamp to the end of its step")                                             \
    M(NODE_OUTBOX, "outcry_node_outbox_bytes", GAUGE, "", "what is made and waits to be sent")     \
    M(NODE_SENT, "outcry_node_sent_total", COUNTER, "output", "messages sent")                     \
    M(NODE_DROPPED, "outcry_node_dropped_total", COUNTER, "output",                                \
      "messages that a reader, or all, had no room for")                                           \
    M(LOG_LINES, "outcry_log_lines_total", COUNTER, "level", "log lines said, warn and error")     \
    M(CURVE_REFUSED, "outcry_curve_refused_total", COUNTER, "socket",                              \
      "connections refused for their key, or for want of one")                                     \
    M(CURVE_FOREIGN, "outcry_curve_foreign_total", COUNTER, "socket",                              \
      "messages refused because their sender may not say them")                                    \
    GROUP("The journal, of a matcher")                                                             \
    M(JOURNAL_COMMIT, "outcry_journal_commit_seconds", SECONDS, "shard",                           \
      "a batch from its end to being committed: its write and its sync")                           \
    M(JOURNAL_SYNCS, "outcry_journal_syncs_total", COUNTER, "shard", "syncs")                      \
    M(JOURNAL_BYTES, "outcry_journal_written_bytes_total", COUNTER, "shard", "bytes written")      \
    M(JOURNAL_SIZE, "outcry_journal_size_bytes", GAUGE, "shard", "size of all its files")          \
    M(JOURNAL_SIZE_MAX, "outcry_journal_size_max_bytes", GAUGE, "shard",                           \
      "size at which no more commands are taken in (journal_mib_max)")                             \
    M(JOURNAL_FREE, "outcry_journal_disk_free_bytes", GAUGE, "shard", "space left on its disk")    \
    GROUP("Matcher")                                                                               \
    M(MATCHER_COMMANDS, "outcry_matcher_commands_total", COUNTER, "shard", "commands sequenced")   \
    M(MATCHER_BATCHES, "outcry_matcher_batches_total", COUNTER, "shard", "batches with commands")  \
    M(MATCHER_BATCH, "outcry_matcher_batch_commands", SIZES, "shard", "commands of a batch")       \
    M(MATCHER_REPEATS, "outcry_matcher_repeats_total", COUNTER, "shard",                           \
      "commands that came again and were answered with their first result")                        \
    M(MATCHER_GAPS, "outcry_matcher_gaps_total", COUNTER, "shard",                                 \
      "commands that came before one that is missing, and were asked for again")                   \
    M(MATCHER_REFUSED, "outcry_matcher_unsequenced_total", COUNTER, "shard",                       \
      "commands that could not be sequenced")                                                      \
    M(MATCHER_GARBAGE, "outcry_matcher_unreadable_total", COUNTER, "shard",                        \
      "messages that could not be read, or are of another protocol version")                       \
    M(MATCHER_REJECTS, "outcry_matcher_rejects_total", COUNTER, "shard,code",                      \
      "commands sequenced and refused")                                                            \
    M(MATCHER_TRADES, "outcry_matcher_trades_total", COUNTER, "shard,symbol", "trades")            \
    M(MATCHER_ORDERS, "outcry_matcher_open_orders", GAUGE, "shard", "orders that rest")            \
    M(MATCHER_ORDERS_MAX, "outcry_matcher_open_orders_max", GAUGE, "shard", "their limit")         \
    M(MATCHER_ACCOUNTS, "outcry_matcher_accounts", GAUGE, "shard", "accounts ever seen")           \
    M(MATCHER_ACCOUNTS_MAX, "outcry_matcher_accounts_max", GAUGE, "shard", "their limit")          \
    M(MATCHER_ORIGINS, "outcry_matcher_origins", GAUGE, "shard", "senders known")                  \
    M(MATCHER_ORIGINS_MAX, "outcry_matcher_origins_max", GAUGE, "shard", "their limit")            \
    M(MATCHER_SEQ, "outcry_matcher_seq", GAUGE, "shard", "the last command sequenced")             \
    M(MATCHER_EPOCH, "outcry_matcher_epoch", GAUGE, "shard", "the epoch")                          \
    M(MATCHER_OPEN, "outcry_matcher_open", GAUGE, "shard", "1 while it takes commands")            \
    M(MATCHER_RECOVERY, "outcry_matcher_recovery_seconds", GAUGE_SECONDS, "shard",                 \
      "time the last start took to read the journal")                                              \
    M(MATCHER_RECOVERED, "outcry_matcher_recovered_commands", GAUGE, "shard",                      \
      "commands the last start applied again")                                                     \
    M(MATCHER_SNAPSHOTS_REFUSED, "outcry_matcher_snapshots_refused", GAUGE, "shard",               \
      "snapshots the last start could not use")                                                    \
    M(MATCHER_CUT, "outcry_matcher_journal_cut_bytes", GAUGE, "shard",                             \
      "bytes the last start cut off its end")                                                      \
    GROUP("Follower")                                                                              \
    M(FOLLOWER_SEQ, "outcry_follower_seq", GAUGE, "shard", "the last command read")                \
    M(FOLLOWER_EPOCH, "outcry_follower_epoch", GAUGE, "shard", "the epoch")                        \
    M(FOLLOWER_BEHIND, "outcry_follower_behind_commands", GAUGE, "shard",                          \
      "commands committed and not read yet")                                                       \
    M(FOLLOWER_SNAPSHOT_SEQ, "outcry_follower_snapshot_seq", GAUGE, "shard",                       \
      "the command the newest snapshot is behind")                                                 \
    M(FOLLOWER_SNAPSHOTS, "outcry_follower_snapshots_total", COUNTER, "shard",                     \
      "snapshots written")                                                                         \
    M(FOLLOWER_SEGMENTS, "outcry_follower_segments_removed_total", COUNTER, "shard",               \
      "journal files removed")                                                                     \
    M(FOLLOWER_DEEP_RESENDS, "outcry_follower_deep_resends_total", COUNTER, "shard",               \
      "requests answered from the journal")                                                        \
    M(FOLLOWER_RESTARTS, "outcry_follower_restarts_total", COUNTER, "shard",                       \
      "times it began anew, for a digest that differed or a journal it could not read")            \
    GROUP("Whoever publishes: matcher, follower, market-data")                                     \
    M(PUBLISHER_FRAMES, "outcry_publisher_frames_total", COUNTER, "output", "frames published")    \
    M(PUBLISHER_RESENDS, "outcry_publisher_resends_total", COUNTER, "output", "resends answered")  \
    M(PUBLISHER_SNAPSHOTS, "outcry_publisher_snapshots_total", COUNTER, "output",                  \
      "snapshots answered")                                                                        \
    M(PUBLISHER_REFUSED, "outcry_publisher_requests_refused_total", COUNTER, "output",             \
      "requests answered with a code")                                                             \
    M(PUBLISHER_GARBAGE, "outcry_publisher_requests_unreadable_total", COUNTER, "output",          \
      "requests nobody could read")                                                                \
    M(PUBLISHER_DROPPED, "outcry_publisher_requests_dropped_total", COUNTER, "output",             \
      "requests there was no room for; they are repeated")                                         \
    GROUP("Whoever follows a publisher: market-data, gateway, strategy")                           \
    M(STREAM_FRAMES, "outcry_stream_frames_total", COUNTER, "stream,shard", "frames applied")      \
    M(STREAM_GAPS, "outcry_stream_gaps_total", COUNTER, "stream,shard", "frames found missing")    \
    M(STREAM_RESENDS, "outcry_stream_resends_total", COUNTER, "stream,shard", "resends asked for") \
    M(STREAM_SNAPSHOTS, "outcry_stream_snapshots_total", COUNTER, "stream,shard",                  \
      "snapshots asked for")                                                                       \
    M(STREAM_REPEATS, "outcry_stream_repeats_total", COUNTER, "stream,shard",                      \
      "requests that were not answered in time")                                                   \
    M(STREAM_FAULTS, "outcry_stream_faults_total", COUNTER, "stream,shard",                        \
      "hashes that differed, and sequences that went back")                                        \
    M(STREAM_GARBAGE, "outcry_stream_unreadable_total", COUNTER, "stream,shard",                   \
      "messages that could not be read")                                                           \
    M(STREAM_OVERFLOWS, "outcry_stream_overflows_total", COUNTER, "stream,shard",                  \
      "times frames kept aside had no more room")                                                  \
    GROUP("Market-data")                                                                           \
    M(MARKET_KNOWN, "outcry_market_data_symbols_known", GAUGE, "", "books that are complete")      \
    M(MARKET_SYMBOLS, "outcry_market_data_symbols", GAUGE, "", "books there are to be")            \
    M(MARKET_DELAY, "outcry_market_data_delay_seconds", SECONDS, "shard",                          \
      "the oldest frame of a turn, from its matcher's stamp to being published, by the clocks "    \
      "of both machines")                                                                          \
    GROUP("Gateway")                                                                               \
    M(HTTP_DURATION, "outcry_http_request_duration_seconds", SECONDS, "route,status",              \
      "a request from its head to its answer")                                                     \
    M(HTTP_REFUSED, "outcry_http_refused_total", COUNTER, "error", "requests refused")             \
    M(HTTP_CONNECTIONS, "outcry_http_connections", GAUGE, "",                                      \
      "connections now, WebSockets included")                                                      \
    M(HTTP_CONNECTED, "outcry_http_connections_total", COUNTER, "", "connections ever")            \
    M(HTTP_SILENT, "outcry_http_connections_silent_total", COUNTER, "",                            \
      "connections that ended without a request")                                                  \
    M(ORDER_STAGE, "outcry_order_stage_seconds", SECONDS, "stage",                                 \
      "where an order's time goes: edge (read, checked, at the step), matcher (sent to answered: " \
      "sequenced, on disk, published, received), answer (written)")                                \
    M(TLS_EXPIRY, "outcry_tls_expiry_seconds", GAUGE_SECONDS, "",                                  \
      "when the certificate in use expires, Unix time; only with tls_certificate")                 \
    M(TLS_REFUSED, "outcry_tls_refused_total", COUNTER, "",                                        \
      "TLS handshakes that failed, or took too long")                                              \
    M(MATCHER_UP, "outcry_matcher_up", GAUGE, "shard", "1 while a gateway hears the matcher")      \
    M(MATCHER_STANDING, "outcry_matcher_standing", GAUGE, "shard,standing",                        \
      "1 for what a gateway heard the matcher say last; open: it takes commands")                  \
    M(SHARD_SEQ, "outcry_shard_seq", GAUGE, "shard", "sequence up to which orders are known")      \
    M(UNANSWERED, "outcry_commands_unanswered", GAUGE, "shard", "commands without a result")       \
    M(REPEATED, "outcry_commands_repeated_total", COUNTER, "shard", "commands sent again")         \
    M(COMMANDS, "outcry_commands_total", COUNTER, "", "commands sent")                             \
    M(ANSWERS_LATE, "outcry_answers_late_total", COUNTER, "",                                      \
      "commands whose result did not come in time: answered as unknown")                           \
    M(SESSIONS_LOST, "outcry_sessions_lost_total", COUNTER, "",                                    \
      "sessions a matcher did not know any more")                                                  \
    M(GATEWAY_ASKS, "outcry_gateway_asks_waiting", GAUGE, "", "requests at the step, unanswered")  \
    M(ORDERS_OPEN, "outcry_orders_open", GAUGE, "", "open orders it knows")                        \
    M(ORDERS_FINISHED, "outcry_orders_finished", GAUGE, "", "finished orders it remembers")        \
    M(ORDERS_UNPLACED, "outcry_orders_unplaced_total", COUNTER, "",                                \
      "order events that did not fit what is known")                                               \
    M(SYMBOLS_KNOWN, "outcry_symbols_known", GAUGE, "", "symbols whose book and trades are known") \
    M(WEBSOCKETS, "outcry_websockets_open", GAUGE, "", "WebSockets now")                           \
    M(WEBSOCKETS_OPENED, "outcry_websockets_opened_total", COUNTER, "", "WebSockets ever")         \
    M(WEBSOCKETS_REFUSED, "outcry_websockets_refused_total", COUNTER, "", "upgrades refused")      \
    M(WEBSOCKETS_SLOW, "outcry_websockets_slow_total", COUNTER, "", "closed with 4008")            \
    M(WEBSOCKETS_SILENT, "outcry_websockets_silent_total", COUNTER, "",                            \
      "closed for want of a pong")                                                                 \
    M(WEBSOCKETS_BAD, "outcry_websockets_bad_total", COUNTER, "", "closed for what they sent")     \
    M(WEBSOCKET_MESSAGES, "outcry_websocket_messages_total", COUNTER, "", "messages written")      \
    M(WEBSOCKET_BYTES, "outcry_websocket_bytes_total", COUNTER, "", "bytes written")               \
    M(WEBSOCKET_CONFLATED, "outcry_websocket_conflated_total", COUNTER, "",                        \
      "messages a newer one took the place of")                                                    \
    M(WEBSOCKET_WAITING, "outcry_websocket_waiting_messages", GAUGE, "",                           \
      "messages in all outboxes")                                                                  \
    GROUP("Strategy")                                                                              \
    M(STRATEGY_RUNNING, "outcry_strategy_running", GAUGE, "symbol", "strategies that trade")       \
    M(STRATEGY_STOPPED, "outcry_strategy_stopped", GAUGE, "symbol",                                \
      "strategies that trade no more, or are about to end; the log says why")                      \
    M(STRATEGY_ORDERS, "outcry_strategy_orders_total", COUNTER, "symbol", "orders sent")           \
    M(STRATEGY_REFUSED, "outcry_strategy_refused_total", COUNTER, "symbol",                        \
      "orders and amends its own limits refused")                                                  \
    M(STRATEGY_FILLS, "outcry_strategy_fills_total", COUNTER, "symbol", "fills")                   \
    M(STRATEGY_WORKING, "outcry_strategy_working_orders", GAUGE, "symbol", "orders that work")
/* clang-format on */

#define METRIC_NO_GROUP(title)
#define METRIC_NUMBER(id, name, type, labels, help) FAMILY_##id,
enum metric_number { METRICS_TABLE(METRIC_NO_GROUP, METRIC_NUMBER) FAMILY_COUNT };

/* The rows, for metrics_new(). */
extern const struct metric_family metric_families[FAMILY_COUNT];

/* What a service counts in: the families, with the series that tell what runs and since when. */
metrics_t *metrics_of_service(const char *service);

#endif
