'use strict';

// The side for tests, /_test/…: JSON in, JSON out, no authentication. README.rst lists the calls.

const express = require('express');
const chats = require('./chats');
const { StatusError } = require('./errors');
const { show: showClient } = require('./rest/clients');
const rooms = require('./rooms');
const seed = require('./seed');
const serialize = require('./serialize');
const stream = require('./stream');

// A room by its id or its URI.
function needRoom(store, name) {
  const room = store.rooms.get(name) || store.findRoomByUri(name);
  if (!room) throw new StatusError(404, `no room ${name}`);
  return room;
}

function needMessage(store, id) {
  const message = store.messages.get(id);
  if (!message) throw new StatusError(404, `no message ${id}`);
  return { message, room: store.rooms.get(message.roomId) };
}

function showUser({ id, username, displayName, removed }) {
  return { id, username, displayName, removed: Boolean(removed) };
}

function showRoom(store, room) {
  const names = (ids) => [...ids].map((id) => store.users.get(id)).filter(Boolean).map((one) => one.username);
  return {
    id: room.id,
    uri: room.uri || null,
    public: room.public,
    oneToOne: room.oneToOne,
    topic: room.topic,
    members: rooms.members(store, room).map((one) => one.username),
    admins: names(room.admins),
    bans: names(room.bans.keys()),
    messages: room.messages.length,
  };
}

// Finds the client by its key; without one the first is meant, which most tests have only one of.
function needClient(store, key) {
  const client = key ? store.clients.get(key) : store.clients.values().next().value;
  if (!client) throw new StatusError(404, 'no such OAuth client');
  return client;
}

function updateUser(store, { user: name, ...change }) {
  const user = seed.needUser(store, name);
  for (const key of ['username', 'displayName', 'shadowBanned', 'providerLost', 'staff', 'providers']) {
    if (change[key] !== undefined) user[key] = change[key];
  }
  user.v += 1;
  store.emit('userUpdated', user);
  return showUser(user);
}

// With `hard` no trace is left, so that messages have no sender any more.
function removeUser(store, { user: name, hard }) {
  const user = seed.needUser(store, name);
  user.removed = true;
  store.revokeTokensOf(user);
  for (const room of [...store.rooms.values()]) {
    if (room.oneToOne && room.perUser.has(user.id)) rooms.destroy(store, room);
    else if (rooms.isMember(room, user)) rooms.leave(store, room, user);
  }
  if (hard) store.users.delete(user.id);
  return {};
}

function post(store, { room: name, user, text, status, parentId, virtualUser, minutesAgo }) {
  const room = needRoom(store, name);
  const when = minutesAgo === undefined ? undefined : store.now() - minutesAgo * 60000;
  const sender = seed.needUser(store, user);
  const sent = chats.send(store, room, sender, { text, status, parentId, virtualUser, when });
  return serialize.message(store, sent);
}

function postMany(store, { room, user, texts }) {
  return { ids: texts.map((text) => post(store, { room, user, text }).id) };
}

function revoke(store, { user, client }) {
  const { id } = seed.needUser(store, user);
  const held = [...store.tokens.values()].filter((one) => one.userId === id && (!client || one.clientKey === client));
  for (const one of held) store.revokeToken(one.token);
  return { revoked: held.length };
}

function listTokens(store) {
  return [...store.tokens.values()].map(({ userId, clientKey }) => {
    const user = store.users.get(userId);
    return { user: user && user.username, client: clientKey };
  });
}

function changeSettings(store, wanted) {
  for (const key of Object.keys(wanted)) {
    if (!(key in store.settings)) throw new StatusError(400, `no setting ${key}`);
  }
  stream.checkSettings(wanted);
  Object.assign(store.settings, wanted);
  store.emit('settingsChanged');
  return store.settings;
}

function reset({ store, faye, streams, faults, log }, { seed: planted, redirectUri }) {
  faye.cutSockets();
  faye.forgetClients();
  streams.clear();
  faults.clear();
  log.clear();
  store.clear();
  if (planted) seed.plant(store, planted, redirectUri);
  return {};
}

// Calls that act on one room and one user.
function roomActions(store) {
  const on = (act) => (body) => {
    act(needRoom(store, body.room), body.user && seed.needUser(store, body.user), body);
    return showRoom(store, needRoom(store, body.room));
  };
  return {
    join: on((room, user) => rooms.enter(store, room, user)),
    leave: on((room, user) => rooms.leave(store, room, user)),
    hide: on((room, user) => rooms.hide(store, room, user)),
    ban: on((room, user) => rooms.ban(store, room, user)),
    unban: on((room, user) => room.bans.delete(user.id)),
    rename: (body) => {
      const room = needRoom(store, body.room);
      rooms.rename(store, room, body.uri);
      return showRoom(store, room);
    },
    topic: on((room, user, body) => rooms.setTopic(store, room, body.topic)),
    read: on((room, user, body) => chats.read(store, room, user, body.ids)),
    'delete-room': (body) => {
      rooms.destroy(store, needRoom(store, body.room));
      return {};
    },
  };
}

