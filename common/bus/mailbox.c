#include "bus/mailbox.h"

#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/check.h"
#include "base/memory.h"

enum { LENGTH_SIZE = 8, SKIP = 0 }; /* a length of 0: the rest of the ring is left empty */

struct mailbox {
    pthread_mutex_t mutex;
    int event;
    uint8_t *ring;
    size_t size;
    uint64_t head, tail; /* bytes taken, bytes put; both modulo size are places in the ring */
    uint64_t borrowed;   /* of the ring by the message taken last */
};

mailbox_t *mailbox_new(size_t size)
{
    CHECK(size > 0 && size % 64 == 0);
    mailbox_t *m = memory_new(1, sizeof *m, "a mailbox");
    CHECK(pthread_mutex_init(&m->mutex, NULL) == 0);
    m->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(m->event >= 0);
    m->ring = memory_new(1, size, "a mailbox");
    m->size = size;
    return m;
}

void mailbox_destroy(mailbox_t **mailbox)
{
    mailbox_t *m = *mailbox;
    if (m == NULL)
        return;
    close(m->event);
    pthread_mutex_destroy(&m->mutex);
    memory_free(m->ring, 1, m->size);
    memory_free(m, 1, sizeof *m);
    *mailbox = NULL;
}

int mailbox_fd(const mailbox_t *m)
{
    return m->event;
}

static uint64_t taken_by(size_t size)
{
    return (LENGTH_SIZE + size + 7) & ~(uint64_t)7;
}

/* A place for so many bytes in one piece, or NULL. */
static uint8_t *reserve(mailbox_t *m, uint64_t need)
{
    uint64_t at = m->tail % m->size;
    uint64_t skipped = at + need > m->size ? m->size - at : 0;
    if (m->tail + skipped + need - m->head > m->size)
        return NULL;
    if (skipped > 0)
        memset(m->ring + at, SKIP, LENGTH_SIZE);
    m->tail += skipped;
    return m->ring + m->tail % m->size;
}

enum status mailbox_put(mailbox_t *m, const void *bytes, size_t size)
{
    uint64_t need = taken_by(size), length = size;
    CHECK(size > 0 && need <= m->size / 4);
    pthread_mutex_lock(&m->mutex);
    bool empty = m->tail == m->head + m->borrowed;
    uint8_t *place = reserve(m, need);
    if (place != NULL) {
        memcpy(place, &length, LENGTH_SIZE);
        memcpy(place + LENGTH_SIZE, bytes, size);
        m->tail += need;
    }
    pthread_mutex_unlock(&m->mutex);
    if (place == NULL)
        return STATUS_FULL;
    if (empty) { /* else the taker has been told already */
        uint64_t one = 1;
        CHECK(write(m->event, &one, sizeof one) == (ssize_t)sizeof one);
    }
    return STATUS_OK;
}

/* Under the mutex: the event is reset where the mailbox is seen empty, so that none is missed. */
static void reset_event(const mailbox_t *m)
{
    uint64_t count;
    ssize_t size = read(m->event, &count, sizeof count);
    (void)size; /* nothing to read: nobody has put anything since */
}

bool mailbox_take(mailbox_t *m, const uint8_t **bytes, size_t *size)
{
    uint64_t length = 0;
    pthread_mutex_lock(&m->mutex);
    m->head += m->borrowed;
    m->borrowed = 0;
    if (m->head != m->tail) {
        memcpy(&length, m->ring + m->head % m->size, LENGTH_SIZE);
        if (length == SKIP) {
            m->head += m->size - m->head % m->size;
            memcpy(&length, m->ring + m->head % m->size, LENGTH_SIZE);
        }
        *bytes = m->ring + m->head % m->size + LENGTH_SIZE;
        *size = (size_t)length;
        m->borrowed = taken_by(*size);
    } else {
        reset_event(m);
    }
    pthread_mutex_unlock(&m->mutex);
    return length > 0;
}
