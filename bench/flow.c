/* Generating the flows.
 *
 * The generator keeps a floor book beside it and applies every command as it is drawn, so it knows
 * the touch (passive orders must not cross, aggressive ones must) and which orders are live. The
 * book tells nobody whom it filled, so before an order that may trade is applied, the generator
 * walks the makers it will fill (makers_forget) and drops them from its list of live orders.
 *
 * Steady state. Each flow gains or loses orders on average, so a draw is turned round (an order
 * becomes a cancel, or a cancel an order) with a probability proportional to how far the live count
 * has strayed. That holds it within a few percent without a pattern a branch predictor could learn,
 * and shifts the shares by a point or so.
 *
 * What comes out, in percent of the timed commands, and per order that trades (seed 1, two million;
 * "trading" counts new orders that trade on arrival):
 *
 *            passive  cancel  replace  reduce  trading  levels  makers  live
 *   A_1k        48.3    43.9      2.0     1.0      4.9    1.19    1.86  947..1,092
 *   A_100k      48.6    43.6      2.0     1.0      4.9    1.00    1.98  100,001..102,000
 *   B_1k        50.0    50.0                                            929..1,067
 *   B_100k      50.0    50.0                                            99,587..100,489
 *   C_1k        47.0    17.7                      35.4    1.61    1.81  987..1,034
 *   C_100k      47.8    14.8                      37.4    1.46    1.86  99,999..101,188
 *   E_1k        46.9    18.0                      35.1    1.80    1.81  987..1,034
 *   E_100k      47.0    17.9                      35.1    1.80    1.81  99,999..101,267
 *
 * So in C and E 43% of the new orders trade. That share is not tuned: it follows from prices even
 * over a band, where orders far out collect and only those near the middle ever meet.
 *
 * Same bytes everywhere: a splitmix64 generator, integers only, and the log-normal as a table of
 * its distribution function, so no libm whose last digit differs. */
#include "flow.h"

#include "base/mix.h"
#include "floor_book.h"

#include <stdbool.h>
#include <stdlib.h>

enum {
    MID_START_TICKS = 100000,
    /* The walk turns back here, so that the price range is known beforehand. */
    MID_REACH_TICKS = 2048,
    /* One step of one tick in so many commands: 60 ticks or so over two million commands, and few
     * enough in the life of an order that the book can follow. */
    MID_STEP_COMMANDS = 512,
    PASSIVE_REACH_TICKS = 200,
    /* An aggressive limit reaches 0 to 3 ticks through the touch. */
    THROUGH_TICKS = 4,
    QTY_MAX_LOTS = 100,
    CROSS_REACH_TICKS = 40,
    CROSS_WIDE_REACH_TICKS = 9000,
    /* Commands that filling the book may take, per live order: C trades while it fills. */
    PRELOAD_COMMANDS_MAX = 16,
};

/* The shares of flow A. */
enum {
    SHARE_PASSIVE = 51,
    SHARE_CANCEL = 43,
    SHARE_REPLACE = 2,
    SHARE_REDUCE = 1,
    SHARE_AGGRESSIVE = 5,
    SHARES = SHARE_PASSIVE + SHARE_CANCEL + SHARE_REPLACE + SHARE_REDUCE + SHARE_AGGRESSIVE,
};

/* What the generator remembers of an order. */
struct known {
    int64_t price;
    uint32_t place; /* index in live[] while the order is live */
    uint8_t side;
};

struct generator {
    struct flow *flow;
    floor_book_t *book;
    struct known *known; /* by ref */
    uint32_t *live;      /* refs, in no order */
    uint32_t live_count;
    uint32_t command_count; /* so far, preload included */
    bool filling;           /* preloading: orders only */
    uint64_t random;
    int64_t mid;
};

/* offset_table[k - 1] / 2^32 is the probability of an offset of at most k ticks, from
 *   F(k) = Phi(ln((k + 0.5) / 12)), divided by F(200),
 * which is a log-normal(ln 12, 1) rounded to a whole tick, at least 1, redrawn above 200. */
