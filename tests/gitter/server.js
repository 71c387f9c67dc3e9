'use strict';

// The simulated Gitter on one port: web pages and OAuth at /, REST at /api/v1, Faye at /bayeux,
// streams at /stream/v1, and the side for tests at /_test.

const express = require('express');
const http = require('http');
const control = require('./control');
const { Faults } = require('./faults');
const { Faye } = require('./faye');
const { Announcer } = require('./faye-events');
const { RequestLog } = require('./request-log');
const rest = require('./rest');
const seed = require('./seed');
const { Store } = require('./store');
const stream = require('./stream');
const web = require('./web');

function createApp(world) {
  const app = express();
  app.set('case sensitive routing', true);
  app.disable('x-powered-by');
  const limiter = rest.limitRate(world.store);
  app.use('/_test', control.create(world));
  app.use('/api', rest.create(world.store, limiter));
  app.use('/stream/v1', stream.create(world.streams));
  web.mount(app, world.store, limiter);
  app.use(rest.notFound);
  app.use(rest.sendError(world.store));
  return app;
}

function createHandler(world, app) {
  return (request, response) => {
    if (request.url.startsWith('/_test')) {
      app(request, response);
      return;
    }
    world.log.watch(request, response);
    world.faults.apply(request, response, () => {
      if (world.faye.isMine(request)) world.faye.handle(request, response);
      else app(request, response);
    });
  };
}

function listen(server, port, host) {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server.address().port));
  });
}

// options: port (0 chooses a free one), host, settings (see store.js), seed (an object as in
// demo.json), redirectUri (of the seed's OAuth clients), faye {timeout, interval, ping} in seconds.
async function start(options = {}) {
  const store = new Store(options.settings);
  const log = new RequestLog();
  const faye = new Faye(store, { ...options.faye, log: (entry) => log.add(entry) });
  const streams = new stream.Streams(store);
  const world = { store, log, faye, streams, faults: new Faults(), announcer: new Announcer(store, faye) };
  const server = http.createServer(createHandler(world, createApp(world)));
  faye.attach(server);
  const host = options.host || '127.0.0.1';
  const port = await listen(server, options.port || 0, host);
  store.base = `http://${host}:${port}`;
  if (options.seed) seed.plant(store, options.seed, options.redirectUri);
  const close = () => new Promise((resolve) => {
    faye.close();
    streams.close();
    server.close(resolve);
    server.closeAllConnections();
  });
  return { ...world, port, base: store.base, close };
}

module.exports = { start };
