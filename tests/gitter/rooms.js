'use strict';

// Rooms, who may do what in them, and the ways in and out.

const { StatusError } = require('./errors');
const { isId } = require('./ids');

function newPerUser(member) {
  return { member, unread: new Set(), mentions: new Set(), lurk: false, hidden: false };
}

function create(store, options) {
  const { uri, name, topic, members = [], admins = [], group } = options;
  const room = {
    id: store.newId(),
    uri,
    name,
    topic: topic || '',
    public: options.public !== false,
    oneToOne: Boolean(options.oneToOne),
    group,
    perUser: new Map(),
    admins: new Set(admins.map((user) => user.id)),
    bans: new Map(),
    messages: [],
    providers: options.providers,
    tags: options.tags || [],
    v: options.oneToOne ? undefined : 1,
  };
  for (const user of [...members, ...admins]) room.perUser.set(user.id, newPerUser(true));
  store.rooms.set(room.id, room);
  for (const userId of room.perUser.keys()) store.emit('roomEntered', room, store.users.get(userId));
  return room;
}

function createOneToOne(store, userA, userB) {
  const known = store.findOneToOne(userA, userB);
  return known || create(store, { oneToOne: true, public: false, members: [userA, userB] });
}

function perUser(room, user) {
  if (!room.perUser.has(user.id)) room.perUser.set(user.id, newPerUser(false));
  return room.perUser.get(user.id);
}

function isMember(room, user) {
  const entry = user && room.perUser.get(user.id);
  return Boolean(entry && entry.member);
}

function members(store, room) {
  const ids = [...room.perUser].filter(([, entry]) => entry.member).map(([id]) => id);
  return ids.map((id) => store.users.get(id)).filter(Boolean);
}

function otherUser(store, room, user) {
  const id = [...room.perUser.keys()].find((one) => one !== user.id);
  return store.users.get(id);
}

function isAdmin(room, user) {
  return room.admins.has(user.id) || Boolean(room.group && room.group.admins.has(user.username));
}

function canRead(room, user) {
  if (user && room.bans.has(user.id)) return false;
  return room.public || isMember(room, user);
}

function canWrite(room, user) {
  if (!user || !canRead(room, user)) return false;
  return !room.providers || room.providers.some((name) => user.providers.includes(name));
}

// The checks that every call below /rooms/:id passes first.
function gate(store, roomId, user, method) {
  if (!isId(roomId)) throw new StatusError(400, 'malformed room id');
  const room = store.rooms.get(roomId);
  if (!room) throw new StatusError(404, 'no such room');
  const allowed = method === 'GET' ? canRead(room, user) : canWrite(room, user);
  if (!allowed) throw new StatusError(user ? 403 : 401, 'no access');
  return room;
}

// Finds a room by its URI, or the one-to-one room with a user, which is made on demand. Never joins.
function resolve(store, uri, user) {
  if (typeof uri !== 'string' || !uri) throw new StatusError(400, 'no uri');
  const room = store.findRoomByUri(uri);
  if (room) {
    if (!canRead(room, user)) throw new StatusError(404, 'no access');
    return room;
  }
  if (store.renamedUris.has(uri.toLowerCase())) throw new StatusError(301, 'renamed');
  const other = store.findUser(uri);
  if (!other || other.id === user.id || other.removed) throw new StatusError(404, 'unknown');
  return createOneToOne(store, user, other);
}

function enter(store, room, user) {
  const entry = perUser(room, user);
  const shown = entry.member && !entry.hidden;
  entry.member = true;
  entry.hidden = false;
  if (!shown) store.emit('roomEntered', room, user);
}

function join(store, roomId, user) {
  if (!isId(roomId)) throw new StatusError(400, 'malformed or missing id');
  const room = store.rooms.get(roomId);
  if (!room) throw new StatusError(500, 'no such room');
  if (!canWrite(room, user)) throw new StatusError(403, 'banned, private or restricted');
  enter(store, room, user);
  touch(store, room, user);
  return room;
}

function leave(store, room, user) {
  const entry = room.perUser.get(user.id);
  if (!entry || !entry.member) throw new StatusError(404, 'not in the room');
  if (room.oneToOne) throw new StatusError(400, 'a one-to-one room cannot be left');
  room.perUser.delete(user.id);
  store.emit('roomLeft', room, user);
}

// Takes the room off the user's list. Membership ends only for one who has muted it.
function hide(store, room, user) {
  const entry = perUser(room, user);
  if (entry.lurk && !room.oneToOne) {
    leave(store, room, user);
    return;
  }
  entry.hidden = true;
  store.emit('roomHidden', room, user);
}

function ban(store, room, user, bannedBy) {
  const wasIn = room.perUser.delete(user.id);
  room.bans.set(user.id, { user, bannedBy, dateBanned: new Date(store.now()).toISOString() });
  if (wasIn) store.emit('roomLeft', room, user);
}

function rename(store, room, uri) {
  store.renamedUris.add(room.uri.toLowerCase());
  store.renamedUris.delete(uri.toLowerCase());
  room.uri = uri;
  room.v += 1;
}

function setTopic(store, room, topic) {
  room.topic = topic;
  room.v += 1;
  store.emit('roomPatched', room, { topic });
}

function destroy(store, room) {
  store.rooms.delete(room.id);
  for (const message of room.messages) store.messages.delete(message.id);
  store.emit('roomDestroyed', room);
}

function touch(store, room, user) {
  perUser(room, user).lastAccess = store.now();
}

// The rooms on a user's list: where they are, and where they were only mentioned.
function listFor(store, user) {
  return [...store.rooms.values()].filter((room) => {
    const entry = room.perUser.get(user.id);
    if (!entry || entry.hidden || room.bans.has(user.id)) return false;
    if (room.oneToOne) return Boolean(otherUser(store, room, user));
    return entry.member || entry.mentions.size > 0;
  });
}

module.exports = {
  ban, canRead, canWrite, create, createOneToOne, destroy, enter, gate, hide, isAdmin, isMember, join,
  leave, listFor, members, otherUser, perUser, rename, resolve, setTopic, touch,
};