static const uint32_t offset_table[PASSIVE_REACH_TICKS] = {
    0x04D25165, 0x0EFA9429, 0x1BF56758, 0x29EAA5A4, 0x37DA9AA9, 0x454386F3, 0x51E88700, 0x5DB1FEDA,
    0x689C5AFA, 0x72AE8EC6, 0x7BF4C8EA, 0x847D7C18, 0x8C57B7A1, 0x93923FE4, 0x9A3B1555, 0xA05F3B79,
    0xA60AA4B1, 0xAB4832CA, 0xB021C2E2, 0xB4A03EF6, 0xB8CBB1D0, 0xBCAB5B68, 0xC045C49C, 0xC3A0D1B5,
    0xC6C1D375, 0xC9AD9690, 0xCC6871A1, 0xCEF651A7, 0xD15AC52F, 0xD399063C, 0xD5B40320, 0xD7AE664B,
    0xD98A9D4A, 0xDB4ADEEF, 0xDCF130D3, 0xDE7F6C39, 0xDFF74266, 0xE15A4085, 0xE2A9D317, 0xE3E74910,
    0xE513D695, 0xE6309775, 0xE73E9164, 0xE83EB5F6, 0xE931E466, 0xEA18EB38, 0xEAF489A5, 0xEBC570EF,
    0xEC8C458E, 0xED49A03F, 0xEDFE0F01, 0xEEAA15ED, 0xEF4E300C, 0xEFEAD007, 0xF08060D5, 0xF10F4654,
    0xF197DDD2, 0xF21A7E8E, 0xF2977A2D, 0xF30F1D27, 0xF381AF22, 0xF3EF7355, 0xF458A8D0, 0xF4BD8ACF,
    0xF51E50FC, 0xF57B2FAF, 0xF5D4582A, 0xF629F8CC, 0xF67C3D47, 0xF6CB4ECB, 0xF7175433, 0xF7607228,
    0xF7A6CB4B, 0xF7EA8053, 0xF82BB02D, 0xF86A7819, 0xF8A6F3C6, 0xF8E13D69, 0xF9196DD5, 0xF94F9C93,
    0xF983DFF2, 0xF9B64D1B, 0xF9E6F825, 0xFA15F422, 0xFA43532F, 0xFA6F2685, 0xFA997E82, 0xFAC26AB7,
    0xFAE9F9F4, 0xFB103A53, 0xFB353943, 0xFB59038D, 0xFB7BA564, 0xFB9D2A67, 0xFBBD9DAB, 0xFBDD09C5,
    0xFBFB78CC, 0xFC18F465, 0xFC3585C3, 0xFC5135B2, 0xFC6C0C9A, 0xFC861285, 0xFC9F4F21, 0xFCB7C9CA,
    0xFCCF8988, 0xFCE69518, 0xFCFCF2EC, 0xFD12A934, 0xFD27BDDA, 0xFD3C368A, 0xFD5018B5, 0xFD636993,
    0xFD762E23, 0xFD886B34, 0xFD9A2560, 0xFDAB6114, 0xFDBC228F, 0xFDCC6DE7, 0xFDDC4705, 0xFDEBB1AF,
    0xFDFAB184, 0xFE0949FF, 0xFE177E79, 0xFE25522B, 0xFE32C82E, 0xFE3FE37D, 0xFE4CA6F9, 0xFE591563,
    0xFE653167, 0xFE70FD94, 0xFE7C7C64, 0xFE87B037, 0xFE929B5A, 0xFE9D4002, 0xFEA7A053, 0xFEB1BE5B,
    0xFEBB9C16, 0xFEC53B70, 0xFECE9E40, 0xFED7C650, 0xFEE0B55A, 0xFEE96D07, 0xFEF1EEF3, 0xFEFA3CAA,
    0xFF0257AE, 0xFF0A4170, 0xFF11FB58, 0xFF1986C1, 0xFF20E4F9, 0xFF281745, 0xFF2F1EDF, 0xFF35FCF5,
    0xFF3CB2AD, 0xFF434124, 0xFF49A96B, 0xFF4FEC8E, 0xFF560B8D, 0xFF5C0762, 0xFF61E0FF, 0xFF67994E,
    0xFF6D3131, 0xFF72A985, 0xFF78031D, 0xFF7D3EC9, 0xFF825D50, 0xFF875F74, 0xFF8C45F2, 0xFF91117F,
    0xFF95C2CC, 0xFF9A5A86, 0xFF9ED952, 0xFFA33FD2, 0xFFA78EA2, 0xFFABC65B, 0xFFAFE791, 0xFFB3F2D2,
    0xFFB7E8AB, 0xFFBBC9A2, 0xFFBF963A, 0xFFC34EF3, 0xFFC6F449, 0xFFCA86B5, 0xFFCE06AB, 0xFFD1749D,
    0xFFD4D0F9, 0xFFD81C2C, 0xFFDB569C, 0xFFDE80B1, 0xFFE19ACC, 0xFFE4A54E, 0xFFE7A094, 0xFFEA8CF8,
    0xFFED6AD4, 0xFFF03A7D, 0xFFF2FC47, 0xFFF5B084, 0xFFF85782, 0xFFFAF18F, 0xFFFD7EF6, 0xFFFFFFFF,
};