function storeActions(store) {
  return {
    user: (body) => showUser(store.addUser(body)),
    'update-user': (body) => updateUser(store, body),
    'remove-user': (body) => removeUser(store, body),
    group: (body) => ({ id: store.addGroup(body).id }),
    room: (body) => showRoom(store, seed.plantRoom(store, body)),
    'one-to-one': (body) => showRoom(store, seed.plantOneToOne(store, body.users)),
    post: (body) => post(store, body),
    'post-many': (body) => postMany(store, body),
    edit: (body) => {
      const { message, room } = needMessage(store, body.id);
      chats.edit(store, room, message, body.text);
      return serialize.message(store, message);
    },
    delete: (body) => {
      const { message, room } = needMessage(store, body.id);
      chats.remove(store, room, message);
      return {};
    },
    client: (body) => {
      const { redirectUri, canSkip, ...rest } = body;
      return showClient(store.addClient({ ...rest, registeredRedirectUri: redirectUri, canSkip }));
    },
    token: (body) => {
      const client = needClient(store, body.client);
      return { token: store.issueToken(seed.needUser(store, body.user), client) };
    },
    revoke: (body) => revoke(store, body),
    settings: (body) => changeSettings(store, body),
    restore: (body) => {
      store.restore(Buffer.from(body.state, 'base64'));
      return {};
    },
  };
}

function faultActions({ faye, faults }) {
  return {
    faults: (body) => faults.add(body),
    'faye/cut': () => ({ cut: faye.cutSockets() }),
    'faye/refuse': (body) => {
      faye.refuseFor(body.ms);
      return {};
    },
    'faye/lose': (body) => {
      faye.engine.loseNext(body.count, body.channel);
      return {};
    },
    'faye/forget': () => {
      faye.forgetClients();
      return {};
    },
  };
}

// A room that is not named means all rooms.
function streamActions({ store, streams }) {
  const roomOf = (body) => body.room && needRoom(store, body.room);
  return {
    'stream/cut': (body) => {
      const room = roomOf(body);
      return { cut: streams.cut((one) => !room || one.room === room) };
    },
    'stream/cut-inside': (body) => {
      streams.cutInside(body.count || 1, roomOf(body));
      return {};
    },
    'stream/pack': (body) => {
      streams.packNext(body.count, roomOf(body));
      return {};
    },
    'stream/refuse': (body) => {
      streams.refuse(body);
      return {};
    },
  };
}

function readings({ store, faye, streams, faults, log }) {
  return {
    users: () => [...store.users.values()].map(showUser),
    rooms: () => [...store.rooms.values()].map((room) => showRoom(store, room)),
    room: (query) => showRoom(store, needRoom(store, query.room)),
    messages: (query) => needRoom(store, query.room).messages.map((one) => serialize.message(store, one)),
    clients: () => [...store.clients.values()].map(({ name, clientKey }) => ({ name, clientKey })),
    tokens: () => listTokens(store),
    settings: () => store.settings,
    state: () => ({ state: store.save().toString('base64') }),
    faye: () => faye.list(),
    streams: () => streams.list(),
    faults: () => faults.list(),
    log: (query) => log.since(Number(query.since) || 0),
  };
}

function create(world) {
  const router = express.Router();
  router.use(express.json({ limit: '10mb' }));
  const actions = { ...storeActions(world.store), ...roomActions(world.store) };
  Object.assign(actions, faultActions(world), streamActions(world));
  actions.reset = (body) => reset(world, body);
  for (const [name, act] of Object.entries(actions)) {
    router.post(`/${name}`, (req, res) => res.json(act(req.body)));
  }
  for (const [name, read] of Object.entries(readings(world))) {
    router.get(`/${name}`, (req, res) => res.json(read(req.query)));
  }
  for (const name of ['log', 'faults']) {
    router.delete(`/${name}`, (req, res) => {
      world[name].clear();
      res.json({});
    });
  }
  router.use((req, res) => res.status(404).json({ error: 'no such call' }));
  // Express knows an error handler by its four parameters.
  router.use((error, req, res, next) => {
    if (res.headersSent) next(error);
    else res.status(error.status || 400).json({ error: error.message });
  });
  return router;
}

module.exports = { create };
