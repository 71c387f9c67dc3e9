'use strict';

// Everything the simulated server knows, in memory, with the plain look-ups. Rules about rooms are
// in rooms.js, rules about messages in chats.js; both announce changes as events of this object,
// which faye-events.js turns into deliveries.

const crypto = require('crypto');
const v8 = require('v8');
const { EventEmitter } = require('events');
const { Ids } = require('./ids');
const { StatusError } = require('./errors');

const DAY_MS = 86400000;

const SETTINGS = {
  rateLimit: 100,
  rateWindowMs: 60000,
  refuseChunked: true,
  editWindowMs: 600000,
  timeOffsetMs: 0,
  spamFilter: false,
  searchEngine: false,
  streamSeparator: '\n',
  streamKeepAliveMs: 30000,
  streamChunkBytes: 0,
  streamDelayMs: 0,
  streamEdits: false,
};

const KEPT = ['users', 'groups', 'rooms', 'messages', 'clients', 'tokens', 'codes', 'renamedUris', 'repeats'];

function newSecret() {
  return crypto.randomBytes(20).toString('hex');
}

class Store extends EventEmitter {
  constructor(settings) {
    super();
    this.settings = { ...SETTINGS, ...settings };
    this.base = 'http://127.0.0.1';
    this.ids = new Ids();
    this.online = () => false;
    this.clear();
  }

  clear() {
    this.users = new Map();
    this.groups = new Map();
    this.rooms = new Map();
    this.messages = new Map();
    this.clients = new Map();
    this.tokens = new Map();
    this.codes = new Map();
    this.renamedUris = new Set();
    this.repeats = new Map();
  }

  // Everything but settings and connections, and back again.
  save() {
    const kept = Object.fromEntries(KEPT.map((name) => [name, this[name]]));
    return v8.serialize({ ...kept, counter: this.ids.counter });
  }

  restore(bytes) {
    const { counter, ...kept } = v8.deserialize(bytes);
    this.ids.counter = counter;
    Object.assign(this, kept);
  }

  now() {
    return Date.now() + this.settings.timeOffsetMs;
  }

  newId(when) {
    return this.ids.next(when === undefined ? this.now() : when);
  }

  addUser({ username, displayName, staff, providers, daysOld = 0 }) {
    if (!username || this.findUser(username)) throw new StatusError(400, 'user name missing or taken');
    const user = {
      id: this.newId(),
      username,
      displayName: displayName || username,
      staff: staff || undefined,
      providers: providers || ['github'],
      created: this.now() - daysOld * DAY_MS,
      v: 1,
    };
    this.users.set(user.id, user);
    return user;
  }

  // Look-up by name is case-sensitive.
  findUser(username) {
    for (const user of this.users.values()) if (user.username === username) return user;
    return undefined;
  }

  addGroup({ uri, name, admins = [] }) {
    const group = { id: this.newId(), uri, name: name || uri, admins: new Set(admins) };
    this.groups.set(group.id, group);
    return group;
  }

  findGroup(uri) {
    const wanted = String(uri).toLowerCase();
    for (const group of this.groups.values()) if (group.uri.toLowerCase() === wanted) return group;
    return undefined;
  }

  // Room URIs keep their case and are compared without it.
  findRoomByUri(uri) {
    const wanted = String(uri).toLowerCase();
    for (const room of this.rooms.values()) {
      if (room.uri && room.uri.toLowerCase() === wanted) return room;
    }
    return undefined;
  }

  findOneToOne(userA, userB) {
    for (const room of this.rooms.values()) {
      if (room.oneToOne && room.perUser.has(userA.id) && room.perUser.has(userB.id)) return room;
    }
    return undefined;
  }

  addClient({ name, registeredRedirectUri, clientKey, clientSecret, ownerUserId, canSkip }) {
    const client = {
      id: this.newId(),
      name: name || 'client',
      tag: null,
      clientKey: clientKey || newSecret(),
      clientSecret: clientSecret || newSecret(),
      registeredRedirectUri,
      ownerUserId,
      canSkipAuthorization: Boolean(canSkip),
    };
    this.clients.set(client.clientKey, client);
    return client;
  }

  removeClient(client) {
    this.clients.delete(client.clientKey);
    for (const held of [...this.tokens.values()]) {
      if (held.clientKey === client.clientKey) this.revokeToken(held.token);
    }
  }

  // There is one token for each user and client: asking again gives the same string.
  issueToken(user, client) {
    for (const held of this.tokens.values()) {
      if (held.userId === user.id && held.clientKey === client.clientKey) return held.token;
    }
    const token = newSecret();
    this.tokens.set(token, { token, userId: user.id, clientKey: client.clientKey });
    return token;
  }

  revokeToken(token) {
    if (!this.tokens.delete(token)) return false;
    this.emit('tokenRevoked', token);
    return true;
  }

  revokeTokensOf(user) {
    const held = [...this.tokens.values()].filter((one) => one.userId === user.id);
    for (const one of held) this.revokeToken(one.token);
    return held.length;
  }

  newCode(grant) {
    const code = newSecret();
    this.codes.set(code, grant);
    return code;
  }
}

module.exports = { Store, newSecret };
