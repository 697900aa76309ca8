#include "cli/replay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "cli/client.h"
#include "cli/echo.h"
#include "cli/progress.h"
#include "cli/replay_check.h"
#include "cli/replay_input.h"
#include "node/host.h"

enum {
    WINDOW_DEFAULT = 4096,
    PUT_AT_ONCE = 128, /* commands between two looks at the sockets */
    STALL_MS = 20000,  /* without any result */
};

static const char usage[] =
    "usage: outcry replay FILE --symbol S [options] [--config FILE] [--SETTING VALUE ...]\n"
    "\n"
    "Sends a recorded day (gzip or not) to a running cluster and reports what came of it.\n"
    "\n"
    "  --format commands   row,ts,op,order_id,side,price,qty with op new cancel reduce ioc\n"
    "  --format lobster    LOBSTER's message file; what it does not tell is taken from --book\n"
    "  --format csv        ts,msg_type,side,price,qty,order_id; msg_type add cancel amend market\n"
    "                      ioc fok, or A C U M I F; decimals of the symbol's tick and lot size;\n"
    "                      amend: qty is the new open quantity\n"
    "  --ts-unit UNIT      csv: what ts counts: s, ms, us or ns (ns)\n"
    "  --symbol S          where the orders go\n"
    "  --book FILE         LOBSTER's orderbook file: compare the published book row by row\n"
    "  --speed S           max, realtime, or 10x (max)\n"
    "  --window N          commands that may be unanswered (4096)\n"
    "  --echo              first the same messages through a process that only answers them\n"
    "\n"
    "  outcry replay AAPL_1_commands.csv.gz --format commands --symbol AAPL\n"
    "  outcry replay messages.csv --format lobster --book orderbook.csv --symbol AAPL --speed 60x\n"
    "  lob-replay orders.csv --symbol BTC-USD --ts-unit ms\n";

struct replay {
    struct cluster cluster;
    struct replay_options options;
    struct replay_input input;
    const char *book_path;
    double speed; /* 0: as fast as it goes */
    uint32_t window;
    bool echo;
    char mark[12]; /* before every id, so that the ids of two runs differ */

    client_t *client;
    replay_check_t *checker;
    uint64_t *sent_ns; /* by row */
    uint64_t *seqs;    /* by row: where it was sequenced */
    uint64_t answered;
    uint64_t rejects;
    uint64_t last_seq;
    uint64_t last_answer_ns;
    struct histogram latency;
    double seconds;
    double echo_seconds;
};

static void on_result(void *self, unsigned shard, uint64_t origin_seq, const struct result *result)
{
    struct replay *r = self;
    (void)shard;
    uint64_t row = origin_seq - 1; /* one origin, one command a row */
    r->last_answer_ns = clock_monotonic_ns();
    histogram_add(&r->latency, r->last_answer_ns - r->sent_ns[row]);
    r->seqs[row] = result->seq;
    r->last_seq = result->seq;
    r->answered++;
    if (result->code != 0)
        r->rejects++;
}

/* ---- commands ---- */

static struct command make_command(const struct replay *r, const struct replay_row *row, char *id)
{
    int size = snprintf(id, CLIENT_ORDER_ID_SIZE_MAX + 1, "%s%.*s", r->mark, (int)row->id.size,
                        row->id.data);
    return replay_row_command(row, text_of(r->options.symbol->name), text_of("replay"),
                              (struct text){id, (size_t)size});
}

/* When a row is due, ns after the start. */
static uint64_t due_ns(const struct replay *r, const struct replay_row *row)
{
    if (r->speed == 0.0)
        return 0;
    uint64_t since_ns =
        row->ts_ns < r->input.rows[0].ts_ns ? 0 : row->ts_ns - r->input.rows[0].ts_ns;
    return (uint64_t)((double)since_ns / r->speed);
}

