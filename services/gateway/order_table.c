#include "gateway/order_table.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/check.h"
#include "base/memory.h"
#include "base/mix.h"

enum {
    OPEN_MAX = 1 << 30,     /* so that numbers of rows and accounts stay far from their end */
    FINISHED_MAX = 1 << 26, /* of all accounts; so many rows are some 16 GB */
    /* Of one index. Each bucket in use makes a page real, so tables as wide as the rows, which
     * mostly are not used, would cost more than the rows: 64 MiB are enough for chains of four
     * when FINISHED_MAX orders are there. */
    BUCKETS_MAX = 1 << 24,
    RUNS_MAX = 32, /* 2^32 runs make more rows than there are */
};

/* ---- memory ---- */

static uint32_t *buckets_new(uint64_t count_max, uint64_t *mask, const char *what)
{
    uint64_t buckets = 16;
    while (buckets < count_max && buckets < BUCKETS_MAX)
        buckets *= 2;
    *mask = buckets - 1;
    return memory_new(buckets, sizeof(uint32_t), what);
}

void order_table_init(struct order_table *t, const struct orders_limits *limits)
{
    uwide_t finished = (uwide_t)limits->accounts_max * limits->finished_per_account;
    *t = (struct order_table){.limits = *limits, .row_fresh = 1, .account_fresh = 1};
    CHECK(limits->shard_count >= 1 && limits->shard_count <= ORDERS_SHARDS_MAX);
    CHECK(limits->open_max <= OPEN_MAX && limits->accounts_max <= OPEN_MAX);
    t->finished_max = finished < FINISHED_MAX ? (uint32_t)finished : FINISHED_MAX;
    t->row_max = limits->open_max + t->finished_max;
    t->rows = memory_new((size_t)t->row_max + 1, sizeof *t->rows, "orders");
    t->by_id = buckets_new(t->row_max, &t->by_id_mask, "order ids");
    t->by_label = buckets_new(t->row_max, &t->by_label_mask, "client order ids");
    t->accounts = memory_new((size_t)limits->accounts_max + 1, sizeof *t->accounts, "accounts");
    t->by_name = buckets_new(limits->accounts_max, &t->by_name_mask, "accounts");
}

void order_table_close(struct order_table *t)
{
    memory_free(t->rows, (size_t)t->row_max + 1, sizeof *t->rows);
    memory_free(t->by_id, t->by_id_mask + 1, sizeof *t->by_id);
    memory_free(t->by_label, t->by_label_mask + 1, sizeof *t->by_label);
    memory_free(t->accounts, (size_t)t->limits.accounts_max + 1, sizeof *t->accounts);
    memory_free(t->by_name, t->by_name_mask + 1, sizeof *t->by_name);
    *t = (struct order_table){0};
}

/* ---- by id ---- */

/* The ids of a shard are near-consecutive: their low bits choose, from a start of the shard's own.
 * The matchers make them, so nobody can choose ones that collide. */
static uint32_t *id_bucket(const struct order_table *t, uint64_t order_id)
{
    return &t->by_id[(order_id + mix(order_id >> 48)) & t->by_id_mask];
}

uint32_t order_table_find(const struct order_table *t, uint64_t order_id)
{
    uint32_t row = *id_bucket(t, order_id);
    while (row != 0 && t->rows[row].order.order_id != order_id)
        row = t->rows[row].id_next;
    return row;
}

static void id_add(struct order_table *t, uint32_t row)
{
    uint32_t *head = id_bucket(t, t->rows[row].order.order_id);
    t->rows[row].id_next = *head;
    *head = row;
}

static void id_remove(struct order_table *t, uint32_t row)
{
    uint32_t *link = id_bucket(t, t->rows[row].order.order_id);
    while (*link != row)
        link = &t->rows[*link].id_next;
    *link = t->rows[row].id_next;
}

/* ---- by label ---- */

static uint32_t *label_bucket(const struct order_table *t, uint32_t account, struct text id)
{
    uint64_t hash = XXH3_64bits_withSeed(id.data, id.size, t->limits.hash_seed + account);
    return &t->by_label[hash & t->by_label_mask];
}

uint32_t order_table_find_label(const struct order_table *t, uint32_t account, struct text id)
{
    uint32_t row = id.size == 0 ? 0 : *label_bucket(t, account, id);
    while (row != 0 && (t->rows[row].account != account ||
                        !text_equal(text_of(t->rows[row].order.client_order_id), id)))
        row = t->rows[row].label_next;
    return row;
}

