#include "runtime/rate.h"

#include "runtime/base/check.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
    MINUTE_MS = 60 * 1000,
    V6_BYTES = 16,
    V6_NETWORK_BYTES = 8,
    V6_MAPPED_BYTES = 12
};

/* An IPv6 address, or an IPv4 one in its form of IPv6: a socket that takes both shows it so (RFC
 * 4291, section 2.5.5.2). */
struct address {
    bool is_known;
    unsigned char bytes[V6_BYTES];
};

static const unsigned char mapped[V6_MAPPED_BYTES] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

/* Tokens are counted in parts of which a request costs MINUTE_MS, so that a millisecond brings a
 * whole number of them: per_minute. */
struct bucket {
    struct address client;
    int64_t parts;
    int64_t seen_ms;
};

struct rate {
    int64_t parts_max;
    int64_t per_minute;
    size_t count;
    struct bucket buckets[RATE_CLIENTS_MAX];
};

struct rate *rate_open(int64_t burst, int64_t per_minute)
{
    struct rate *rate = calloc(1, sizeof *rate);
    CHECK(rate != NULL && burst > 0 && per_minute > 0);
    CHECK(burst <= INT64_MAX / MINUTE_MS / 2 && per_minute <= INT64_MAX / MINUTE_MS / 2);
    rate->parts_max = burst * MINUTE_MS;
    rate->per_minute = per_minute;
    return rate;
}

void rate_close(struct rate *rate)
{
    free(rate);
}

static struct address parse(struct slice text)
{
    struct address address = {.is_known = false};
    char copy[INET6_ADDRSTRLEN];
    if (text.len == 0 || text.len >= sizeof copy || slice_find_byte(text, '\0') < text.len) {
        return address;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    memcpy(address.bytes, mapped, sizeof mapped);
    address.is_known = inet_pton(AF_INET, copy, address.bytes + sizeof mapped) == 1 ||
                       inet_pton(AF_INET6, copy, address.bytes) == 1;
    return address;
}

static struct address client_of(struct slice text)
{
    struct address client = parse(text);
    if (!client.is_known) {
        return (struct address){.is_known = false};
    }
    if (memcmp(client.bytes, mapped, sizeof mapped) != 0) {
        memset(client.bytes + V6_NETWORK_BYTES, 0, V6_BYTES - V6_NETWORK_BYTES);
    }
    return client;
}

static bool is_equal(const struct address *a, const struct address *b)
{
    return a->is_known == b->is_known && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool rate_is_address(struct slice text)
{
    return parse(text).is_known;
}

bool rate_is_same_address(struct slice a, struct slice b)
{
    const struct address left = parse(a);
    const struct address right = parse(b);
    return left.is_known && is_equal(&left, &right);
}

/* Its bucket, or a full one in the place of a new client. */
static struct bucket *find_bucket(struct rate *rate, const struct address *client, int64_t now_ms)
{
    struct bucket *quietest = &rate->buckets[0];
    for (size_t i = 0; i < rate->count; i++) {
        struct bucket *bucket = &rate->buckets[i];
        if (is_equal(&bucket->client, client)) {
            return bucket;
        }
        quietest = bucket->seen_ms < quietest->seen_ms ? bucket : quietest;
    }
    if (rate->count < RATE_CLIENTS_MAX) {
        quietest = &rate->buckets[rate->count++];
    }
    *quietest = (struct bucket){*client, rate->parts_max, now_ms};
    return quietest;
}

static void fill(const struct rate *rate, struct bucket *bucket, int64_t now_ms)
{
    const int64_t passed_ms = now_ms - bucket->seen_ms;
    const int64_t lacking = rate->parts_max - bucket->parts;
    bucket->seen_ms = now_ms;
    if (passed_ms <= 0) {
        return;
    }
    bucket->parts = passed_ms > lacking / rate->per_minute
                        ? rate->parts_max
                        : bucket->parts + passed_ms * rate->per_minute;
}

int64_t rate_take(struct rate *rate, struct slice address, int64_t now_ms)
{
    const struct address client = client_of(address);
    struct bucket *bucket = find_bucket(rate, &client, now_ms);
    fill(rate, bucket, now_ms);
    if (bucket->parts >= MINUTE_MS) {
        bucket->parts -= MINUTE_MS;
        return 0;
    }
    return (MINUTE_MS - bucket->parts + rate->per_minute - 1) / rate->per_minute;
}