/* Put what is due into the window, a few at a time; true: the window is full. */
static bool put_some(struct replay *r, size_t *next, uint64_t since_ns)
{
    char id[CLIENT_ORDER_ID_SIZE_MAX + 1];
    for (unsigned i = 0; i < PUT_AT_ONCE && *next < r->input.row_count; i++) {
        const struct replay_row *row = &r->input.rows[*next];
        uint64_t origin_seq;
        if (due_ns(r, row) > since_ns)
            return true;
        struct command c = make_command(r, row, id);
        if (client_command(r->client, r->options.symbol->shard, &c, &origin_seq) != STATUS_OK)
            return true;
        r->sent_ns[*next] = clock_monotonic_ns();
        (*next)++;
    }
    return *next == r->input.row_count;
}

static bool send_all(struct replay *r)
{
    struct progress progress;
    size_t next = 0;
    uint64_t start_ns = clock_monotonic_ns();
    r->last_answer_ns = start_ns;
    progress_begin(&progress, "replay", r->input.row_count);
    while (r->answered < r->input.row_count && !client_lost(r->client)) {
        uint64_t now_ns = clock_monotonic_ns();
        bool wait = put_some(r, &next, now_ns - start_ns);
        client_poll(r->client, wait ? 1 : 0);
        if (r->checker != NULL)
            replay_check_poll(r->checker, 0);
        progress_at(&progress, r->answered);
        if (client_unanswered(r->client) == 0)
            r->last_answer_ns = now_ns;
        else if (now_ns > r->last_answer_ns + STALL_MS * NS_PER_MS)
            break;
    }
    progress_end(&progress);
    r->seconds = (double)(clock_monotonic_ns() - start_ns) / (double)NS_PER_SECOND;
    if (r->answered == r->input.row_count)
        return true;
    fprintf(stderr, "outcry replay: %s after %llu of %zu commands\n",
            client_lost(r->client) ? "the matcher began a new history" : "no more results came",
            (unsigned long long)r->answered, r->input.row_count);
    return false;
}

/* ---- the floor ---- */

/* The same commands in messages of the same size, each with its count in front. */
static bool run_echo(struct replay *r, char *error)
{
    size_t rows = r->input.row_count;
    uint32_t at_once = r->window < PUT_AT_ONCE ? r->window : PUT_AT_ONCE;
    size_t messages = rows / at_once + 1;
    uint8_t *bytes = malloc(rows * COMMAND_SIZE_MAX + messages * 4);
    size_t *sizes = calloc(messages, sizeof *sizes);
    uint32_t *counts = calloc(messages, sizeof *counts);
    CHECK(bytes != NULL && sizes != NULL && counts != NULL);
    char id[CLIENT_ORDER_ID_SIZE_MAX + 1];
    struct wire_writer w = {bytes};
    size_t count = 0;
    for (size_t i = 0; i < rows; count++) {
        uint8_t *head = w.at;
        uint32_t commands = 0;
        w.at += sizeof commands;
        for (; commands < at_once && i < rows; commands++, i++) {
            struct command c = make_command(r, &r->input.rows[i], id);
            c.envelope = (struct envelope){text_of("replay"), clock_wall_ns(), i, i, 0};
            command_write(&w, &c);
        }
        memcpy(head, &commands, sizeof commands);
        sizes[count] = (size_t)(w.at - head);
        counts[count] = commands;
    }
    echo_t *echo = echo_open(r->cluster.settings.run_dir, error);
    r->echo_seconds = echo == NULL ? -1 : echo_run(echo, bytes, sizes, counts, count, r->window);
    if (echo != NULL && r->echo_seconds < 0)
        snprintf(error, ENDPOINT_ERROR_SIZE, "the echo stopped answering");
    echo_close(&echo);
    free(bytes);
    free(sizes);
    free(counts);
    return r->echo_seconds >= 0;
}

/* ---- the report ---- */

/* Tell the checker which row ended where: at the last command that carries it. */
static void check_rows(struct replay *r)
{
    for (size_t i = 0; i < r->input.row_count; i++) {
        uint64_t row = r->input.rows[i].row;
        bool last = i + 1 == r->input.row_count || r->input.rows[i + 1].row != row;
        if (last && row > 0)
            replay_check_row(r->checker, row, r->seqs[i]);
    }
}

