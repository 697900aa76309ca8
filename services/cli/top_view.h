/* top_view: the picture of `outcry top`: a line a shard, a gateway, a market-data service and a
 * host of strategies, and what is wrong. Made for 80 columns and 24 lines; it takes more where
 * there is more, and in fewer lines it says how many it leaves out. Thread: one. */
#ifndef OUTCRY_CLI_TOP_VIEW_H
#define OUTCRY_CLI_TOP_VIEW_H

#include "cli/incidents.h"
#include "cli/screen.h"

void top_view_draw(struct screen *s, const struct overview *o, const struct incidents *incidents,
                   bool paused);

#endif
