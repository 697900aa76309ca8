/* report_text: words and times on their way into a report. What a strategy says of itself, or is
 * called, may hold anything; none of it becomes a tag, a control sequence or a second line. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backtest/report_parts.h"
#include "base/check.h"
#include "proto/catalog.h"

static const uint64_t SECOND_NS = UINT64_C(1000000000);
static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* ---- times ---- */

static struct tm utc(uint64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / SECOND_NS);
    struct tm t;
    CHECK(gmtime_r(&seconds, &t) != NULL);
    return t;
}

void report_time(char text[REPORT_TEXT_SIZE], uint64_t time_ns)
{
    struct tm t = utc(time_ns);
    size_t size = strftime(text, REPORT_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &t);
    snprintf(text + size, REPORT_TEXT_SIZE - size, ".%09uZ", (unsigned)(time_ns % SECOND_NS));
}

void report_time_shown(char text[REPORT_TEXT_SIZE], uint64_t time_ns)
{
    struct tm t = utc(time_ns);
    size_t size = strftime(text, REPORT_TEXT_SIZE, "%Y-%m-%d %H:%M:%S", &t);
    snprintf(text + size, REPORT_TEXT_SIZE - size, ".%03u",
             (unsigned)(time_ns % SECOND_NS / 1000000));
}

/* ---- words ---- */

static bool follows(const unsigned char *at, unsigned count)
{
    for (unsigned i = 1; i <= count; i++)
        if ((at[i] & 0xC0) != 0x80)
            return false;
    return true;
}

/* The bytes of the character at `at` by RFC 3629; 0: none begins there. */
static unsigned character_size(const unsigned char *at)
{
    if (at[0] < 0x80)
        return 1;
    if (at[0] >= 0xC2 && at[0] <= 0xDF)
        return follows(at, 1) ? 2 : 0;
    if (at[0] >= 0xE0 && at[0] <= 0xEF) {
        bool short_enough = at[0] == 0xE0 && at[1] < 0xA0,
             half_of_two = at[0] == 0xED && at[1] > 0x9F;
        return follows(at, 2) && !short_enough && !half_of_two ? 3 : 0;
    }
    if (at[0] >= 0xF0 && at[0] <= 0xF4) {
        bool short_enough = at[0] == 0xF0 && at[1] < 0x90, beyond = at[0] == 0xF4 && at[1] > 0x8F;
        return follows(at, 3) && !short_enough && !beyond ? 4 : 0;
    }
    return 0;
}

/* C0, DEL, and C1, which some terminals obey. */
static bool is_control(const unsigned char *at)
{
    return at[0] < 0x20 || at[0] == 0x7F || (at[0] == 0xC2 && at[1] < 0xA0);
}

char *report_clean(const char *words)
{
    char *clean = malloc(strlen(words) * (sizeof replacement - 1) + 1), *to = clean;
    CHECK(clean != NULL);
    for (const unsigned char *at = (const unsigned char *)words; *at != '\0';) {
        unsigned size = character_size(at);
        if (size == 0) {
            memcpy(to, replacement, sizeof replacement - 1);
            to += sizeof replacement - 1;
        } else if (is_control(at)) {
            *to++ = ' ';
        } else {
            memcpy(to, at, size);
            to += size;
        }
        at += size > 0 ? size : 1;
    }
    *to = '\0';
    return clean;
}

static const char *entity_of(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void report_put_html(FILE *out, const char *words)
{
    char *clean = report_clean(words);
    for (const char *at = clean; *at != '\0'; at++) {
        const char *entity = entity_of(*at);
        if (entity != NULL)
            fputs(entity, out);
        else
            putc(*at, out);
    }
    free(clean);
}

void report_put_plain(FILE *out, const char *words)
{
    char *clean = report_clean(words);
    fputs(clean, out);
    free(clean);
}

/* ---- of a run ---- */

char *report_headline(const struct result_figures *f)
{
    size_t size = strlen(f->spec->type) + sizeof f->spec->symbol.name + sizeof f->described + 16;
    char *line = malloc(size);
    CHECK(line != NULL);
    snprintf(line, size, "%s on %s%s%s", f->spec->type, f->spec->symbol.name,
             f->described[0] != '\0' ? ": " : "", f->described);
    char *clean = report_clean(line);
    free(line);
    return clean;
}

const char *report_refusal(const struct result_order *o)
{
    static const char *const words[] = {
        [OWN_REFUSED_POSITION] = "limit: position_max",
        [OWN_REFUSED_ORDER_SIZE] = "limit: order_max",
        [OWN_REFUSED_RATE] = "limit: messages_per_second",
        [OWN_REFUSED_WORKING] = "limit: working orders",
        [OWN_REFUSED_STOPPING] = "stopping",
        [OWN_REFUSED_BOOK] = "book not known",
    };
    if (o->refusal != OWN_REFUSED_NOT)
        return o->refusal < sizeof words / sizeof *words ? words[o->refusal] : "";
    const char *reason = o->reason != 0 ? catalog_reason_name(o->reason) : NULL;
    return reason != NULL ? reason : "";
}
