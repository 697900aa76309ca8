#include "journal/journal_place.h"

#include <string.h>

void place_enter(struct journal_place *p, const struct segment_header *h)
{
    *p = (struct journal_place){
        .segment = h->first_number,
        .size = h->size,
        .offset = SEGMENT_HEADER_SIZE,
        .number = h->first_number,
        .next_seq = h->next_seq,
        .kind = h->kind,
        .async = h->async,
        .epoch = h->epoch,
        .time_ns = h->time_ns,
        .previous_crc = h->previous_crc,
    };
    segment_name(h->first_number, p->file);
}

struct segment_header place_header(const struct journal_place *p, uint64_t segment_size)
{
    return (struct segment_header){
        .first_number = p->number,
        .next_seq = p->next_seq,
        .epoch = p->epoch,
        .size = segment_size,
        .previous_crc = p->previous_crc,
        .kind = p->kind,
        .async = p->async,
        .time_ns = p->time_ns,
    };
}

static bool is(struct record_fault *fault, const char *what, uint64_t found, uint64_t expected)
{
    if (found != expected)
        *fault = (struct record_fault){what, found, expected};
    return found == expected;
}

bool place_continues(const struct journal_place *p, const struct segment_header *h,
                     struct record_fault *fault)
{
    return is(fault, "the first record of a segment", h->first_number, p->number) &&
           is(fault, "the CRC of the record before a segment", h->previous_crc, p->previous_crc) &&
           is(fault, "the first command of a segment", h->next_seq, p->next_seq) &&
           is(fault, "the epoch of a segment", h->epoch, p->epoch);
}

bool place_expects(const struct journal_place *p, const struct record_header *h,
                   struct record_fault *fault)
{
    const struct journal_record *r = &h->record;
    if (!is(fault, "the number of a record", r->number, p->number) ||
        !is(fault, "the CRC of the record before", h->previous_crc, p->previous_crc) ||
        !is(fault, "the command a record begins with", r->first_seq,
            r->kind == RECORD_BATCH ? p->next_seq : p->next_seq - 1))
        return false;
    if (r->kind != RECORD_EPOCH && !is(fault, "the epoch of a record", r->epoch, p->epoch))
        return false;
    if (r->kind == RECORD_EPOCH && r->epoch <= p->epoch) {
        *fault = (struct record_fault){"a new epoch", r->epoch, p->epoch + 1};
        return false;
    }
    if (record_extent(r->size) > p->size - p->offset) {
        *fault = (struct record_fault){"the bytes a record takes in its segment",
                                       record_extent(r->size), p->size - p->offset};
        return false;
    }
    return true;
}

void place_advance(struct journal_place *p, const struct record_header *h)
{
    p->offset += record_extent(h->record.size);
    p->number = h->record.number + 1;
    p->next_seq = record_last_seq(&h->record) + 1;
    p->kind = (uint16_t)h->record.kind;
    p->async = h->record.async;
    p->epoch = h->record.epoch;
    p->time_ns = h->record.time_ns;
    p->previous_crc = h->crc;
}
