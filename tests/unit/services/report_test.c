/* report: every form of a run says the same, exactly; pages are well-formed, stand alone and stay
 * small; nothing a strategy is called or says gets out of its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backtest/report_parts.h"
#include "base/mix.h"
#include "tests/unit/base/scratch.h"
#include "tests/unit/services/page_check.h"
#include "tests/unit/services/pretend_run.h"

static const uint64_t T0 = UINT64_C(1340285400) * 1000000000; /* 2012-06-21 13:30 UTC */
static const uint64_t SECOND = 1000000000;

static const struct report_run how = {
    .history = "data/AAPL.csv",
    .form = "lobster",
    .mode = "exact",
    .latency = "none",
    .seed = "1",
    .events = 12345,
    .recorded_refused = 3,
    .short_qty = "150",
    .seconds = 1.5,
};

/* ---- a run ---- */

static struct own_order order(uint32_t number, enum side side, int64_t price, int64_t qty)
{
    return (struct own_order){
        .number = number,
        .state = OWN_WORKING,
        .side = (uint8_t)side,
        .type = ORDER_TYPE_LIMIT,
        .time_in_force = TIME_IN_FORCE_GTC,
        .price = price,
        .qty = qty,
        .open_qty = qty,
        .placed_ns = T0,
    };
}

/* Buys 100 at 585.00 when the mid is 585.01, sells 40 of it at 585.50. */
static const struct result_figures *small_run(void)
{
    static const struct parameter table[] = {
        {.name = "gamma", .unit = "1/ticks", .summary = "aversion", .kind = PARAMETER_NUMBER},
        {.name = NULL}};
    const struct fees fees = {.maker_ppm = -20, .taker_ppm = 30};
    const struct result_options o = {0, 0};
    pretend_begin(&fees, &o);
    pretend.spec.parameters.table = table;
    pretend.spec.parameters.count = 1;
    strcpy(pretend.spec.parameters.values[0].text, "0.1");
    pretend.spec.limits.position_max = 1000;
    pretend.described = "quotes of a test";
    pretend.standing = (struct strategy_standing){.orders = 2, .amends = 5};
    struct own_order buy = order(1, SIDE_BUY, 58500, 100), sell = order(2, SIDE_SELL, 58550, 40);
    pretend_market(T0, 58500, 58502, 0, 0);
    result_log_order(pretend.log, &buy, 300, T0);
    pretend_fill(T0 + 1 * SECOND, &buy, 58500, 100, true);
    pretend_market(T0 + 2 * SECOND, 58550, 58551, 58500, 100);
    result_log_order(pretend.log, &sell, -1, T0 + 3 * SECOND);
    pretend_fill(T0 + 3 * SECOND, &sell, 58550, 40, false);
    result_log_note(pretend.log, T0 + 3 * SECOND, "sold \"some\"");
    result_log_end(pretend.log, T0 + 4 * SECOND, "the recording is over");
    return pretend_finish();
}

/* A form's text; freed by the caller. */
static char *html_of(const struct result_figures *f)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(report_html(out, &how, &pretend.log, &f, 1), STATUS_OK);
    fclose(out);
    return text;
}

static char *json_text_of(const struct result_figures *f)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(report_json(out, &how, &pretend.log, &f, 1), STATUS_OK);
    fclose(out);
    return text;
}

static json_t *json_of(const struct result_figures *f)
{
    char *text = json_text_of(f);
    json_error_t error;
    json_t *document = json_loads(text, 0, &error);
    if (document == NULL)
        fail_msg("line %d: %s", error.line, error.text);
    free(text);
    return document;
}

static const char *exact_of(json_t *figures, const char *key)
{
    return json_string_value(json_object_get(figures, key));
}

static char *terminal_of(const struct result_figures *f)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    report_terminal(out, &how, f);
    fclose(out);
    return text;
}

static void assert_page(const char *page)
{
    char error[PAGE_ERROR_SIZE];
    if (!page_check(page, error))
        fail_msg("%s", error);
}

static char *read_file(const char *name)
{
    static char text[1 << 16];
    FILE *in = fopen(name, "r");
    if (in == NULL)
        fail_msg("%s: %s", name, strerror(errno));
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    return text;
}

/* ---- decimals ---- */

