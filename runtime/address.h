/* runtime/address.h: which addresses a URL that strangers chose may lead to.
 *
 * Thread: any. Memory: arguments are borrowed.
 */
#ifndef GITTERD_RUNTIME_ADDRESS_H
#define GITTERD_RUNTIME_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/* True for addresses of the public internet: not ours, of our network, of a link, of a group, or
 * reserved (IANA special-purpose registries), nor IPv4 ones of that kind inside IPv6. */
bool address_is_public(const struct sockaddr *address);

#endif
