#!/usr/bin/env node

'use strict';

// A second Bayeux server, on npm faye instead of gitter-faye, with as much of Gitter's behaviour as
// a client must rely on: the token in the handshake, snapshots in the answers to subscriptions,
// publishing refused, `ext.c` counting the deliveries on each WebSocket. It knows no rooms; a test
// says what is published:
//
//   node faye-server.js --port 0 --token TOKEN --user-id ID     prints {"port": N}; Faye at /bayeux
//   POST /_test/token     {token, userId}     one more token that opens the door
//   POST /_test/snapshot  {channel, snapshot} what subscribing to the channel answers, else []
//   POST /_test/publish   {channel, data}     e.g. data {operation: "create", model: {…}}
//   POST /_test/cut       {}                  resets all connections
//   GET  /_test/clients                       [{clientId, userId, subscriptions}]

const express = require('express');
const faye = require('faye');
const http = require('http');
const { parseArgs } = require('util');

const PING_S = 40;
const TIMEOUT_S = 120;

class Bayeux {
  constructor() {
    this.tokens = new Map();
    this.snapshots = new Map();
    this.clients = new Map();
    this.counts = new WeakMap();
    this.adapter = new faye.NodeAdapter({ mount: '/bayeux', timeout: TIMEOUT_S, ping: PING_S });
    this.adapter.addExtension({
      incoming: (message, request, pass) => pass(this.incoming(message, request)),
      outgoing: (message, request, pass) => pass(this.outgoing(message, request)),
    });
    this.adapter.on('disconnect', (clientId) => this.clients.delete(clientId));
    this.adapter.on('subscribe', (clientId, channel) => this.channelsOf(clientId).add(channel));
    this.adapter.on('unsubscribe', (clientId, channel) => this.channelsOf(clientId).delete(channel));
  }

  channelsOf(clientId) {
    const client = this.clients.get(clientId);
    return client ? client.channels : new Set();
  }

  // The server's own messages come without a request. The answer to a message follows before the
  // next message is looked at, so what an answer needs is kept in `current`.
  incoming(message, request) {
    if (!request) return message;
    this.current = message;
    const ext = message.ext || {};
    if (message.channel === '/meta/handshake') {
      if (!ext.token) message.error = '401::Access token required';
      else if (!this.tokens.has(ext.token)) message.error = '401::Invalid access token';
    } else if (!message.channel.startsWith('/meta/')) {
      message.error = '403::Push access denied';
    }
    return message;
  }

  outgoing(message, request) {
    if (!request) return message;
    if (message.channel === '/meta/handshake') this.answerHandshake(message);
    else if (message.channel === '/meta/subscribe') this.answerSubscribe(message);
    else if (message.data !== undefined) this.count(message, request);
    return message;
  }

  answerHandshake(message) {
    if (!message.successful) {
      message.advice = { reconnect: 'none' };
      return;
    }
    const userId = this.tokens.get(this.current.ext.token);
    this.clients.set(message.clientId, { userId, channels: new Set() });
    message.ext = { userId };
  }

  answerSubscribe(message) {
    const wish = this.current.ext && this.current.ext.snapshot;
    if (!message.successful || wish === false) return;
    message.ext = { snapshot: this.snapshots.get(message.subscription) || [] };
  }

  count(message, request) {
    const c = (this.counts.get(request) || 0) + 1;
    this.counts.set(request, c);
    message.ext = { ...message.ext, c };
  }

  list() {
    return [...this.clients].map(([clientId, { userId, channels }]) => {
      return { clientId, userId, subscriptions: [...channels] };
    });
  }
}

function createControl(bayeux, cut) {
  const app = express();
  app.use('/_test', express.json());
  app.post('/_test/token', (req, res) => {
    bayeux.tokens.set(req.body.token, req.body.userId);
    res.json({});
  });
  app.post('/_test/snapshot', (req, res) => {
    bayeux.snapshots.set(req.body.channel, req.body.snapshot);
    res.json({});
  });
  app.post('/_test/publish', (req, res, next) => {
    bayeux.adapter.getClient().publish(req.body.channel, req.body.data).then(() => res.json({}), next);
  });
  app.post('/_test/cut', (req, res) => {
    res.json({ cut: cut() });
  });
  app.get('/_test/clients', (req, res) => res.json(bayeux.list()));
  return app;
}

// options: port (0 chooses a free one), token and userId of a first session.
async function start(options = {}) {
  const bayeux = new Bayeux();
  if (options.token) bayeux.tokens.set(options.token, options.userId);
  const sockets = new Set();
  const cut = () => {
    const count = sockets.size;
    for (const socket of sockets) socket.destroy();
    return count;
  };
  const server = http.createServer(createControl(bayeux, cut));
  bayeux.adapter.attach(server);
  // Added after attach(), which takes away the listeners that it finds.
  server.on('upgrade', (request, socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise((resolve) => { server.listen(options.port || 0, '127.0.0.1', resolve); });
  const close = async () => {
    // Else the server's own client would try for ever to come back.
    await bayeux.adapter.getClient().disconnect();
    cut();
    bayeux.adapter.close();
    server.closeAllConnections();
    await new Promise((resolve) => { server.close(resolve); });
  };
  const { port } = server.address();
  return { bayeux, port, base: `http://127.0.0.1:${port}`, close };
}

async function main() {
  const text = { type: 'string' };
  const { values } = parseArgs({ options: { port: text, token: text, 'user-id': text } });
  const { token, 'user-id': userId } = values;
  const server = await start({ port: Number(values.port || 0), token, userId });
  process.stdout.write(`${JSON.stringify({ port: server.port })}\n`);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => server.close().then(() => process.exit(0)));
  }
}

if (require.main === module) main();

module.exports = { start };