static void label_add(struct order_table *t, uint32_t row)
{
    struct order_row *r = &t->rows[row];
    if (r->order.client_order_id[0] == '\0')
        return;
    uint32_t *head = label_bucket(t, r->account, text_of(r->order.client_order_id));
    r->label_prev = 0;
    r->label_next = *head;
    t->rows[*head].label_prev = row; /* row 0 is nobody's */
    *head = row;
}

/* Linked both ways, because a label used again and again is one long chain, the oldest last. */
static void label_remove(struct order_table *t, uint32_t row)
{
    struct order_row *r = &t->rows[row];
    if (r->order.client_order_id[0] == '\0')
        return;
    if (r->label_prev != 0)
        t->rows[r->label_prev].label_next = r->label_next;
    else
        *label_bucket(t, r->account, text_of(r->order.client_order_id)) = r->label_next;
    t->rows[r->label_next].label_prev = r->label_prev;
}

/* ---- accounts ---- */

static uint32_t *name_bucket(const struct order_table *t, unsigned shard, struct text name)
{
    uint64_t hash = XXH3_64bits_withSeed(name.data, name.size, t->limits.hash_seed + shard);
    return &t->by_name[hash & t->by_name_mask];
}

static struct text account_name(const struct order_account *a)
{
    return (struct text){a->name, a->name_size};
}

uint32_t order_table_find_account(const struct order_table *t, unsigned shard, struct text name)
{
    uint32_t n = *name_bucket(t, shard, name);
    while (n != 0 &&
           (t->accounts[n].shard != shard || !text_equal(account_name(&t->accounts[n]), name)))
        n = t->accounts[n].bucket_next;
    return n;
}

/* The account, new if it was never seen; 0: there are too many. */
static uint32_t account_take(struct order_table *t, unsigned shard, struct text name)
{
    uint32_t n = order_table_find_account(t, shard, name);
    if (n != 0)
        return n;
    n = t->account_free;
    if (n != 0)
        t->account_free = t->accounts[n].shard_next;
    else if (t->account_fresh <= t->limits.accounts_max)
        n = t->account_fresh++;
    else
        return 0;
    uint32_t *head = name_bucket(t, shard, name);
    struct order_account *a = &t->accounts[n];
    *a = (struct order_account){.name_size = (uint8_t)name.size,
                                .shard = (uint8_t)shard,
                                .bucket_next = *head,
                                .shard_next = t->shard_accounts[shard]};
    memcpy(a->name, name.data, name.size);
    *head = n;
    t->shard_accounts[shard] = n;
    return n;
}

static void account_free(struct order_table *t, uint32_t account)
{
    struct order_account *a = &t->accounts[account];
    uint32_t *link = name_bucket(t, a->shard, account_name(a));
    while (*link != account)
        link = &t->accounts[*link].bucket_next;
    *link = a->bucket_next;
    a->shard_next = t->account_free;
    t->account_free = account;
}

/* ---- rows ---- */

static uint32_t row_take(struct order_table *t)
{
    uint32_t row = t->row_free;
    if (row != 0)
        t->row_free = t->rows[row].id_next;
    else if (t->row_fresh <= t->row_max)
        row = t->row_fresh++;
    return row;
}

/* Out of both indexes, and free. */
static void row_release(struct order_table *t, uint32_t row)
{
    id_remove(t, row);
    label_remove(t, row);
    t->rows[row].id_next = t->row_free;
    t->row_free = row;
}

static void account_append(struct order_table *t, uint32_t row)
{
    struct order_row *r = &t->rows[row];
    struct order_account *a = &t->accounts[r->account];
    struct order_row *before = &t->rows[a->newest];
    r->older = a->newest;
    r->newer = 0;
    if (a->newest == 0) {
        a->oldest = row;
        a->unsorted = false;
    } else {
        before->newer = row;
        a->unsorted |=
            orders_place_before(live_order_place(&r->order), live_order_place(&before->order));
    }
    a->newest = row;
}

static void account_remove(struct order_table *t, uint32_t row)
{
    struct order_row *r = &t->rows[row];
    struct order_account *a = &t->accounts[r->account];
    *(r->older != 0 ? &t->rows[r->older].newer : &a->oldest) = r->newer;
    *(r->newer != 0 ? &t->rows[r->newer].older : &a->newest) = r->older;
}

