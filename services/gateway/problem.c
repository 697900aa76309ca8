#include "gateway/problem.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/check.h"
#include "proto/catalog.h"

bool problem_set(struct problem *p, enum reason code, const char *in, const char *name,
                 const char *detail, ...)
{
    va_list arguments;
    *p = (struct problem){.code = code, .in = in};
    snprintf(p->name, sizeof p->name, "%s", name == NULL ? "" : name);
    va_start(arguments, detail);
    vsnprintf(p->detail, sizeof p->detail, detail, arguments);
    va_end(arguments);
    return false;
}

unsigned problem_status(enum reason code)
{
    const struct catalog_reject *row = catalog_reject_find(code);
    CHECK(row != NULL);
    return row->http_status;
}

bool problem_retryable(enum reason code)
{
    unsigned status = problem_status(code);
    return status == 429 || status == 503;
}

static void put_place(struct json_writer *j, const struct problem *p, const char *detail,
                      const char *type)
{
    json_array_begin(j, "errors");
    json_object_begin(j, NULL);
    json_array_begin(j, "loc");
    json_string(j, NULL, p->in);
    if (p->name[0] != '\0')
        json_string(j, NULL, p->name);
    json_array_end(j);
    json_string(j, "msg", detail);
    json_string(j, "type", type);
    json_object_end(j);
    json_array_end(j);
}

void problem_put(struct json_writer *j, const struct problem *p,
                 const struct problem_context *context)
{
    const struct catalog_reject *row = catalog_reject_find(p->code);
    CHECK(row != NULL);
    const char *detail = p->detail[0] == '\0' ? row->text : p->detail;
    char type[64];
    snprintf(type, sizeof type, "urn:outcry:error:%s", row->name);
    json_string(j, "type", type);
    json_string(j, "title", row->text);
    json_u64(j, "status", row->http_status);
    json_string(j, "detail", detail);
    json_string(j, "error", row->name);
    json_u64(j, "code", row->code);
    if (p->in != NULL)
        put_place(j, p, detail, row->name);
    json_string(j, "outcome", context->outcome_unknown ? "unknown" : "not_executed");
    if (context->certain_by_ns != 0) {
        json_time(j, "certain_by", context->certain_by_ns);
        json_u64(j, "certain_by_ts", context->certain_by_ns / 1000);
    }
    json_flag(j, "retryable", problem_retryable(p->code));
    json_text(j, "request_id", context->request_id);
    if (context->order_id != 0)
        json_id(j, "order_id", context->order_id);
    if (context->at.size > 0)
        json_text(j, "at", context->at);
}