static struct strategy_symbol symbol(const char *tick, const char *lot)
{
    struct strategy_symbol s = {.name = "X"};
    assert_true(decimal_unit_read(&s.units.tick, tick, strlen(tick)));
    assert_true(decimal_unit_read(&s.units.lot, lot, strlen(lot)));
    return s;
}

static void money_is_exact_in_the_decimals_of_its_symbol(void **state)
{
    (void)state;
    char text[REPORT_TEXT_SIZE];
    struct strategy_symbol cents = symbol("0.01", "1"), coins = symbol("0.01", "0.00000001");
    struct strategy_symbol odd = symbol("0.25", "50");
    report_money(text, &cents, 123456);
    assert_string_equal(text, "1234.56");
    report_money(text, &cents, -5);
    assert_string_equal(text, "-0.05");
    report_money(text, &cents, 0);
    assert_string_equal(text, "0.00");
    report_money(text, &coins, 1);
    assert_string_equal(text, "0.0000000001");
    report_money(text, &coins, (notional_t)10000000000);
    assert_string_equal(text, "1.00");
    report_money(text, &odd, 3);
    assert_string_equal(text, "37.50");
    report_money_fine(text, &cents, 1);
    assert_string_equal(text, "0.000000005");
    report_money_fine(text, &cents, -2000000);
    assert_string_equal(text, "-0.01");
    report_price_halves(text, &cents, 117001);
    assert_string_equal(text, "585.005");
    report_price_halves(text, &odd, -1);
    assert_string_equal(text, "-0.125");
}

static void the_largest_amounts_have_their_digits(void **state)
{
    (void)state;
    char text[REPORT_TEXT_SIZE];
    struct strategy_symbol s = symbol("99999999999999999", "0.000000000000000001");
    s.units.lot.digits = UINT64_MAX;
    s.units.tick.digits = UINT64_MAX;
    notional_t largest = (notional_t)(~(uwide_t)0 >> 1);
    report_money_fine(text, &s, -largest - 1);
    /* 2^127 x (2^64 - 1)^2 x 5 / 10^25 */
    assert_string_equal(text, "-28948022309329048852754195384478636581484672046536542"
                              ".4176790619316042072064");
}

static void shown_amounts_are_rounded_and_grouped(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned digits;
        const char *shown;
    } cases[] = {
        {"1234567.894", 2, "1,234,567.89"},
        {"1234567.895", 2, "1,234,567.90"},
        {"999999.995", 2, "1,000,000.00"},
        {"-999.5", 0, "-1,000"},
        {"-0.004", 2, "0.00"},
        {"-0.005", 2, "-0.01"},
        {"123", 2, "123"},
        {"-123456", 2, "-123,456"},
        {"0.5", 0, "1"},
        {"12.30", 4, "12.30"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[REPORT_TEXT_SIZE];
        strcpy(text, cases[i].text);
        report_round(text, cases[i].digits);
        report_group_digits(text);
        assert_string_equal(text, cases[i].shown);
    }
}

/* ---- words ---- */

