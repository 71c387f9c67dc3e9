#include "runtime/address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct network {
    unsigned char prefix[16];
    unsigned bits;
};

static const struct network closed_v4[] = {
    {{0}, 8},
    {{10}, 8},
    {{100, 64}, 10},
    {{127}, 8},
    {{169, 254}, 16},
    {{172, 16}, 12},
    {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},
    {{192, 88, 99}, 24},
    {{192, 168}, 16},
    {{198, 18}, 15},
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 3}, /* groups, and what is reserved behind them */
};

/* Only 2000::/3 is given out; of that, these are not for us. */
static const struct network open_v6 = {{0x20}, 3};
static const struct network closed_v6[] = {
    {{0x20, 0x01, 0x00}, 23},       /* protocols, Teredo among them */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* examples */
    {{0x20, 0x02}, 16},             /* 6to4: any IPv4 address may be inside */
    {{0x3f, 0xff}, 20},             /* examples */
};

static bool is_in(const unsigned char *bytes, const struct network *network)
{
    const unsigned whole = network->bits / 8;
    const unsigned rest = network->bits % 8;
    const unsigned mask = rest == 0 ? 0 : (0xff00U >> rest) & 0xffU;
    return memcmp(bytes, network->prefix, whole) == 0 &&
           (bytes[whole] & mask) == (network->prefix[whole] & mask);
}

#define IS_IN_ANY(bytes, networks)                                                                 \
    is_in_any((bytes), (networks), sizeof(networks) / sizeof((networks)[0]))

static bool is_in_any(const unsigned char *bytes, const struct network *networks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (is_in(bytes, &networks[i])) {
            return true;
        }
    }
    return false;
}

/* IPv4 in the form ::ffff:a.b.c.d is what it stands for. */
static bool is_public_v6(const unsigned char *bytes)
{
    static const struct network mapped = {{[10] = 0xff, [11] = 0xff}, 96};
    if (is_in(bytes, &mapped)) {
        return !IS_IN_ANY(bytes + 12, closed_v4);
    }
    return is_in(bytes, &open_v6) && !IS_IN_ANY(bytes, closed_v6);
}

bool address_is_public(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        unsigned char bytes[17] = {0};
        memcpy(&v4, address, sizeof v4);
        memcpy(bytes, &v4.sin_addr, 4);
        return !IS_IN_ANY(bytes, closed_v4);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        unsigned char bytes[17] = {0};
        memcpy(&v6, address, sizeof v6);
        memcpy(bytes, &v6.sin6_addr, 16);
        return is_public_v6(bytes);
    }
    return false;
}
