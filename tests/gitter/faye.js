'use strict';

// Bayeux on gitter-faye, the library that Gitter runs: sessions by token, rights to subscribe,
// snapshots, and what a test needs to break it.

const fayeLibrary = require('gitter-faye');
const { identify } = require('./auth');
const channels = require('./faye-channels');
const { CountingEngine } = require('./faye-engine');
const serialize = require('./serialize');

const PATH = /^\/(bayeux|faye)(\/|$|\?)/;
const NEVER_MS = 864000000;

class Faye {
  constructor(store, options = {}) {
    this.store = store;
    this.sessions = new Map();
    this.sockets = new Set();
    this.refusedUntil = 0;
    this.log = options.log || (() => {});
    const settings = { timeout: 120, interval: 0.5, ping: 40, ...options };
    const type = { create: (proxy, given) => this.createEngine(proxy, given) };
    this.adapter = new fayeLibrary.NodeAdapter({
      mount: '/bayeux',
      timeout: settings.timeout,
      ping: settings.ping,
      engine: { type, interval: settings.interval },
    });
    this.adapter.addExtension({
      incoming: (message, request, pass) => pass(this.incoming(message)),
      outgoing: (message, request, pass) => pass(this.outgoing(message)),
    });
    store.online = (user) => this.clientsOf(user.id).length > 0;
  }

  createEngine(proxy, options) {
    this.engine = CountingEngine.create(proxy, options);
    proxy.bind('disconnect', (clientId) => this.sessions.delete(clientId));
    return this.engine;
  }

  attach(server) {
    server.on('upgrade', (request, socket, head) => {
      this.track(socket);
      if (!PATH.test(request.url) || this.isRefusing()) {
        socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        return;
      }
      this.adapter.handleUpgrade(request, socket, head);
    });
  }

  track(socket) {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.sockets.delete(socket));
  }

  isMine(request) {
    return PATH.test(request.url);
  }

  handle(request, response) {
    this.track(request.socket);
    if (this.isRefusing()) {
      response.writeHead(503, { 'Content-Length': 0 });
      response.end();
      return;
    }
    this.adapter.handle(request, response);
  }

  isRefusing() {
    return Date.now() < this.refusedUntil;
  }

  // All engine calls of the memory engine complete at once, so between a message and the answer to
  // it no other message comes: `this.current` is the message that is being answered. Connect is the
  // exception, and needs nothing from its request.
  incoming(message) {
    this.current = message;
    if (message.channel === '/meta/handshake') return this.checkHandshake(message);
    if (message.channel === '/meta/subscribe') return this.checkSubscribe(message);
    const meta = String(message.channel).startsWith('/meta/');
    if (!meta && message.channel !== '/api/v1/ping2') message.error = '403::Push access denied';
    return message;
  }

  checkHandshake(message) {
    const token = message.ext && message.ext.token;
    const caller = identify(this.store, token);
    if (!token) message.error = '401::Access token required';
    else if (!caller) message.error = '401::Invalid access token';
    return message;
  }

  checkSubscribe(message) {
    const session = this.sessions.get(message.clientId);
    if (session) message.error = channels.refusal(this.store, session, message.subscription);
    else message.error = `401::Client ${message.clientId} not authenticated`;
    if (!message.error) delete message.error;
    return message;
  }

  outgoing(message) {
    if (message.channel === '/meta/handshake') this.answerHandshake(message);
    if (message.channel === '/meta/subscribe') this.answerSubscribe(message);
    const lost = /^401:[^:]+:Unknown client/.test(message.error || '');
    if (lost) message.advice = { reconnect: 'handshake', interval: 2000 };
    if (/^\/meta\/(handshake|subscribe|connect|disconnect)$/.test(message.channel)) this.note(message);
    return message;
  }

  answerHandshake(message) {
    if (!message.successful) {
      const hopeless = /^401::/.test(message.error || '');
      if (hopeless) message.advice = { reconnect: 'none', interval: NEVER_MS };
      return;
    }
    const { token, client } = this.current.ext;
    const { user } = identify(this.store, token);
    const userId = user && user.id;
    this.sessions.set(message.clientId, { token, userId, client, since: Date.now() });
    const context = { user: user && serialize.user(this.store, user) };
    message.ext = { appVersion: '21.15.0', userId, context };
  }

  answerSubscribe(message) {
    if (!message.successful) {
      if (/^401::Client/.test(message.error)) message.advice = { reconnect: 'handshake' };
      return;
    }
    const session = this.sessions.get(message.clientId);
    const wish = this.current.ext && this.current.ext.snapshot;
    const snapshot = channels.snapshot(this.store, session, message.subscription, wish);
    if (snapshot !== undefined) message.ext = { ...message.ext, snapshot };
    const room = channels.roomOf(this.store, message.subscription);
    const user = this.store.users.get(session.userId);
    if (room && user) this.store.emit('roomVisited', room, user);
  }

  note(message) {
    const session = this.sessions.get(message.clientId);
    const user = session && this.store.users.get(session.userId);
    const subscription = String(message.subscription || '').replace(/^(\/api\/v1\/token\/).*/, '$1…');
    this.log({
      method: 'FAYE',
      path: `${message.channel} ${subscription}`.trim(),
      status: message.error ? parseInt(message.error, 10) : 200,
      user: user && user.username,
    });
  }

  publish(channel, data) {
    // A copy, since what is queued must not change any more.
    this.engine.publish({ channel: `/api/v1${channel}`, data: JSON.parse(JSON.stringify(data)) });
  }

  clientsOf(userId) {
    return [...this.sessions].filter(([, session]) => session.userId === userId).map(([id]) => id);
  }

  // Silent: nothing tells the client that its subscriptions are gone.
  unsubscribe(user, room) {
    const prefix = `/api/v1/rooms/${room.id}`;
    for (const clientId of this.clientsOf(user.id)) {
      for (const channel of this.engine.subscriptions(clientId)) {
        const below = channel === prefix || channel.startsWith(`${prefix}/`);
        if (below) this.engine.unsubscribe(clientId, channel);
      }
    }
  }

  // The client is gone at once and its WebSocket closes with code 1000.
  endToken(token) {
    for (const [clientId, session] of [...this.sessions]) {
      if (session.token === token) this.engine.destroyClient(clientId);
    }
  }

  // Forgets every client while their sockets stay open, as after the loss of the server's memory.
  forgetClients() {
    this.sessions.clear();
    this.engine.removeAllTimeouts();
    this.engine.reset();
  }

  cutSockets() {
    const count = this.sockets.size;
    for (const socket of this.sockets) socket.destroy();
    return count;
  }

  refuseFor(ms) {
    this.refusedUntil = Date.now() + ms;
  }

  list() {
    return [...this.sessions].map(([clientId, session]) => {
      const user = this.store.users.get(session.userId);
      return {
        clientId,
        user: user && user.username,
        client: session.client,
        subscriptions: this.engine.subscriptions(clientId),
        deliveries: this.engine.counts.get(clientId) || 0,
      };
    });
  }

  close() {
    this.cutSockets();
    this.adapter.close();
  }
}

module.exports = { Faye };