static double percentile_us(const struct replay *r, double share)
{
    return (double)histogram_percentile(&r->latency, share) / (double)NS_PER_US;
}

static void print_report(const struct replay *r)
{
    double rate = (double)r->answered / r->seconds;
    printf("commands    %llu acknowledged in %.3f s, %llu rejected\n",
           (unsigned long long)r->answered, r->seconds, (unsigned long long)r->rejects);
    printf("rate        %.0f commands a second, window %u, %llu repeats\n", rate, r->window,
           (unsigned long long)client_repeats(r->client));
    printf("latency us  p50 %.0f  p90 %.0f  p99 %.0f  p99.9 %.0f  max %.0f\n",
           percentile_us(r, 0.5), percentile_us(r, 0.9), percentile_us(r, 0.99),
           percentile_us(r, 0.999), (double)r->latency.max / (double)NS_PER_US);
    if (r->echo) {
        double floor = (double)r->answered / r->echo_seconds;
        printf("echo        %.0f commands a second; ours is %.2f of it\n", floor, rate / floor);
    }
    if (r->input.unexplained > 0)
        printf("unexplained %llu rows of the recording\n",
               (unsigned long long)r->input.unexplained);
    if (r->checker == NULL)
        return;
    struct replay_check_report report = replay_check_report(r->checker);
    printf("fills       %llu\n", (unsigned long long)report.trades);
    printf("feed        %llu frames, %llu gaps, %llu hashes wrong\n",
           (unsigned long long)report.frames, (unsigned long long)report.gaps,
           (unsigned long long)report.faults);
    if (r->book_path == NULL)
        return;
    printf("book        %llu rows compared, %llu mismatches", (unsigned long long)report.rows,
           (unsigned long long)report.mismatches);
    if (report.mismatches > 0)
        printf(", the first at row %llu", (unsigned long long)report.first_row);
    printf("\n");
}

/* ---- arguments ---- */

static int mistake(const char *flag, const char *found, const char *expected)
{
    fprintf(stderr, "outcry replay: %s: found \"%s\", expected %s\n", flag, found, expected);
    return 2;
}

static bool read_speed(const char *text, double *speed)
{
    char *end;
    if (strcmp(text, "max") == 0) {
        *speed = 0;
        return true;
    }
    if (strcmp(text, "realtime") == 0) {
        *speed = 1;
        return true;
    }
    *speed = strtod(text, &end);
    return end != text && strcmp(end, "x") == 0 && isfinite(*speed) && *speed > 0;
}

static bool read_ts_unit(const char *text, uint64_t *unit_ns)
{
    *unit_ns = strcmp(text, "s") == 0    ? NS_PER_SECOND
               : strcmp(text, "ms") == 0 ? NS_PER_MS
               : strcmp(text, "us") == 0 ? NS_PER_US
               : strcmp(text, "ns") == 0 ? 1
                                         : 0;
    return *unit_ns > 0;
}

static bool read_format(const char *text, enum replay_format *format)
{
    static const char *const names[] = {"commands", "lobster", "csv"};
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            *format = (enum replay_format)i;
            return true;
        }
    }
    return false;
}

/* One flag with its value; 0, or the exit status of a mistake. */
static int read_flag(struct replay *r, const char *flag, const char *value)
{
    uint64_t number;
    if (value == NULL)
        return mistake(flag, "nothing", "a value after it");
    if (strcmp(flag, "--symbol") == 0) {
        r->options.symbol = cluster_symbol_find(&r->cluster, value);
        return r->options.symbol == NULL ? mistake(flag, value, "a symbol of the configuration")
                                         : 0;
    }
    if (strcmp(flag, "--book") == 0) {
        r->book_path = value;
        return 0;
    }
    if (strcmp(flag, "--format") == 0)
        return read_format(value, &r->options.format)
                   ? 0
                   : mistake(flag, value, "commands, lobster or csv");
    if (strcmp(flag, "--speed") == 0)
        return read_speed(value, &r->speed) ? 0
                                            : mistake(flag, value, "max, realtime, or like 10x");
    if (strcmp(flag, "--ts-unit") == 0)
        return read_ts_unit(value, &r->options.ts_unit_ns) ? 0
                                                           : mistake(flag, value, "s, ms, us, ns");
    if (strcmp(flag, "--window") == 0) {
        if (!config_u64(value, 1, r->cluster.settings.origin_window, &number))
            return mistake(flag, value, "a whole number from 1 to the setting origin_window");
        r->window = (uint32_t)number;
        return 0;
    }
    return mistake("argument", flag, "a file, or a flag that --help lists");
}

