'use strict';

// The channels that can be subscribed to: who may, and the snapshot that the answer carries.

const chats = require('./chats');
const { groupsOf } = require('./rest/groups');
const { unreadOf } = require('./rest/users');
const rooms = require('./rooms');
const serialize = require('./serialize');

const SNAPSHOT_LIMIT = 30;
const SNAPSHOT_LIMIT_MAX = 100;
const USERS_LIMIT = 30;

function snapshotMessages({ store, room, user, options }) {
  const limit = chats.toLimit(options.limit, SNAPSHOT_LIMIT, SNAPSHOT_LIMIT_MAX);
  const threads = options.includeThreads === true || options.includeThreads === 'true';
  const before = options.beforeInclId;
  const wanted = (one) => (threads || !one.parentId) && (!before || one.id <= before);
  return room.messages.filter(wanted).slice(-limit).map((one) => serialize.message(store, one, user));
}

function snapshotUsers({ store, room, options }) {
  const limit = chats.toLimit(options.limit, USERS_LIMIT, USERS_LIMIT);
  return rooms.members(store, room).slice(0, limit).map((one) => serialize.roomUser(store, room, one));
}

function snapshotReaders({ store, room, match }) {
  const message = room.messages.find((one) => one.id === match[2]);
  const readers = message ? [...message.readBy] : [];
  return readers.map((id) => store.users.get(id)).filter(Boolean).map((one) => serialize.user(store, one));
}

function snapshotRooms({ store, user }) {
  return rooms.listFor(store, user).map((one) => serialize.room(store, one, user, 'list'));
}

function snapshotRoom({ store, room, user, asked }) {
  return asked ? serialize.room(store, room, user, 'show') : undefined;
}

function snapshotUnread({ store, user, match }) {
  const room = store.rooms.get(match[2]);
  return room && unreadOf(room, user);
}

const nothing = () => undefined;

const CHANNELS = [
  { path: /^\/api\/v1\/rooms\/([^/]+)$/, of: 'room', snapshot: snapshotRoom },
  { path: /^\/api\/v1\/rooms\/([^/]+)\/chatMessages$/, of: 'room', snapshot: snapshotMessages },
  { path: /^\/api\/v1\/rooms\/([^/]+)\/chatMessages\/([^/]+)\/readBy$/, of: 'room', snapshot: snapshotReaders },
  { path: /^\/api\/v1\/rooms\/([^/]+)\/events$/, of: 'room', snapshot: () => [] },
  { path: /^\/api\/v1\/rooms\/([^/]+)\/users$/, of: 'room', snapshot: snapshotUsers },
  { path: /^\/api\/v1\/user\/([^/]+)$/, of: 'user', snapshot: nothing },
  { path: /^\/api\/v1\/user\/([^/]+)\/rooms$/, of: 'user', snapshot: snapshotRooms },
  { path: /^\/api\/v1\/user\/([^/]+)\/groups$/, of: 'user', snapshot: ({ store, user }) => groupsOf(store, user) },
  { path: /^\/api\/v1\/user\/([^/]+)\/rooms\/([^/]+)\/unreadItems$/, of: 'user', snapshot: snapshotUnread },
  { path: /^\/api\/v1\/token\/([^/]+)$/, of: 'token', snapshot: nothing },
  { path: /^\/api\/v1\/ping$/, of: 'all', snapshot: nothing },
];

function lookUp(subscription) {
  for (const channel of CHANNELS) {
    const match = typeof subscription === 'string' && subscription.match(channel.path);
    if (match) return { channel, match };
  }
  return undefined;
}

function isAllowed(store, session, of, name) {
  if (of === 'all') return true;
  if (of === 'token') return name === session.token;
  const user = store.users.get(session.userId);
  if (of === 'user') return Boolean(user) && name === user.id;
  const room = store.rooms.get(name);
  return Boolean(room && user && rooms.canRead(room, user));
}

// Undefined if the session may subscribe, otherwise Gitter's text for the refusal.
function refusal(store, session, subscription) {
  const found = lookUp(subscription);
  if (!found) return `404::Unknown subscription ${subscription}`;
  const { channel, match } = found;
  const hexWanted = channel.of === 'room' || channel.of === 'user';
  if (hexWanted && !/^[0-9a-f]{24}$/i.test(match[1])) return `400::Invalid ID: ${match[1]}`;
  return isAllowed(store, session, channel.of, match[1]) ? undefined : '403::Authorisation denied.';
}

// `wish` is what the subscriber put into ext.snapshot; false asks for none.
function snapshot(store, session, subscription, wish) {
  if (wish === false) return undefined;
  const { channel, match } = lookUp(subscription);
  const options = wish && typeof wish === 'object' ? wish : {};
  const user = store.users.get(session.userId);
  const room = store.rooms.get(match[1]);
  return channel.snapshot({ store, room, user, match, options, asked: Boolean(wish) });
}

function roomOf(store, subscription) {
  const match = subscription.match(/^\/api\/v1\/rooms\/([^/]+)/);
  return match && store.rooms.get(match[1]);
}

module.exports = { refusal, roomOf, snapshot };
