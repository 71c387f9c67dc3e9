'use strict';

// Clients that nobody here wrote: node-gitter, Gitter's own, and the client of npm faye.

const assert = require('assert/strict');
const http = require('http');
const https = require('https');
const test = require('node:test');
const faye = require('faye');
const Gitter = require('node-gitter');
const { newWorld, until } = require('../support/helpers');

const BURST = 200;

// node-gitter sends its bodies chunked, which only gitter.im's proxy made acceptable.
async function nodeGitter(t) {
  const world = await newWorld(t, { settings: { refuseChunked: false } });
  const token = await world.token('alice');
  const options = { client: { apiEndpoint: `${world.base}/api/v1` }, faye: { host: `${world.base}/bayeux` } };
  const gitter = new Gitter(token, options);
  return { world, gitter };
}

test('node-gitter: users', async (t) => {
  const { world, gitter } = await nodeGitter(t);
  const me = await gitter.currentUser();
  assert.equal(me.username, 'alice');
  assert.equal((await gitter.users.find(me.id)).displayName, 'Alice Example');
  assert.equal((await gitter.users.findById(me.id)).username, 'alice');
  assert.equal((await gitter.users.findByUsername('bob')).id, await world.userId('bob'));
  assert.equal((await me.rooms()).length, 6);
  assert.deepEqual(await me.repos(), []);
  assert.deepEqual(await me.orgs(), []);
  assert.equal(gitter.client.rateLimit, '100');
  assert.ok(Number(gitter.client.remaining) < 100);
});

test('node-gitter: rooms', async (t) => {
  const { world, gitter } = await nodeGitter(t);
  assert.equal((await gitter.rooms.findAll()).length, 6);
  const { id } = await world.room('gitterHQ/elsewhere');
  assert.equal((await gitter.rooms.find(id)).uri, 'gitterHQ/elsewhere');
  assert.equal((await gitter.rooms.findByUri('gitterHQ/elsewhere')).roomMember, false);
  const room = await gitter.rooms.join('gitterHQ/elsewhere');
  assert.equal(room.roomMember, true);
  assert.equal((await room.users()).length, 3);
  const me = await gitter.currentUser();
  await room.removeUser(me.id);
  assert.deepEqual((await world.room(id)).members, ['bob', 'Dave-X']);
  await assert.rejects(gitter.rooms.findByUri('gitterHQ/nothing'), /404/);
});

test('node-gitter: messages', async (t) => {
  const { world, gitter } = await nodeGitter(t);
  const room = await gitter.rooms.findByUri('gitterHQ/gitter');
  const sent = await room.send('from the client');
  const status = await room.sendStatus('@alice waves');
  assert.equal(status.status, true);
  const list = await room.chatMessages({ limit: 2 });
  assert.deepEqual(list.map((one) => one.id), [sent.id, status.id]);
  const { id } = await world.test('/post', { room: room.id, user: 'bob', text: 'read me' });
  const me = await gitter.currentUser();
  assert.deepEqual(await me.markAsRead(room.id, [id]), { success: true });
});

test('node-gitter: live messages', async (t) => {
  const { world, gitter } = await nodeGitter(t);
  const room = await gitter.rooms.findByUri('gitterHQ/gitter');
  const seen = [];
  room.on('chatMessages', (event) => seen.push([event.operation, event.model.text]));
  room.subscribe();
  world.disconnectAtEnd(gitter.faye.client);
  await until('the subscriptions', async () => {
    const clients = await world.test('/faye');
    return clients.length > 0 && clients[0].subscriptions.length === 3;
  });
  await world.test('/post', { room: room.id, user: 'bob', text: 'live' });
  await until('the message', () => seen.length > 0);
  assert.deepEqual(seen, [['create', 'live']]);
});

// node-gitter knows one host for its streams: requests to it are led to the simulated one.
function leadStreams(t, world) {
  const { port } = new URL(world.base);
  t.mock.method(https, 'request', (options, ...rest) => {
    assert.equal(options.host, 'stream.gitter.im');
    const path = options.path.replace(/^\/api\//, '/stream/');
    const req = http.request({ ...options, host: '127.0.0.1', port, path, agent: false }, ...rest);
    t.after(() => req.destroy());
    return req;
  });
}

test('node-gitter: the stream of a room', async (t) => {
  const { world, gitter } = await nodeGitter(t);
  leadStreams(t, world);
  const room = await gitter.rooms.findByUri('gitterHQ/gitter');
  const seen = [];
  room.listen().on('message', (message) => seen.push([message.fromUser.username, message.text]));
  await until('the stream', async () => (await world.test('/streams')).length === 1);
  await world.test('/post', { room: room.id, user: 'bob', text: 'live' });
  await until('the message', () => seen.length === 1);
  await room.send('and back');
  await until('the own message', () => seen.length === 2);
  assert.deepEqual(seen, [['bob', 'live'], ['alice', 'and back']]);
});

function fayeClient(world, token) {
  const client = new faye.Client(`${world.base}/bayeux`);
  client.addExtension({
    outgoing(message, pass) {
      if (message.channel === '/meta/handshake') message.ext = { ...message.ext, token };
      pass(message);
    },
  });
  world.disconnectAtEnd(client);
  return client;
}

test('faye: a burst over the WebSocket arrives whole and in order', async (t) => {
  const world = await newWorld(t);
  const { id } = await world.room('gitterHQ/gitter');
  const client = fayeClient(world, await world.token('alice'));
  const counts = [];
  client.addExtension({
    incoming(message, pass) {
      if (message.data) counts.push(message.ext.c);
      pass(message);
    },
  });
  const seen = [];
  await client.subscribe(`/api/v1/rooms/${id}/chatMessages`, (event) => seen.push(event.model.text));
  const texts = Array.from({ length: BURST }, (_, i) => `burst ${i}`);
  await world.test('/post-many', { room: id, user: 'bob', texts });
  await until('the burst', () => seen.length >= BURST);
  assert.deepEqual(seen, texts);
  assert.deepEqual(counts, texts.map((_, i) => i + 1));
  const polls = (await world.test('/log')).filter((one) => one.method === 'POST' && one.path === '/bayeux');
  assert.equal(polls.length, 1, 'only the handshake goes over HTTP');
});

test('faye: after a cut it comes back and loses nothing that follows', async (t) => {
  const world = await newWorld(t);
  const { id } = await world.room('gitterHQ/gitter');
  const client = fayeClient(world, await world.token('alice'));
  const seen = [];
  await client.subscribe(`/api/v1/rooms/${id}/chatMessages`, (event) => seen.push(event.model.text));
  const up = new Promise((resolve) => { client.on('transport:up', resolve); });
  await world.test('/faye/cut', {});
  await world.test('/post', { room: id, user: 'bob', text: 'while away' });
  await up;
  await world.test('/post', { room: id, user: 'bob', text: 'back' });
  await until('both', () => seen.length >= 2);
  assert.deepEqual(seen, ['while away', 'back']);
});

test('faye: a foreign channel is refused', async (t) => {
  const world = await newWorld(t);
  const alice = fayeClient(world, await world.token('alice'));
  const closed = (await world.room('gitterHQ/closed')).id;
  const subscription = () => alice.subscribe(`/api/v1/rooms/${closed}/chatMessages`);
  const error = await new Promise((resolve, reject) => { subscription().then(reject, resolve); });
  assert.match(error.message, /Authorisation denied/);
});
