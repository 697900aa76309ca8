/* watchers: who watches which channel, as far as the step must know: a count, so that nothing is
 * encoded for nobody, and the first messages of each newcomer. The rest is websockets.c's. */
#include "base/check.h"
#include "gateway/gateway_parts.h"

static uint8_t *stream_begin(gateway_t *g, size_t size)
{
    uint8_t *place = outbox_reserve(&g->outbox, sizeof(struct stream_head) + size);
    CHECK(place != NULL); /* the step takes nothing in without room for the largest */
    return place;
}

static void stream_end(gateway_t *g, uint8_t *place, const struct stream_head *head, size_t size)
{
    memcpy(place, head, sizeof *head);
    outbox_commit(&g->outbox, GATEWAY_OUTPUT_STREAMS, sizeof *head + size);
}

static void on_message(void *self, uint32_t symbol, enum channel channel,
                       enum conflation conflation, const char *text, size_t size)
{
    gateway_t *g = self;
    struct stream_head head = {.kind = STREAM_MESSAGE,
                               .conflation = (uint8_t)conflation,
                               .channel = stream_channel(symbol, channel),
                               .time_ns = g->now_ns};
    uint8_t *place = stream_begin(g, size);
    memcpy(place + sizeof head, text, size);
    stream_end(g, place, &head, size);
}

static bool is_watched(void *self, uint32_t symbol, enum channel channel)
{
    return ((gateway_t *)self)->watchers[stream_channel(symbol, channel)] > 0;
}

void watchers_init(gateway_t *g)
{
    g->sink = (struct market_sink){g, on_message, is_watched};
}

/* A newcomer of a market that is not known yet gets its first messages when it is: then everybody
 * who watches does. */
static void attach(gateway_t *g, const struct ask *ask)
{
    const struct market *m = &g->markets[ask->symbol];
    uint32_t channel = stream_channel(ask->symbol, (enum channel)ask->channel);
    struct stream_head head = {.kind = STREAM_ATTACH,
                               .conflation = CONFLATION_NEVER,
                               .channel = channel,
                               .socket = ask->call,
                               .time_ns = g->now_ns};
    bool known = ask->channel == CHANNEL_TRADES ? m->trades_known : m->book_known;
    uint8_t *place = stream_begin(g, STREAM_FIRST_MAX);
    size_t size = 0;
    if (known && !market_put_first(m, (enum channel)ask->channel, (char *)place + sizeof head,
                                   STREAM_FIRST_MAX, &size))
        head.kind = STREAM_REFUSE; /* a book too large to be told in one go */
    g->watchers[channel]++;
    stream_end(g, place, &head, size);
}

void watchers_ask(gateway_t *g, const struct ask *ask)
{
    uint32_t channel = stream_channel(ask->symbol, (enum channel)ask->channel);
    if (ask->kind == ASK_SUBSCRIBE)
        attach(g, ask);
    else if (g->watchers[channel] > 0)
        g->watchers[channel]--;
}
