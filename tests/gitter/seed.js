'use strict';

// Plants users, rooms, history and OAuth clients from a description such as demo.json.

const chats = require('./chats');
const { StatusError } = require('./errors');
const rooms = require('./rooms');

const MINUTE_MS = 60000;

function needUser(store, username) {
  const user = store.findUser(username);
  if (!user) throw new StatusError(404, `no user ${username}`);
  return user;
}

// Makes the room's group on the way, if its URI names a new one.
function plantRoom(store, options) {
  const { uri, members = [], admins = [], ...rest } = options;
  if (!uri || store.findRoomByUri(uri)) throw new StatusError(400, 'room URI missing or taken');
  const groupUri = uri.split('/')[0];
  const group = store.findGroup(groupUri) || store.addGroup({ uri: groupUri });
  const users = (names) => names.map((name) => needUser(store, name));
  return rooms.create(store, { ...rest, uri, group, members: users(members), admins: users(admins) });
}

function plantOneToOne(store, names) {
  const [userA, userB] = names.map((name) => needUser(store, name));
  return rooms.createOneToOne(store, userA, userB);
}

function plantMessages(store, room, messages) {
  for (const { user, minutesAgo = 0, ...rest } of messages) {
    const when = store.now() - minutesAgo * MINUTE_MS;
    chats.send(store, room, needUser(store, user), { ...rest, when });
  }
}

function plantAccess(store, room, accessMinutesAgo) {
  for (const [name, minutes] of Object.entries(accessMinutesAgo)) {
    rooms.perUser(room, needUser(store, name)).lastAccess = store.now() - minutes * MINUTE_MS;
  }
}

function plant(store, seed, redirectUri) {
  for (const user of seed.users || []) store.addUser(user);
  for (const group of seed.groups || []) store.addGroup(group);
  for (const { messages = [], accessMinutesAgo = {}, users, ...options } of seed.rooms || []) {
    const room = users ? plantOneToOne(store, users) : plantRoom(store, options);
    plantMessages(store, room, messages);
    plantAccess(store, room, accessMinutesAgo);
  }
  for (const client of seed.clients || []) {
    store.addClient({ ...client, registeredRedirectUri: redirectUri || client.registeredRedirectUri });
  }
}

module.exports = { needUser, plant, plantOneToOne, plantRoom };