static void words_become_one_valid_line(void **state)
{
    (void)state;
    static const struct {
        const char *words, *clean;
    } cases[] = {
        {"plain", "plain"},
        {"two\nlines\tand \x1b[31m", "two lines and  [31m"},
        {"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
        {"long \xc0\xaf", "long \xef\xbf\xbd\xef\xbf\xbd"},
        {"half \xed\xa0\x80", "half \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"beyond \xf4\x90\x80\x80", "beyond \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
        {"c1 \xc2\x9b", "c1  "},
        {"\x7f", " "},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *clean = report_clean(cases[i].words);
        assert_string_equal(clean, cases[i].clean);
        free(clean);
    }
}

static void every_form_begins_with_what_was_run(void **state)
{
    (void)state;
    const char *line = "maker on AAPL: quotes of a test";
    const struct result_figures *f = small_run();
    char *text = terminal_of(f);
    assert_int_equal(strncmp(text, line, strlen(line)), 0);
    free(text);
    json_t *document = json_of(f);
    assert_string_equal(json_string_value(json_object_get(document, "headline")), line);
    json_decref(document);
    text = html_of(f);
    assert_non_null(strstr(text, "<title>maker on AAPL: quotes of a test</title>"));
    assert_non_null(strstr(text, "<h1>maker on AAPL<small>quotes of a test</small></h1>"));
    free(text);
    assert_int_equal(report_csv(".", &pretend.log, &f, 1), STATUS_OK);
    assert_int_equal(strncmp(read_file("fills.csv") + 2, line, strlen(line)), 0);
    pretend_end();
}

static const char *const hostile = "</title><script>alert(1)</script>\"'&\x1b[2J\xff";

static void hostile_words_stay_words(void **state)
{
    (void)state;
    small_run();
    pretend_end();
    const struct fees fees = {0, 0};
    const struct result_options o = {0, 0};
    pretend_begin(&fees, &o);
    strcpy(pretend.spec.name, "<b>\"&'</b>");
    strcpy(pretend.spec.type, hostile);
    strcpy(pretend.spec.account, "<i>");
    pretend.described = hostile;
    pretend_market(T0, 100, 102, 0, 0);
    result_log_note(pretend.log, T0, hostile);
    result_log_end(pretend.log, T0 + SECOND, hostile);
    const struct result_figures *f = pretend_finish();
    char *page = html_of(f);
    assert_page(page);
    assert_null(strstr(page, "alert(1)</script>"));
    assert_null(strchr(page, '\x1b'));
    assert_non_null(strstr(page, "&lt;b&gt;&quot;&amp;&#39;&lt;/b&gt;"));
    free(page);
    json_t *document = json_of(f);
    json_t *strategy = json_array_get(json_object_get(document, "strategies"), 0);
    assert_string_equal(json_string_value(json_object_get(strategy, "name")), "<b>\"&'</b>");
    json_decref(document);
    char *text = terminal_of(f);
    assert_null(strchr(text, '\x1b'));
    free(text);
    pretend_end();
}

/* ---- JSON ---- */

static void json_agrees_with_the_figures(void **state)
{
    (void)state;
    const struct result_figures *f = small_run();
    json_t *document = json_of(f);
    json_t *strategy = json_array_get(json_object_get(document, "strategies"), 0);
    json_t *figures = json_object_get(strategy, "figures");
    /* 40 x 0.50 realised; 60 x 0.505 not; fees -20 ppm of 58500 and 30 ppm of 23420. */
    assert_string_equal(exact_of(figures, "pnl_realised"), "20.00");
    assert_string_equal(exact_of(figures, "pnl_unrealised"), "30.30");
    assert_string_equal(exact_of(figures, "fees"), "-0.4674");
    assert_string_equal(exact_of(figures, "pnl"), "50.7674");
    assert_string_equal(exact_of(figures, "turnover"), "81920.00");
    assert_string_equal(exact_of(figures, "position"), "60");
    assert_string_equal(exact_of(figures, "position_began"), "0");
    assert_string_equal(exact_of(figures, "mark"), "585.505");
    assert_int_equal(json_integer_value(json_object_get(figures, "fills")), 2);
    assert_int_equal(json_integer_value(json_object_get(figures, "amends")), 5);
    json_t *sharpe = json_object_get(figures, "sharpe");
    assert_true(json_is_real(sharpe));
    assert_true(fabs(json_real_value(sharpe) / f->sharpe.value - 1) < 1e-11);
    double vwap = json_real_value(json_object_get(figures, "market_vwap"));
    assert_true(fabs(vwap - 585) < 1e-9);
    const struct report_figure *figure;
    unsigned count = 0;
    for (; (figure = report_figure_at(count)) != NULL; count++)
        assert_non_null(json_object_get(figures, figure->key));
    assert_int_equal(json_object_size(figures), count);

    json_t *fill = json_array_get(json_object_get(strategy, "fills"), 1);
    assert_string_equal(exact_of(fill, "price"), "585.50");
    assert_string_equal(exact_of(fill, "side"), "sell");
    assert_string_equal(exact_of(fill, "liquidity"), "taker");
    assert_string_equal(exact_of(fill, "time"), "2012-06-21T13:30:03.000000000Z");
    assert_string_equal(exact_of(fill, "position"), "60");
    assert_string_equal(exact_of(json_object_get(strategy, "parameters"), "gamma"), "0.1");
    json_t *limits = json_object_get(strategy, "limits");
    assert_string_equal(exact_of(limits, "position_max"), "1000");
    assert_true(json_is_null(json_object_get(limits, "loss_max")));
    json_t *note = json_array_get(json_object_get(strategy, "notes"), 0);
    assert_string_equal(exact_of(note, "words"), "sold \"some\"");
    json_t *run = json_object_get(document, "run");
    assert_int_equal(json_integer_value(json_object_get(run, "events")), 12345);
    assert_null(json_object_get(run, "seconds"));
    json_decref(document);
    pretend_end();
}

/* ---- CSV ---- */

static void csv_files_have_a_row_for_each(void **state)
{
    (void)state;
    const struct result_figures *f = small_run();
    assert_int_equal(report_csv(".", &pretend.log, &f, 1), STATUS_OK);
    const char *fills = read_file("fills.csv");
    assert_int_equal(page_count(fills, "\n"), 2 + 2);
    assert_non_null(strstr(fills, "\ntime_ns,trade_id,order,side,liquidity,price,qty,position\n"));
    assert_non_null(strstr(fills, "\n1340285403000000000,77,2,sell,taker,585.50,40,60\n"));
    const char *orders = read_file("orders.csv");
    assert_int_equal(page_count(orders, "\n"), 2 + 2);
    assert_non_null(strstr(orders, "\n1,1340285400000000000,1340285400000000000,"
                                   "1340285401000000000,,buy,limit,GTC,,585.00,100,0,300,"
                                   "working,\n"));
    const char *curve = read_file("curve.csv");
    assert_int_equal(page_count(curve, "\n"), 2 + 5);
    assert_non_null(strstr(curve, "\n1340285404000000000,585.505,60,50.7674,20.4674,0.9026\n"));
    pretend_end();
}

static void several_strategies_have_a_directory_each(void **state)
{
    (void)state;
    const struct result_figures *f = small_run();
    struct result_figures other = *f;
    struct strategy_spec spec = *f->spec;
    strcpy(spec.name, "other");
    other.spec = &spec;
    result_log_t *logs[] = {pretend.log, pretend.log};
    const struct result_figures *figures[] = {f, &other};
    for (int twice = 0; twice < 2; twice++)
        assert_int_equal(report_csv(".", logs, figures, 2), STATUS_OK);
    assert_int_equal(page_count(read_file("maker-1/fills.csv"), "\n"), 4);
    assert_int_equal(page_count(read_file("other/curve.csv"), "\n"), 7);
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_int_equal(report_html(out, &how, logs, figures, 2), STATUS_OK);
    fclose(out);
    assert_page(text);
    assert_int_equal(page_count(text, "<section>"), 2);
    free(text);
    pretend_end();
}

static void what_cannot_be_written_is_told(void **state)
{
    (void)state;
    const struct result_figures *f = small_run();
    errno = 0;
    assert_int_equal(report_csv("not-there", &pretend.log, &f, 1), STATUS_IO);
    assert_int_equal(errno, ENOENT);
    FILE *full = fopen("/dev/full", "w");
    assert_int_equal(report_html(full, &how, &pretend.log, &f, 1), STATUS_IO);
    assert_int_equal(report_json(full, &how, &pretend.log, &f, 1), STATUS_IO);
    fclose(full);
    pretend_end();
}

/* ---- pages ---- */

static void a_page_is_well_formed_and_stands_alone(void **state)
{
    (void)state;
    const struct result_figures *f = small_run();
    char *page = html_of(f);
    assert_page(page);
    assert_int_equal(page_count(page, "<figure class=\"plot\">"), 4);
    assert_int_equal(page_count(page, "<svg viewBox=\"0 0 1000"), 4);
    /* A row each: the figures, a parameter, limits and fees. */
    unsigned figures = 0;
    while (report_figure_at(figures) != NULL)
        figures++;
    assert_int_equal(page_count(page, "<tr><th scope=\"row\">"), figures + 1 + 7);
    assert_non_null(strstr(page, "aversion"));
    assert_non_null(strstr(page, "sold &quot;some&quot;"));
    assert_non_null(strstr(page, "data/AAPL.csv"));
    free(page);
    pretend_end();
}

static void an_empty_run_has_a_page_too(void **state)
{
    (void)state;
    const struct fees fees = {0, 0};
    const struct result_options o = {0, 0};
    pretend_begin(&fees, &o);
    const struct result_figures *f = pretend_finish();
    char *page = html_of(f), *text = terminal_of(f);
    assert_page(page);
    assert_int_equal(page_count(page, "Nothing to draw"), 4);
    assert_null(strstr(page, "nan"));
    assert_null(strstr(page, "inf"));
    json_t *document = json_of(f);
    json_t *strategy = json_array_get(json_object_get(document, "strategies"), 0);
    json_t *figures = json_object_get(strategy, "figures");
    assert_true(json_is_null(json_object_get(figures, "sharpe")));
    assert_true(json_is_null(json_object_get(figures, "mark")));
    assert_string_equal(exact_of(figures, "pnl"), "0.00");
    json_decref(document);
    free(page);
    free(text);
    pretend_end();
}

static void a_market_without_a_mid_or_a_fill_is_drawn_as_it_is(void **state)
{
    (void)state;
    const struct fees fees = {0, 0};
    const struct result_options o = {0, 0};
    pretend_begin(&fees, &o);
    pretend_market(T0, 100, 0, 0, 0);
    result_log_end(pretend.log, T0 + 3, "");
    char *page = html_of(pretend_finish());
    assert_page(page);
    assert_int_equal(page_count(page, "Nothing to draw"), 1);
    assert_null(strstr(page, "nan"));
    free(page);
    pretend_end();
}

static void the_same_run_gives_the_same_bytes(void **state)
{
    (void)state;
    char *pages[2], *documents[2];
    for (int i = 0; i < 2; i++) {
        const struct result_figures *f = small_run();
        pages[i] = html_of(f);
        documents[i] = json_text_of(f);
        pretend_end();
    }
    assert_string_equal(pages[0], pages[1]);
    assert_string_equal(documents[0], documents[1]);
    for (int i = 0; i < 2; i++) {
        free(pages[i]);
        free(documents[i]);
    }
}

static uint64_t draw(uint64_t *seed, uint64_t below)
{
    *seed += UINT64_C(0x9E3779B97F4A7C15);
    return mix(*seed) % below;
}

/* A day whose mid moves each second, with fills all over it, and a spike of one second. */
static const struct result_figures *long_day(uint32_t fills, uint64_t spike_second)
{
    uint64_t seed = 5;
    int64_t bid = 58500;
    const struct fees fees = {-20, 30};
    const struct result_options o = {0, 0};
    pretend_begin(&fees, &o);
    uint32_t number = 0;
    for (uint64_t second = 0; second <= 23400; second++) {
        bid += (int64_t)draw(&seed, 9) - 4;
        int64_t shown = second == spike_second ? bid + 7777 : bid;
        pretend_market(T0 + second * SECOND, shown, shown + 4, shown, 10);
        while (number < fills * second / 23400) {
            struct own_order own = order(++number, draw(&seed, 2) == 0 ? SIDE_BUY : SIDE_SELL,
                                         bid + (int64_t)draw(&seed, 5), 10);
            result_log_order(pretend.log, &own, 0, T0 + second * SECOND);
            pretend_fill(T0 + second * SECOND, &own, own.price, 10, draw(&seed, 2) == 0);
        }
    }
    return pretend_finish();
}

static void a_day_stays_small_and_loses_no_spike(void **state)
{
    (void)state;
    static const uint64_t spikes[] = {1, 1000, 12345, 23399};
    for (size_t i = 0; i < sizeof spikes / sizeof *spikes; i++) {
        const struct result_figures *f = long_day(20000, spikes[i]);
        char *page = html_of(f);
        assert_page(page);
        if (strlen(page) > 500 * 1000)
            fail_msg("%zu bytes", strlen(page));
        size_t count;
        char mid[REPORT_TEXT_SIZE], when[64];
        const struct result_point *points = result_log_points(pretend.log, &count);
        assert_int_equal(points[spikes[i]].time_ns, T0 + spikes[i] * SECOND);
        report_price_halves(mid, &pretend.spec.symbol, points[spikes[i]].twice_mid);
        snprintf(when, sizeof when, ",%llu,", (unsigned long long)spikes[i]);
        assert_non_null(strstr(page, mid));
        assert_non_null(strstr(page, when));
        free(page);
        pretend_end();
    }
}

/* ---- a sweep ---- */

static struct report_point points[6];

static void sweep_points(const struct result_figures *f)
{
    static const char *const values[] = {"gamma=0.1 clip=100", "gamma=0.1 clip=200",
                                         "gamma=0.2 clip=100", "gamma=0.2 clip=200",
                                         "gamma=0.3 clip=100", "gamma=0.3 clip=200"};
    for (unsigned i = 0; i < 6; i++) {
        points[i] = (struct report_point){values[i], 0.1 * (1 + i / 2), *f};
        points[i].figures.total -= (notional_t)i * 1000000;
    }
    points[3].figures.spec = NULL;
    strcpy(points[3].figures.described, hostile);
}

static void a_sweep_has_a_row_a_point_in_every_form(void **state)
{
    (void)state;
    const struct result_figures *f = small_run();
    char *text;
    size_t size;
    sweep_points(f);
    FILE *out = open_memstream(&text, &size);
    report_sweep_terminal(out, points, 6);
    fclose(out);
    assert_int_equal(strncmp(text, "maker on AAPL: quotes of a test\n", 32), 0);
    assert_int_equal(page_count(text, "\n"), 3 + 6);
    assert_int_equal(page_count(text, "failed: "), 1);
    assert_null(strchr(text, '\x1b'));
    free(text);

    out = open_memstream(&text, &size);
    assert_int_equal(report_sweep_json(out, points, 6), STATUS_OK);
    fclose(out);
    json_t *document = json_loads(text, 0, NULL);
    free(text);
    json_t *all = json_object_get(document, "points");
    assert_int_equal(json_array_size(all), 6);
    json_t *last = json_array_get(all, 5);
    assert_string_equal(exact_of(json_object_get(last, "values"), "gamma"), "0.3");
    assert_string_equal(exact_of(json_object_get(last, "values"), "clip"), "200");
    assert_string_equal(exact_of(json_object_get(last, "figures"), "pnl"), "50.7424");
    assert_non_null(json_object_get(json_array_get(all, 3), "error"));
    json_decref(document);

    out = open_memstream(&text, &size);
    assert_int_equal(report_sweep_html(out, &how, "gamma", points, 6), STATUS_OK);
    fclose(out);
    assert_page(text);
    assert_int_equal(page_count(text, "<tr><td"), 6);
    assert_int_equal(page_count(text, "failed: "), 1);
    assert_int_equal(page_count(text, "<figure class=\"plot\">"), 6);
    free(text);
    pretend_end();
}

static void a_sweep_of_which_nothing_could_be_run_says_so(void **state)
{
    (void)state;
    const struct result_figures *f = small_run();
    sweep_points(f);
    for (unsigned count = 0; count <= 6; count += 6) {
        char *text;
        size_t size;
        for (unsigned i = 0; i < 6; i++)
            points[i].figures.spec = NULL;
        FILE *out = open_memstream(&text, &size);
        report_sweep_terminal(out, points, count);
        assert_int_equal(report_sweep_json(out, points, count), STATUS_OK);
        fclose(out);
        assert_int_equal(strncmp(text, "no point of this sweep could be run\n", 36), 0);
        free(text);
        out = open_memstream(&text, &size);
        assert_int_equal(report_sweep_html(out, &how, "gamma", points, count), STATUS_OK);
        fclose(out);
        assert_page(text);
        free(text);
    }
    pretend_end();
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_open, scratch_close)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(money_is_exact_in_the_decimals_of_its_symbol),
        cmocka_unit_test(the_largest_amounts_have_their_digits),
        cmocka_unit_test(shown_amounts_are_rounded_and_grouped),
        cmocka_unit_test(words_become_one_valid_line),
        IN_SCRATCH(every_form_begins_with_what_was_run),
        cmocka_unit_test(hostile_words_stay_words),
        cmocka_unit_test(json_agrees_with_the_figures),
        IN_SCRATCH(csv_files_have_a_row_for_each),
        IN_SCRATCH(several_strategies_have_a_directory_each),
        IN_SCRATCH(what_cannot_be_written_is_told),
        cmocka_unit_test(a_page_is_well_formed_and_stands_alone),
        cmocka_unit_test(an_empty_run_has_a_page_too),
        cmocka_unit_test(a_market_without_a_mid_or_a_fill_is_drawn_as_it_is),
        cmocka_unit_test(the_same_run_gives_the_same_bytes),
        cmocka_unit_test(a_day_stays_small_and_loses_no_spike),
        cmocka_unit_test(a_sweep_has_a_row_a_point_in_every_form),
        cmocka_unit_test(a_sweep_of_which_nothing_could_be_run_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
