'use strict';

// Turns what happens in the store into Faye deliveries, in Gitter's order.

const rooms = require('./rooms');
const serialize = require('./serialize');

const USERS_ANNOUNCED_MAX = 100;

class Announcer {
  constructor(store, faye) {
    this.store = store;
    this.faye = faye;
    const events = [
      'messageCreated', 'messageUpdated', 'messageRemoved', 'messageRead', 'unreadChanged', 'roomEntered',
      'roomListed', 'roomLeft', 'roomHidden', 'roomPatched', 'roomPatchedFor', 'roomDestroyed', 'roomVisited',
      'userUpdated', 'tokenRevoked',
    ];
    for (const event of events) store.on(event, (...args) => this[event](...args));
  }

  publish(channel, operation, model) {
    this.faye.publish(channel, { operation, model });
  }

  messageCreated(room, message) {
    this.publish(`/rooms/${room.id}/chatMessages`, 'create', serialize.message(this.store, message));
  }

  messageUpdated(room, message) {
    this.publish(`/rooms/${room.id}/chatMessages`, 'update', serialize.message(this.store, message));
  }

  messageRemoved(room, message) {
    this.publish(`/rooms/${room.id}/chatMessages`, 'remove', { id: message.id });
  }

  messageRead(room, { id, readBy, v }) {
    this.publish(`/rooms/${room.id}/chatMessages`, 'patch', { id, readBy: readBy.size, v });
  }

  // `added` are the messages just sent; without it some were read.
  unreadChanged(room, user, added) {
    const counts = serialize.counts(room, user);
    if (added) {
      const items = { notification: 'unread_items', items: { chat: added } };
      this.faye.publish(`/user/${user.id}/rooms/${room.id}/unreadItems`, items);
      const counter = { notification: 'troupe_unread', troupeId: room.id, totalUnreadItems: counts.unreadItems };
      this.faye.publish(`/user/${user.id}`, counter);
    }
    this.publish(`/user/${user.id}/rooms`, 'patch', counts);
  }

  roomListed(room, user) {
    this.publish(`/user/${user.id}/rooms`, 'create', serialize.room(this.store, room, user, 'list'));
  }

  roomEntered(room, user) {
    this.roomListed(room, user);
    if (rooms.members(this.store, room).length > USERS_ANNOUNCED_MAX) return;
    this.publish(`/rooms/${room.id}/users`, 'create', serialize.roomUser(this.store, room, user));
  }

  roomLeft(room, user) {
    this.faye.unsubscribe(user, room);
    this.publish(`/user/${user.id}/rooms`, 'remove', { id: room.id });
    this.publish(`/rooms/${room.id}/users`, 'remove', { id: user.id });
  }

  roomHidden(room, user) {
    this.publish(`/user/${user.id}/rooms`, 'remove', { id: room.id });
  }

  roomPatched(room, change) {
    const model = { id: room.id, ...change };
    if (!room.oneToOne) this.publish(`/rooms/${room.id}`, 'patch', model);
    for (const user of rooms.members(this.store, room)) this.publish(`/user/${user.id}/rooms`, 'patch', model);
  }

  roomPatchedFor(room, user, change) {
    this.publish(`/user/${user.id}/rooms`, 'patch', { id: room.id, ...change });
  }

  roomDestroyed(room) {
    this.publish(`/rooms/${room.id}`, 'remove', { id: room.id });
    for (const user of rooms.members(this.store, room)) {
      this.publish(`/user/${user.id}/rooms`, 'remove', { id: room.id });
    }
  }

  // Subscribing to a room counts as a visit. It is told after the answer to the subscription.
  roomVisited(room, user) {
    const state = room.perUser.get(user.id);
    if (!state) return;
    rooms.touch(this.store, room, user);
    const lastAccessTime = serialize.iso(state.lastAccess);
    setImmediate(() => this.roomPatchedFor(room, user, { lastAccessTime }));
  }

  userUpdated(user) {
    for (const room of this.store.rooms.values()) {
      if (!rooms.isMember(room, user)) continue;
      this.publish(`/rooms/${room.id}/users`, 'update', serialize.roomUser(this.store, room, user));
    }
  }

  tokenRevoked(token) {
    this.faye.publish(`/token/${token}`, { notification: 'token_revoked' });
    this.faye.endToken(token);
  }
}

module.exports = { Announcer };
