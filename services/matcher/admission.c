#include "matcher/admission.h"

#include <string.h>

#include "node/access.h"
#include "proto/command.h"

/* ---- commands ---- */

static bool may_command(const struct guard_sender *sender, const struct command *c)
{
    struct text origin = c->envelope.origin, account = command_account(c);
    return access_owns(sender, origin.data, origin.size) &&
           (account.size == 0
                ? sender->accounts[0] == '\0'
                : certificate_has_account(sender->accounts, account.data, account.size));
}

bool admission_commands(const struct guard_sender *sender, const uint8_t *message, size_t size)
{
    const uint8_t *at = message, *end = message + size;
    struct command c;
    if (size > COMMAND_MESSAGE_SIZE_MAX)
        return true;
    while (at < end && command_read(&at, end, &c) == COMMAND_READ_OK &&
           c.envelope.origin.size > 0) {
        if (!may_command(sender, &c))
            return false;
    }
    return true;
}

/* ---- requests ---- */

static bool is_role(const struct guard_sender *sender, const char *role)
{
    return strcmp(sender->role, role) == 0;
}

static bool may_read(const struct guard_sender *sender, struct text topic)
{
    bool names_account = topic.size >= 5 && memcmp(topic.data, "acct.", 5) == 0;
    return !names_account || (sender->accounts[0] == '\0' && !is_role(sender, "market-data"));
}

bool admission_requests(const struct guard_sender *sender, const uint8_t *message, size_t size)
{
    struct request q;
    const uint8_t *at = message;
    if (request_read(&at, message + size, &q) != COMMAND_READ_OK)
        return true;
    switch (q.type) {
    case MESSAGE_RESEND:
        return may_read(sender, q.resend.topic) || is_role(sender, "matcher");
    case MESSAGE_SNAPSHOT:
        return may_read(sender, q.snapshot.topic) || is_role(sender, "matcher");
    case MESSAGE_RESUME:
        return is_role(sender, "operator") && sender->accounts[0] == '\0';
    case MESSAGE_FOLLOWING:
        return is_role(sender, "follower");
    case MESSAGE_COMMITTED:
        return is_role(sender, "matcher");
    default:
        return true; /* of a later version: refused by its number */
    }
}
