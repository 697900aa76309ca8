#include "engine/snapshot_input.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "engine/snapshot_format.h"

void input_init(struct snapshot_input *in, const uint8_t *bytes, size_t size, char *error,
                size_t error_size)
{
    *in = (struct snapshot_input){
        .reader = {bytes, bytes + size, false},
        .begin = bytes,
        .at = bytes,
        .error = error,
        .error_size = error_size,
    };
}

void input_refuse(struct snapshot_input *in, const char *format, ...)
{
    if (in->failed)
        return;
    in->failed = true;
    in->reader.bad = true;
    in->reader.at = in->reader.end;
    int size = snprintf(in->error, in->error_size, "at byte %zu: ", (size_t)(in->at - in->begin));
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(in->error + size, in->error_size - (size_t)size, format, arguments);
    va_end(arguments);
}

void input_check(struct snapshot_input *in, const char *what)
{
    if (!in->reader.bad)
        return;
    if (in->at == in->reader.end)
        input_refuse(in, "found the end, expected %s", what);
    else
        input_refuse(in, "found no %s (0x%02x), expected one", what, *in->at);
}

void input_check_form(struct snapshot_input *in, const char *what, const uint8_t *form, size_t size)
{
    if (in->failed)
        return;
    if ((size_t)(in->reader.at - in->at) != size || memcmp(in->at, form, size) != 0)
        input_refuse(in, "found %s in another form, expected the shortest", what);
}

uint64_t input_u64(struct snapshot_input *in, const char *what, uint64_t low, uint64_t high)
{
    if (in->failed)
        return low;
    in->at = in->reader.at;
    uint64_t value = wire_get_u64(&in->reader, 0);
    input_check(in, what);
    uint8_t form[WIRE_INTEGER_SIZE_MAX];
    struct wire_writer w = {form};
    wire_put_u64(&w, value);
    input_check_form(in, what, form, (size_t)(w.at - form));
    if (value >= low && value <= high)
        return value;
    input_refuse(in, "found %s %" PRIu64 ", expected %" PRIu64 " to %" PRIu64, what, value, low,
                 high);
    return low;
}

int64_t input_i64(struct snapshot_input *in, const char *what)
{
    if (in->failed)
        return 0;
    in->at = in->reader.at;
    int64_t value = wire_get_i64(&in->reader);
    input_check(in, what);
    uint8_t form[WIRE_INTEGER_SIZE_MAX];
    struct wire_writer w = {form};
    wire_put_i64(&w, value);
    input_check_form(in, what, form, (size_t)(w.at - form));
    return value;
}

bool input_flag(struct snapshot_input *in, const char *what)
{
    if (in->failed)
        return false;
    in->at = in->reader.at;
    bool value = wire_get_flag(&in->reader);
    input_check(in, what);
    return value && !in->failed;
}

struct text input_text(struct snapshot_input *in, const char *what, size_t size_max)
{
    if (in->failed)
        return (struct text){"", 0};
    in->at = in->reader.at;
    struct text value = wire_get_text(&in->reader, size_max);
    input_check(in, what);
    uint8_t form[NAME_TEXT_SIZE_MAX];
    struct wire_writer w = {form};
    wire_put_text(&w, value);
    input_check_form(in, what, form, (size_t)(w.at - form));
    return value;
}

uint32_t input_array(struct snapshot_input *in, const char *what, uint64_t low, uint64_t high)
{
    if (in->failed)
        return 0;
    in->at = in->reader.at;
    uint32_t count = wire_get_array(&in->reader);
    input_check(in, what);
    uint8_t form[WIRE_ARRAY_SIZE_MAX];
    struct wire_writer w = {form};
    wire_put_array(&w, count);
    input_check_form(in, what, form, (size_t)(w.at - form));
    if (count >= low && count <= high)
        return in->failed ? 0 : count;
    input_refuse(in, "found an array of %" PRIu32 ", expected %s: %" PRIu64 " to %" PRIu64, count,
                 what, low, high);
    return 0;
}