static bool generator_open(struct generator *g, struct flow *flow);
static void generator_close(struct generator *g);
static void generator_step(struct generator *g);

struct flow *flow_new(enum flow_kind kind, uint32_t live_count, uint32_t command_count,
                      uint64_t seed)
{
    if (live_count < 100 || live_count > FLOW_LIVE_MAX || command_count < 1 ||
        command_count > FLOW_COMMANDS_MAX) {
        return NULL;
    }
    struct flow *flow = calloc(1, sizeof *flow);
    if (!flow) {
        return NULL;
    }
    flow->kind = kind;
    flow->seed = seed;
    flow->live_count = live_count;
    flow->command_count = command_count;
    struct generator g;
    if (!generator_open(&g, flow)) {
        generator_close(&g);
        flow_destroy(&flow);
        return NULL;
    }
    uint32_t preload_max = live_count * PRELOAD_COMMANDS_MAX;
    g.filling = true;
    while (g.live_count < live_count && g.command_count < preload_max) {
        generator_step(&g);
    }
    g.filling = false;
    flow->preload_count = g.command_count;
    while (g.command_count < flow->preload_count + command_count) {
        generator_step(&g);
    }
    generator_close(&g);
    return flow;
}

void flow_destroy(struct flow **flow)
{
    if (*flow) {
        free((*flow)->commands);
        free(*flow);
        *flow = NULL;
    }
}

uint64_t flow_hash(const struct flow *flow)
{
    uint64_t hash = mix(flow->preload_count);
    size_t count = (size_t)flow->preload_count + flow->command_count;
    for (size_t index = 0; index < count; index++) {
        const struct flow_command *c = &flow->commands[index];
        uint32_t bytes = (uint32_t)c->op << 24 | (uint32_t)c->side << 16 | (uint32_t)c->tif << 8;
        hash = mix(hash + ((uint64_t)(bytes | c->type) << 32 | c->ref));
        hash = mix(mix(hash + (uint64_t)c->price) + (uint64_t)c->qty);
    }
    return hash;
}

const char *flow_kind_name(enum flow_kind kind)
{
    static const char *const names[] = {"A", "B", "C", "E"};
    return names[kind];
}

static bool generator_open(struct generator *g, struct flow *flow)
{
    int64_t reach = PASSIVE_REACH_TICKS;
    if (flow->kind == FLOW_C) {
        reach = CROSS_REACH_TICKS;
    } else if (flow->kind == FLOW_E) {
        reach = CROSS_WIDE_REACH_TICKS;
    }
    reach += MID_REACH_TICKS + THROUGH_TICKS + 1;
    flow->price_min = MID_START_TICKS - reach;
    flow->price_max = MID_START_TICKS + reach;
    uint32_t count = flow->live_count * PRELOAD_COMMANDS_MAX + flow->command_count;
    /* The live count strays a few percent; twice is far more than it can. */
    *g = (struct generator){.flow = flow, .random = flow->seed, .mid = MID_START_TICKS};
    g->book = floor_book_new(flow->price_min, flow->price_max, count);
    g->known = malloc(count * sizeof *g->known);
    g->live = malloc(2 * (size_t)flow->live_count * sizeof *g->live);
    flow->commands = malloc(count * sizeof *flow->commands);
    return g->book && g->known && g->live && flow->commands;
}

static void generator_close(struct generator *g)
{
    floor_book_destroy(&g->book);
    free(g->known);
    free(g->live);
}

