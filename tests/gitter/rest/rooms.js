'use strict';

// /rooms: resolve, show, change, users, bans.

const chats = require('../chats');
const { StatusError } = require('../errors');
const rooms = require('../rooms');
const { findRooms } = require('../search');
const serialize = require('../serialize');
const { answer } = require('./answers');

const USERS_LIMIT = 30;
const USERS_LIMIT_MAX = 100;
const SEARCH_LIMIT = 10;
const SEARCH_LIMIT_MAX = 100;

function needUser(req) {
  if (!req.user) throw new StatusError(401);
  return req.user;
}

function needAdmin(req) {
  if (!rooms.isAdmin(req.room, needUser(req))) throw new StatusError(403);
}

function listUsers(store, req) {
  if (req.query.q && !req.room.oneToOne) throw new StatusError(500, 'there is no search engine');
  const skip = parseInt(req.query.skip, 10) || 0;
  const limit = chats.toLimit(req.query.limit, USERS_LIMIT, USERS_LIMIT_MAX);
  const page = rooms.members(store, req.room).slice(skip, skip + limit);
  return page.map((one) => serialize.roomUser(store, req.room, one));
}

function addUser(store, req) {
  const user = store.findUser(req.body.username);
  if (!user) throw new StatusError(404);
  if (!rooms.isMember(req.room, req.user) || req.room.bans.has(user.id)) throw new StatusError(403);
  rooms.enter(store, req.room, user);
  return serialize.user(store, user);
}

// Leaves the room, or removes another. The word `me` is not understood here.
function removeUser(store, req) {
  const byName = req.query.type === 'username';
  const user = byName ? store.findUser(req.params.userId) : store.users.get(req.params.userId);
  if (!user) throw new StatusError(404);
  if (user.id !== needUser(req).id) needAdmin(req);
  rooms.leave(store, req.room, user);
  return { success: true };
}

function update(store, req) {
  needAdmin(req);
  const { topic, noindex, tags, providers } = req.body;
  if (noindex !== undefined) req.room.noindex = Boolean(noindex);
  if (tags !== undefined) req.room.tags = [].concat(tags);
  if (providers !== undefined) req.room.providers = providers.length > 0 ? [].concat(providers) : undefined;
  if (topic !== undefined) rooms.setTopic(store, req.room, String(topic));
  return serialize.room(store, req.room, req.user, 'show');
}

function destroy(store, req) {
  needAdmin(req);
  if (req.room.oneToOne) throw new StatusError(400);
  rooms.destroy(store, req.room);
  return { success: true };
}

function showBan(store, entry) {
  const by = entry.bannedBy && serialize.user(store, entry.bannedBy);
  return { user: serialize.user(store, entry.user), bannedBy: by, dateBanned: entry.dateBanned };
}

// In a private room a ban only removes.
function ban(store, req, res) {
  needAdmin(req);
  const user = store.findUser(req.body.username);
  if (!user) throw new StatusError(404);
  if (!req.room.public) {
    if (rooms.isMember(req.room, user)) rooms.leave(store, req.room, user);
    res.status(202);
    return { removed: true };
  }
  rooms.ban(store, req.room, user, req.user);
  return showBan(store, req.room.bans.get(user.id));
}

function unban(store, req) {
  needAdmin(req);
  const user = store.findUser(req.params.username);
  if (!user || !req.room.bans.delete(user.id)) throw new StatusError(404);
  return { success: true };
}

function mountUsers(router, store) {
  router.get('/rooms/:roomId/users', answer((req) => listUsers(store, req)));
  router.post('/rooms/:roomId/users', answer((req) => addUser(store, req)));
  router.delete('/rooms/:roomId/users/:userId', answer((req) => removeUser(store, req)));
  const bans = (req) => [...req.room.bans.values()].map((one) => showBan(store, one));
  router.get('/rooms/:roomId/bans', answer(bans));
  router.post('/rooms/:roomId/bans', answer((req, res) => ban(store, req, res)));
  router.delete('/rooms/:roomId/bans/:username', answer((req) => unban(store, req)));
}

function search(store, req, user) {
  const skip = parseInt(req.query.skip, 10) || 0;
  const limit = chats.toLimit(req.query.limit, SEARCH_LIMIT, SEARCH_LIMIT_MAX);
  const found = findRooms(store, user, req.query.q).slice(skip, skip + limit);
  return { results: found.map((one) => serialize.room(store, one, user, 'list')) };
}

function mount(router, store) {
  router.get('/rooms', answer((req) => {
    const user = needUser(req);
    if (req.query.q) return search(store, req, user);
    return rooms.listFor(store, user).map((one) => serialize.room(store, one, user, 'list'));
  }));
  router.post('/rooms', answer((req) => {
    const user = needUser(req);
    const room = rooms.resolve(store, req.body.uri || req.query.uri, user);
    return serialize.room(store, room, user, 'resolve');
  }));
  router.use('/rooms/:roomId', (req, res, next) => {
    req.room = rooms.gate(store, req.params.roomId, req.user, req.method);
    next();
  });
  router.get('/rooms/:roomId', answer((req) => serialize.room(store, req.room, needUser(req), 'show')));
  router.put('/rooms/:roomId', answer((req) => update(store, req)));
  router.delete('/rooms/:roomId', answer((req) => destroy(store, req)));
  router.get('/rooms/:roomId/events', answer(() => []));
  mountUsers(router, store);
}

module.exports = { mount };
