/* intake: whether a command may be sent to a shard now; and what its asker is told if not. */
#include "gateway/gateway_parts.h"
#include "gateway/standing.h"

enum { CANCEL_SHARE = 8 }; /* this part of a window is kept for cancels */

/* The shard's matcher is silent, and what it said last; or takes no commands, and why. Nothing can
 * be sequenced then, cancels neither. */
static void refuse_closed(gateway_t *g, const struct shard *s, const struct ask *ask)
{
    const char *why = standing_why(s->standing);
    if (shard_heard(s) && !s->superseded)
        answer_refuse(g, ask, REJECT_INTAKE_STOPPED, NULL, NULL,
                      "the matcher of shard %u takes no commands (%s): %s; nothing was sent to it",
                      s->number, standing_text(s->standing), why);
    else if (s->heard_ns != 0 && why != NULL)
        answer_refuse(g, ask, REJECT_MATCHER_UNREACHABLE, NULL, NULL,
                      "the matcher of shard %u is out of reach (%s: %s); nothing was sent to it",
                      s->number, standing_text(s->standing), why);
    else
        answer_refuse(g, ask, REJECT_MATCHER_UNREACHABLE, NULL, NULL,
                      "the matcher of shard %u is out of reach; nothing was sent to it", s->number);
}

bool intake_takes(gateway_t *g, const struct shard *s, const struct ask *ask)
{
    bool cancels = ask->kind == ASK_CANCEL || ask->kind == ASK_MASS_CANCEL;
    uint32_t kept = cancels ? 0 : g->window / CANCEL_SHARE;
    if (g->draining)
        answer_refuse(g, ask, REJECT_DRAINING, NULL, NULL,
                      "the gateway is stopping; nothing was sent");
    else if (!shard_open(s) || s->superseded)
        refuse_closed(g, s, ask);
    else if (!shard_ready(s))
        answer_refuse(g, ask, REJECT_NOT_READY, NULL, NULL,
                      "this gateway is still learning what orders there are; nothing was sent");
    else if (origin_room(s->origin) <= kept)
        answer_refuse(g, ask, REJECT_TOO_BUSY, NULL, NULL,
                      "as many commands wait for the matcher as may; nothing was sent");
    else
        return true;
    return false;
}