static uint32_t random_draw(struct generator *g)
{
    return (uint32_t)(mix_next(&g->random) >> 32);
}

/* 0..count-1, evenly but for 1 part in 2^32 / count. */
static uint32_t random_below(struct generator *g, uint32_t count)
{
    return (uint32_t)((uint64_t)random_draw(g) * count >> 32);
}

static int64_t random_qty(struct generator *g)
{
    return 1 + random_below(g, QTY_MAX_LOTS);
}

static int64_t random_offset(struct generator *g)
{
    uint32_t draw = random_draw(g);
    uint32_t low = 0;
    uint32_t high = PASSIVE_REACH_TICKS - 1;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (draw <= offset_table[middle]) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low + 1;
}

static uint32_t live_draw(struct generator *g)
{
    return g->live[random_below(g, g->live_count)];
}

static void live_add(struct generator *g, uint32_t ref)
{
    g->known[ref].place = g->live_count;
    g->live[g->live_count++] = ref;
}

static void live_drop(struct generator *g, uint32_t ref)
{
    uint32_t place = g->known[ref].place;
    uint32_t moved = g->live[--g->live_count];
    g->live[place] = moved;
    g->known[moved].place = place;
}

/* Drop the orders that this one will fill completely. */
static void makers_forget(struct generator *g, const struct flow_command *taker)
{
    uint8_t other = (uint8_t)(taker->side ^ 1);
    int64_t left = taker->qty;
    int64_t price;
    uint32_t maker = floor_book_first(g->book, other, &price);
    while (maker != FLOOR_BOOK_NONE && left > 0) {
        bool reached = taker->side == FLOW_BUY ? taker->price >= price : taker->price <= price;
        if (!reached && taker->type == FLOW_LIMIT) {
            return;
        }
        int64_t open = floor_book_open_qty(g->book, maker);
        if (open <= left) {
            live_drop(g, maker);
        }
        left -= open;
        maker = floor_book_next(g->book, other, maker, &price);
    }
}

/* Emit one command, and bring the book and the list of live orders up to date. */
static void command_emit(struct generator *g, struct flow_command command)
{
    struct flow *flow = g->flow;
    if (command.op == FLOW_NEW) {
        command.ref = flow->order_count++;
        makers_forget(g, &command);
    } else if (command.op == FLOW_CANCEL) {
        live_drop(g, command.ref);
    }
    floor_book_apply(g->book, &command);
    if (command.op == FLOW_NEW || command.op == FLOW_REPLACE) {
        g->known[command.ref].price = command.price;
        g->known[command.ref].side = command.side;
    }
    if (command.op == FLOW_NEW && floor_book_open_qty(g->book, command.ref) > 0) {
        live_add(g, command.ref);
    }
    flow->commands[g->command_count++] = command;
}

/* A price that does not cross: off the mid, or off the opposite touch where the mid has walked past
 * it. (Clamping to the touch instead would pile orders up on one level.) */
static int64_t passive_price(struct generator *g, uint8_t side)
{
    int64_t offset = random_offset(g);
    int64_t from = g->mid;
    int64_t touch;
    bool facing = floor_book_best(g->book, side ^ 1, &touch);
    if (side == FLOW_BUY) {
        return (facing && touch < from ? touch : from) - offset;
    }
    return (facing && touch > from ? touch : from) + offset;
}

static void passive_emit(struct generator *g)
{
    uint8_t side = random_draw(g) & 1;
    int64_t price = passive_price(g, side);
    command_emit(g, (struct flow_command){
                        .op = FLOW_NEW, .side = side, .price = price, .qty = random_qty(g)});
}

static void cancel_emit(struct generator *g)
{
    uint32_t ref = live_draw(g);
    command_emit(g,
                 (struct flow_command){.op = FLOW_CANCEL, .side = g->known[ref].side, .ref = ref});
}

static void replace_emit(struct generator *g)
{
    uint32_t ref = live_draw(g);
    uint8_t side = g->known[ref].side;
    int64_t price = passive_price(g, side);
    if (price == g->known[ref].price) {
        price += side == FLOW_BUY ? -1 : 1;
    }
    command_emit(
        g, (struct flow_command){
               .op = FLOW_REPLACE, .side = side, .ref = ref, .price = price, .qty = random_qty(g)});
}

