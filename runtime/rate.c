#include "runtime/rate.h"

#include "runtime/base/check.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

enum {
    MINUTE_MS = 60 * 1000,
    V6_NETWORK_BYTES = 8
};

/* Which client: an IPv4 address, or the network of an IPv6 one. */
struct client {
    unsigned char family; /* 0, 4 or 6 */
    unsigned char bytes[V6_NETWORK_BYTES];
};

/* Tokens are counted in parts of which a request costs MINUTE_MS, so that a millisecond brings a
 * whole number of them: per_minute. */
struct bucket {
    struct client client;
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

/* An IPv4 client of a socket that takes both is the same client (RFC 4291, section 2.5.5.2). */
static struct client client_of(struct slice address)
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    struct client client = {0};
    char text[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    if (address.len == 0 || address.len >= sizeof text) {
        return client;
    }
    memcpy(text, address.ptr, address.len);
    text[address.len] = '\0';
    if (inet_pton(AF_INET, text, bytes) == 1) {
        client.family = 4;
        memcpy(client.bytes, bytes, 4);
    } else if (inet_pton(AF_INET6, text, bytes) == 1) {
        const bool is_mapped = memcmp(bytes, mapped, sizeof mapped) == 0;
        client.family = is_mapped ? 4 : 6;
        memcpy(client.bytes, is_mapped ? bytes + sizeof mapped : bytes,
               is_mapped ? 4 : V6_NETWORK_BYTES);
    }
    return client;
}

bool rate_is_address(struct slice text)
{
    return slice_find_byte(text, '\0') == text.len && client_of(text).family != 0;
}

static bool client_equal(const struct client *a, const struct client *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* Its bucket, or a full one in the place of a new client. */
static struct bucket *find_bucket(struct rate *rate, const struct client *client, int64_t now_ms)
{
    struct bucket *quietest = &rate->buckets[0];
    for (size_t i = 0; i < rate->count; i++) {
        struct bucket *bucket = &rate->buckets[i];
        if (client_equal(&bucket->client, client)) {
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
    const struct client client = client_of(address);
    struct bucket *bucket = find_bucket(rate, &client, now_ms);
    fill(rate, bucket, now_ms);
    if (bucket->parts >= MINUTE_MS) {
        bucket->parts -= MINUTE_MS;
        return 0;
    }
    return (MINUTE_MS - bucket->parts + rate->per_minute - 1) / rate->per_minute;
}
