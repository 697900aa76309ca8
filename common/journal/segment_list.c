#include "journal/segment_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { ROOM_MIN = 64 };

static void add(void *to, const char *name, uint64_t size)
{
    struct segment_list *l = to;
    uint64_t number;
    (void)size;
    if (strcmp(name, EPOCH_DUE_NAME) == 0)
        l->epoch_due = true;
    if (!segment_name_read(name, &number))
        return;
    if (l->count == l->room) {
        size_t room = l->room == 0 ? ROOM_MIN : 2 * l->room;
        uint64_t *more = memory_new(room, sizeof *more, "a list of segments");
        if (l->count > 0)
            memcpy(more, l->first_numbers, l->count * sizeof *more);
        memory_free(l->first_numbers, l->room, sizeof *more);
        l->first_numbers = more;
        l->room = room;
    }
    l->first_numbers[l->count++] = number;
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

enum status segments_list(const struct disk *disk, struct segment_list *list)
{
    *list = (struct segment_list){0};
    enum status status = disk->list(disk->self, add, list);
    if (list->count > 0)
        qsort(list->first_numbers, list->count, sizeof *list->first_numbers, by_number);
    return status;
}

void segments_free(struct segment_list *list)
{
    memory_free(list->first_numbers, list->room, sizeof *list->first_numbers);
    *list = (struct segment_list){0};
}

struct measure {
    uint64_t count, size;
};

static void measure(void *to, const char *name, uint64_t size)
{
    struct measure *m = to;
    uint64_t number;
    if (!segment_name_read(name, &number))
        return;
    m->count++;
    m->size += size;
}

enum status segments_measure(const struct disk *disk, uint64_t *count, uint64_t *size)
{
    struct measure m = {0};
    enum status status = disk->list(disk->self, measure, &m);
    *count = m.count;
    *size = m.size;
    return status;
}

struct after {
    uint64_t number, found;
};

static void look_after(void *to, const char *name, uint64_t size)
{
    struct after *a = to;
    uint64_t number;
    (void)size;
    if (segment_name_read(name, &number) && number > a->number &&
        (a->found == 0 || number < a->found))
        a->found = number;
}

enum status segments_after(const struct disk *disk, uint64_t number, uint64_t *first_number)
{
    struct after a = {.number = number};
    enum status status = disk->list(disk->self, look_after, &a);
    *first_number = a.found;
    return status;
}