/* By part of what is open; an order of one lot cannot be reduced and is cancelled instead. */
static void reduce_emit(struct generator *g)
{
    uint32_t ref = live_draw(g);
    int64_t open = floor_book_open_qty(g->book, ref);
    if (open == 1) {
        cancel_emit(g);
        return;
    }
    command_emit(g, (struct flow_command){.op = FLOW_REDUCE,
                                          .side = g->known[ref].side,
                                          .ref = ref,
                                          .qty = 1 + random_below(g, (uint32_t)open - 1)});
}

/* An order that trades. Takers push the touch towards the mid where the mid has left it; otherwise
 * either side takes. */
static void aggressive_emit(struct generator *g)
{
    int64_t bid;
    int64_t ask;
    bool has_bid = floor_book_best(g->book, FLOW_BUY, &bid);
    bool has_ask = floor_book_best(g->book, FLOW_SELL, &ask);
    uint8_t side = random_draw(g) & 1;
    if (has_ask && ask <= g->mid) {
        side = FLOW_BUY;
    } else if (has_bid && bid >= g->mid) {
        side = FLOW_SELL;
    }
    if (side == FLOW_BUY ? !has_ask : !has_bid) {
        passive_emit(g);
        return;
    }
    struct flow_command command = {.op = FLOW_NEW, .side = side, .qty = random_qty(g)};
    uint32_t draw = random_below(g, 100);
    command.tif = draw < 40 ? FLOW_GTC : FLOW_IOC;
    command.type = draw < 80 ? FLOW_LIMIT : FLOW_MARKET;
    if (command.type == FLOW_LIMIT) {
        int64_t through = random_below(g, THROUGH_TICKS);
        command.price = side == FLOW_BUY ? ask + through : bid - through;
    }
    command_emit(g, command);
}

/* Flows C and E: anywhere round the mid, so that about half of the band crosses. */
static void cross_emit(struct generator *g)
{
    uint32_t reach = g->flow->kind == FLOW_C ? CROSS_REACH_TICKS : CROSS_WIDE_REACH_TICKS;
    uint8_t side = random_draw(g) & 1;
    int64_t price = g->mid - reach + random_below(g, 2 * reach + 1);
    command_emit(g, (struct flow_command){
                        .op = FLOW_NEW, .side = side, .price = price, .qty = random_qty(g)});
}

static void mid_walk(struct generator *g)
{
    if (random_below(g, MID_STEP_COMMANDS) != 0) {
        return;
    }
    g->mid += random_draw(g) & 1 ? 1 : -1;
    if (g->mid > MID_START_TICKS + MID_REACH_TICKS) {
        g->mid--;
    } else if (g->mid < MID_START_TICKS - MID_REACH_TICKS) {
        g->mid++;
    }
}

/* With a probability of `gain` times the share by which `count` exceeds `limit`. */
static bool strayed(struct generator *g, uint32_t count, uint32_t limit, uint32_t gain)
{
    return count > limit && random_below(g, g->flow->live_count) < gain * (count - limit);
}

static void generator_step(struct generator *g)
{
    uint32_t target = g->flow->live_count;
    mid_walk(g);
    if (g->flow->kind == FLOW_C || g->flow->kind == FLOW_E) {
        if (!g->filling && strayed(g, g->live_count, target, 16)) {
            cancel_emit(g);
        } else {
            cross_emit(g);
        }
        return;
    }
    uint32_t draw = random_below(g, g->flow->kind == FLOW_A ? SHARES : 2 * SHARE_CANCEL);
    if (g->filling) {
        passive_emit(g);
    } else if (draw < SHARE_CANCEL) {
        strayed(g, target, g->live_count, 2) ? passive_emit(g) : cancel_emit(g);
    } else if (g->flow->kind == FLOW_B || draw < SHARE_CANCEL + SHARE_PASSIVE) {
        strayed(g, g->live_count, target, 2) ? cancel_emit(g) : passive_emit(g);
    } else if (draw < SHARE_CANCEL + SHARE_PASSIVE + SHARE_REPLACE) {
        replace_emit(g);
    } else if (draw < SHARES - SHARE_AGGRESSIVE) {
        reduce_emit(g);
    } else {
        aggressive_emit(g);
    }
}
