#include "gateway/standing.h"

#include "proto/catalog.h"

const char *standing_text(uint64_t standing)
{
    const char *text = catalog_value_text(KIND_standing, standing);
    return text == NULL ? "unknown" : text;
}

const char *standing_why(uint64_t standing)
{
    switch (standing) {
    case 0:
        return "it is not a matcher that speaks for the shard";
    case STANDING_OPEN:
        return NULL;
    case STANDING_DRAINING:
        return "it is stopping";
    case STANDING_NO_SPACE:
        return "there is no room for its journal; it goes on by itself when there is";
    case STANDING_CLOCK_JUMP:
        return "its clock jumped; `outcry resume` says that the clock is right";
    case STANDING_FAILED:
        return "its journal failed; started again, it goes on from what was kept";
    case STANDING_STOPPED:
        return "it has stopped";
    default:
        return "it says why in words this gateway does not know";
    }
}
