'use strict';

// /user and /users: the caller, their rooms and what they have not read.

const chats = require('../chats');
const { StatusError } = require('../errors');
const { isId } = require('../ids');
const rooms = require('../rooms');
const serialize = require('../serialize');
const { answer } = require('./answers');

const MODES = { all: false, announcement: true, mention: true, mute: true };

// The path names the caller, by id or as `me`; anybody else is refused.
function own(req) {
  if (!req.user) throw new StatusError(401);
  const { userId } = req.params;
  if (userId !== 'me' && userId !== req.user.id) throw new StatusError(403);
  return req.user;
}

function full(store, user) {
  return serialize.user(store, user, { providers: user.providers });
}

function search(store, req) {
  const wanted = String(req.query.q).toLowerCase();
  const skip = parseInt(req.query.skip, 10) || 0;
  const limit = chats.toLimit(req.query.limit, 10, 100);
  const hit = (user) => `${user.username} ${user.displayName}`.toLowerCase().includes(wanted);
  const found = [...store.users.values()].filter(hit).slice(skip, skip + limit);
  return { results: found.map((user) => serialize.user(store, user)) };
}

function ownRoom(store, req) {
  const user = own(req);
  if (!isId(req.params.roomId)) throw new StatusError(400);
  const room = store.rooms.get(req.params.roomId);
  if (!room) throw new StatusError(404);
  if (room.bans.has(user.id)) throw new StatusError(403);
  return { room, user };
}

function updateRoom(store, req) {
  const { room, user } = ownRoom(store, req);
  const state = rooms.perUser(room, user);
  const { favourite, updateLastAccess, mode } = req.body;
  if (favourite !== undefined) state.favourite = favourite ? Number(favourite) : undefined;
  if (mode !== undefined) {
    if (!(mode in MODES)) throw new StatusError(400);
    state.lurk = MODES[mode];
    store.emit('roomPatchedFor', room, user, { lurk: state.lurk });
  }
  if (updateLastAccess) {
    rooms.touch(store, room, user);
    store.emit('roomPatchedFor', room, user, { lastAccessTime: serialize.iso(state.lastAccess) });
  }
  const accept = req.headers.accept || '*/*';
  return accept === '*/*' ? undefined : serialize.room(store, room, user, 'list');
}

function unreadOf(room, user) {
  const state = rooms.perUser(room, user);
  return { chat: [...state.unread], mention: [...state.mentions] };
}

function markRead(store, req) {
  const { room, user } = ownRoom(store, req);
  const ids = [req.body.chat, req.body.mention].filter(Array.isArray).flat();
  if (ids.length === 0) throw new StatusError(400);
  chats.read(store, room, user, ids);
  return { success: true };
}

// Marks all as read without recording who read it.
function forgetUnread(store, req) {
  const { room, user } = ownRoom(store, req);
  const state = rooms.perUser(room, user);
  state.unread.clear();
  state.mentions.clear();
  store.emit('unreadChanged', room, user);
  return { success: true };
}

function unreadRooms(store, user) {
  const listed = rooms.listFor(store, user).map((room) => ({ ...serialize.counts(room, user), uri: room.uri }));
  return listed.filter((one) => one.unreadItems > 0 || one.mentions > 0);
}

function find(store, username) {
  const user = store.findUser(username);
  if (!user) throw new StatusError(404);
  return user;
}

function mountRooms(router, store) {
  const listed = (user) => rooms.listFor(store, user).map((one) => serialize.room(store, one, user, 'list'));
  router.get('/user/:userId/rooms', answer((req) => listed(own(req))));
  router.post('/user/:userId/rooms', answer((req) => {
    const user = own(req);
    return serialize.room(store, rooms.join(store, req.body.id, user), user, 'join');
  }));
  router.patch('/user/:userId/rooms/:roomId', answer((req) => updateRoom(store, req)));
  router.put('/user/:userId/rooms/:roomId', answer((req) => updateRoom(store, req)));
  router.delete('/user/:userId/rooms/:roomId', answer((req) => {
    const { room, user } = ownRoom(store, req);
    rooms.hide(store, room, user);
    return { success: true };
  }));
}

function mountUnread(router, store) {
  const path = '/user/:userId/rooms/:roomId/unreadItems';
  router.get('/user/:userId/unreadItems', answer((req) => unreadRooms(store, own(req))));
  router.get(path, answer((req) => {
    const { room, user } = ownRoom(store, req);
    return unreadOf(room, user);
  }));
  router.post(path, answer((req) => markRead(store, req)));
  router.delete(`${path}/all`, answer((req) => forgetUnread(store, req)));
}

function mount(router, store) {
  router.get('/user', answer((req) => {
    if (req.query.q !== undefined) return search(store, req);
    if (!req.user) throw new StatusError(403);
    return [full(store, req.user)];
  }));
  router.get('/user/:userId', answer((req) => full(store, own(req))));
  router.get('/users/:username', answer((req) => serialize.profile(store, find(store, req.params.username))));
  for (const nothing of ['repos', 'orgs', 'channels']) {
    router.get(`/user/:userId/${nothing}`, answer((req) => own(req) && []));
  }
  mountRooms(router, store);
  mountUnread(router, store);
}

module.exports = { mount, unreadOf };