uint32_t order_table_add(struct order_table *t, const struct live_order *order)
{
    uint32_t account = account_take(t, order->shard, text_of(order->account));
    uint32_t row = account == 0 ? 0 : row_take(t);
    if (row == 0)
        return 0;
    t->rows[row] = (struct order_row){.order = *order, .account = account};
    id_add(t, row);
    label_add(t, row);
    account_append(t, row);
    t->open_count++;
    return row;
}

/* ---- finished ones ---- */

static void finished_insert(struct order_table *t, struct order_account *a, uint32_t row,
                            bool before_last)
{
    struct order_row *r = &t->rows[row];
    r->finished_next = before_last ? a->finished_tail : 0;
    r->finished_prev =
        r->finished_next != 0 ? t->rows[r->finished_next].finished_prev : a->finished_tail;
    *(r->finished_prev != 0 ? &t->rows[r->finished_prev].finished_next : &a->finished_head) = row;
    *(r->finished_next != 0 ? &t->rows[r->finished_next].finished_prev : &a->finished_tail) = row;
    a->finished_count++;
    t->finished_count++;
}

static void forget_oldest(struct order_table *t, struct order_account *a)
{
    uint32_t row = a->finished_head;
    a->finished_head = t->rows[row].finished_next;
    *(a->finished_head != 0 ? &t->rows[a->finished_head].finished_prev : &a->finished_tail) = 0;
    a->finished_count--;
    t->finished_count--;
    account_remove(t, row);
    row_release(t, row);
}

bool order_table_finish(struct order_table *t, uint32_t row, bool before_last)
{
    struct order_account *a = &t->accounts[t->rows[row].account];
    t->open_count--;
    finished_insert(t, a, row, before_last);
    bool full = false;
    if (a->finished_count > t->limits.finished_per_account) {
        forget_oldest(t, a);
    } else if (t->finished_count > t->finished_max) {
        forget_oldest(t, a);
        full = true;
    }
    return full;
}

/* ---- a shard ---- */

static void account_forget(struct order_table *t, uint32_t account)
{
    const struct order_account *a = &t->accounts[account];
    t->finished_count -= a->finished_count;
    for (uint32_t row = a->oldest, newer; row != 0; row = newer) {
        newer = t->rows[row].newer;
        t->open_count -= live_order_open(&t->rows[row].order);
        row_release(t, row);
    }
    account_free(t, account);
}

void order_table_reset(struct order_table *t, unsigned shard)
{
    for (uint32_t n = t->shard_accounts[shard], next; n != 0; n = next) {
        next = t->accounts[n].shard_next;
        account_forget(t, n);
    }
    t->shard_accounts[shard] = 0;
}

/* ---- order ---- */

/* Two lists in order become one; rows of a before equal ones of b. */
static uint32_t merge(struct order_row *rows, uint32_t a, uint32_t b)
{
    uint32_t head = 0;
    uint32_t *link = &head;
    while (a != 0 && b != 0) {
        bool second =
            orders_place_before(live_order_place(&rows[b].order), live_order_place(&rows[a].order));
        uint32_t *least = second ? &b : &a;
        *link = *least;
        link = &rows[*least].newer;
        *least = *link;
    }
    *link = a != 0 ? a : b;
    return head;
}

/* Cut the rows that stand in order off the front of the list. */
static uint32_t cut_run(struct order_row *rows, uint32_t *list)
{
    uint32_t run = *list, last = run;
    while (rows[last].newer != 0 &&
           !orders_place_before(live_order_place(&rows[rows[last].newer].order),
                                live_order_place(&rows[last].order)))
        last = rows[last].newer;
    *list = rows[last].newer;
    rows[last].newer = 0;
    return run;
}

/* A merge sort of the runs there are: a snapshot has one long run, of the open orders, and among
 * the finished ones many. runs[i] is made of 2^i. */
void order_table_sort(struct order_table *t, uint32_t account)
{
    struct order_account *a = &t->accounts[account];
    if (!a->unsorted)
        return;
    uint32_t runs[RUNS_MAX] = {0};
    uint32_t list = a->oldest;
    while (list != 0) {
        uint32_t run = cut_run(t->rows, &list);
        unsigned i = 0;
        for (; runs[i] != 0; i++) {
            run = merge(t->rows, runs[i], run);
            runs[i] = 0;
        }
        runs[i] = run;
    }
    for (unsigned i = 0; i < RUNS_MAX; i++)
        list = merge(t->rows, runs[i], list);
    a->oldest = list;
    a->newest = 0;
    for (; list != 0; list = t->rows[list].newer) {
        t->rows[list].older = a->newest;
        a->newest = list;
    }
    a->unsorted = false;
}
