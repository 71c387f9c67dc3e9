'use strict';

// Gitter's streaming service at /stream/v1: one HTTP answer that never ends for each room, with the
// messages of that room as they are created. What tests can do to it is in README.rst.

const express = require('express');
const { authenticate } = require('./auth');
const rooms = require('./rooms');
const { notFound, sendError } = require('./rest/answers');
const serialize = require('./serialize');

const KEEP_ALIVE = ' \n';
const SEPARATORS = ['\n', '\r\n', '\r'];

function isEdited(message) {
  return message.editedAt !== undefined;
}

class Streams {
  constructor(store) {
    this.store = store;
    this.open = new Set();
    this.cuts = [];
    this.refusal = { until: 0, status: 503 };
    store.on('messageCreated', (room, message) => this.deliver(room, message));
    store.on('messageUpdated', (room, message) => {
      if (store.settings.streamEdits && isEdited(message)) this.deliver(room, message);
    });
    store.on('roomLeft', (room, user) => this.silence(room, user));
    store.on('tokenRevoked', (token) => this.cut((stream) => stream.token === token));
    store.on('settingsChanged', () => this.restartKeepAlive());
    this.restartKeepAlive();
  }

  // One clock for all streams. It does not keep a finished test alive.
  restartKeepAlive() {
    clearInterval(this.clock);
    const { streamKeepAliveMs } = this.store.settings;
    if (!(streamKeepAliveMs > 0)) return;
    this.clock = setInterval(() => this.keepAlive(), streamKeepAliveMs);
    this.clock.unref();
  }

  keepAlive() {
    for (const stream of this.open) stream.response.write(KEEP_ALIVE);
  }

  begin(req, res, kind) {
    const { caller, user } = req;
    const room = rooms.gate(this.store, req.params.roomId, user, 'GET');
    const stream = { kind, room, user, token: caller.token, response: res, records: 0, pack: 0, packed: [] };
    res.writeHead(200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-cache', Connection: 'close' });
    res.flushHeaders();
    this.open.add(stream);
    res.on('close', () => this.open.delete(stream));
  }

  isRefusing() {
    return Date.now() < this.refusal.until;
  }

  refuse({ ms, status = 503 }) {
    this.refusal = { until: Date.now() + ms, status };
  }

  // Removal ends what the service itself had subscribed to. The client is not told.
  silence(room, user) {
    for (const stream of this.open) {
      if (stream.room === room && stream.user === user) stream.silent = true;
    }
  }

  listeners(room) {
    return [...this.open].filter((one) => one.room === room && one.kind === 'chatMessages' && !one.silent);
  }

  deliver(room, message) {
    const text = JSON.stringify(serialize.message(this.store, message));
    const record = Buffer.from(text + this.store.settings.streamSeparator);
    const { streamDelayMs } = this.store.settings;
    for (const stream of this.listeners(room)) {
      if (streamDelayMs > 0) setTimeout(() => this.send(stream, record), streamDelayMs).unref();
      else this.send(stream, record);
    }
  }

  send(stream, record) {
    if (!this.open.has(stream)) return;
    stream.records += 1;
    if (this.takeCut(stream.room)) {
      this.open.delete(stream);
      stream.response.write(record.subarray(0, record.length >> 1), () => stream.response.socket.destroy());
      return;
    }
    if (stream.pack === 0) {
      this.write(stream, record);
      return;
    }
    stream.packed.push(record);
    if (stream.packed.length < stream.pack) return;
    stream.pack = 0;
    this.write(stream, Buffer.concat(stream.packed.splice(0)));
  }

  write(stream, bytes) {
    const step = this.store.settings.streamChunkBytes || bytes.length;
    for (let at = 0; at < bytes.length; at += step) stream.response.write(bytes.subarray(at, at + step));
  }

  takeCut(room) {
    const at = this.cuts.findIndex((one) => !one.room || one.room === room);
    if (at < 0) return false;
    this.cuts[at].count -= 1;
    if (this.cuts[at].count <= 0) this.cuts.splice(at, 1);
    return true;
  }

  // The next `count` records, of one room or any, end after their first half.
  cutInside(count, room) {
    this.cuts.push({ count, room });
  }

  // Each open stream, of one room or all, keeps its next `count` records and sends them as one chunk.
  packNext(count, room) {
    for (const stream of this.open) if (!room || stream.room === room) stream.pack = count;
  }

  cut(fits = () => true) {
    const found = [...this.open].filter(fits);
    for (const { response } of found) response.socket.destroy();
    return found.length;
  }

  list() {
    return [...this.open].map(({ kind, room, user, records, silent }) => {
      return { kind, room: room.id, user: user && user.username, records, silent: Boolean(silent) };
    });
  }

  clear() {
    this.cuts = [];
    this.refusal.until = 0;
    return this.cut();
  }

  close() {
    clearInterval(this.clock);
    this.cut();
  }
}

function checkSettings({ streamSeparator }) {
  if (streamSeparator !== undefined && !SEPARATORS.includes(streamSeparator)) {
    throw new RangeError('streamSeparator: "\\n", "\\r\\n" or "\\r"');
  }
}

// Streams are outside of the rate limit.
function create(streams) {
  const router = express.Router({ caseSensitive: true });
  router.use((req, res, next) => {
    if (streams.isRefusing()) res.status(streams.refusal.status).end();
    else next();
  });
  router.use(authenticate(streams.store));
  for (const kind of ['chatMessages', 'events']) {
    router.get(`/rooms/:roomId/${kind}`, (req, res) => streams.begin(req, res, kind));
  }
  router.use(notFound);
  router.use(sendError(streams.store));
  return router;
}

module.exports = { Streams, checkSettings, create };