static int read_arguments(struct replay *r, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--echo") == 0) {
            r->echo = true;
        } else if (argv[i][0] != '-' && r->options.path == NULL) {
            r->options.path = argv[i];
        } else {
            int status = read_flag(r, argv[i], argv[i + 1]);
            if (status != 0)
                return status;
            i++;
        }
    }
    if (r->options.path == NULL)
        return mistake("argument", "nothing", "a file to replay");
    if (r->options.symbol == NULL)
        return mistake("--symbol", "nothing", "a symbol of the configuration");
    r->options.book_path = r->book_path;
    return 0;
}

/* ---- running ---- */

static bool open_all(struct replay *r, char *error)
{
    size_t rows = r->input.row_count;
    r->sent_ns = calloc(rows, sizeof *r->sent_ns);
    r->seqs = calloc(rows, sizeof *r->seqs);
    CHECK(r->sent_ns != NULL && r->seqs != NULL);
    snprintf(r->mark, sizeof r->mark, "%llx.",
             (unsigned long long)(clock_wall_ns() / NS_PER_MS % (UINT64_C(1) << 36)));
    if (r->echo && !run_echo(r, error))
        return false;
    r->client =
        client_open(&r->cluster, "replay", r->window, &(struct client_owner){r, on_result}, error);
    if (r->client == NULL)
        return false;
    r->checker = replay_check_open(&r->cluster, r->options.symbol->name,
                                   r->book_path == NULL ? NULL : &r->input.book, rows, error);
    return r->checker != NULL;
}

static int run(struct replay *r)
{
    char error[ENDPOINT_ERROR_SIZE];
    if (r->input.row_count == 0) {
        fprintf(stderr, "outcry replay: %s holds no rows\n", r->options.path);
        return EXIT_FAILURE;
    }
    if (!open_all(r, error)) {
        fprintf(stderr, "outcry replay: %s\n", error);
        return EXIT_FAILURE;
    }
    bool fine = send_all(r);
    if (fine && !replay_check_reach(r->checker, r->last_seq)) {
        fprintf(stderr, "outcry replay: market data did not come up to the last command\n");
        fine = false;
    }
    if (fine && r->book_path != NULL)
        check_rows(r);
    print_report(r);
    struct replay_check_report report = replay_check_report(r->checker);
    return fine && report.mismatches == 0 && report.faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int replay_as(int argc, char **argv, enum replay_format format)
{
    static struct replay r;
    host_load(&r.cluster, &argc, argv, usage);
    r.options.format = format;
    r.options.ts_unit_ns = 1;
    r.window = WINDOW_DEFAULT;
    int status = read_arguments(&r, argc, argv);
    if (status != 0)
        return status;
    enum status loaded = replay_input_load(&r.input, &r.options);
    if (loaded == STATUS_OK)
        status = run(&r);
    else
        status = loaded == STATUS_INVALID ? 2 : EXIT_FAILURE;
    replay_check_close(&r.checker);
    client_close(&r.client);
    replay_input_unload(&r.input);
    free(r.sent_ns);
    free(r.seqs);
    return status;
}

int replay_main(int argc, char **argv)
{
    return replay_as(argc, argv, REPLAY_COMMANDS);
}

int lob_replay_main(int argc, char **argv)
{
    return replay_as(argc, argv, REPLAY_CSV);
}
