'use strict';

const assert = require('assert/strict');
const http = require('http');
const test = require('node:test');
const { BayeuxSocket } = require('../support/bayeux-socket');
const { newWorld, until } = require('../support/helpers');

async function connected(t, user = 'alice', options = {}) {
  const world = await newWorld(t, options);
  const token = await world.token(user);
  const me = await world.userId(user);
  const { id } = await world.room('gitterHQ/gitter');
  const socket = new BayeuxSocket(world.base, t);
  await socket.handshake({ token });
  socket.connect();
  const channel = `/api/v1/rooms/${id}/chatMessages`;
  return { world, token, me, id, socket, channel };
}

test('the handshake wants a living token', async (t) => {
  const world = await newWorld(t);
  const socket = new BayeuxSocket(world.base, t);
  const none = await socket.handshake({});
  assert.deepEqual([none.successful, none.error], [false, '401::Access token required']);
  assert.deepEqual(none.advice, { reconnect: 'none', interval: 864000000 });
  assert.equal((await socket.handshake({ token: 'nonsense' })).error, '401::Invalid access token');
  const good = await socket.handshake({ token: await world.token('alice'), client: 'test' });
  assert.deepEqual(good.advice, { reconnect: 'retry', interval: 500, timeout: 120000 });
  assert.equal(good.ext.userId, await world.userId('alice'));
  assert.equal(good.ext.context.user.username, 'alice');
  assert.deepEqual((await world.test('/faye')).map((one) => [one.user, one.client]), [['alice', 'test']]);
});

test('subscriptions are checked', async (t) => {
  const { world, me, socket } = await connected(t);
  const closed = (await world.room('gitterHQ/closed')).id;
  const bob = await world.userId('bob');
  const error = async (channel) => (await socket.subscribe(`/api/v1${channel}`)).error;
  assert.equal(await error('/rooms/xx/chatMessages'), '400::Invalid ID: xx');
  assert.equal(await error(`/rooms/${closed}/chatMessages`), '403::Authorisation denied.');
  assert.equal(await error(`/user/${bob}/rooms`), '403::Authorisation denied.');
  assert.equal(await error('/nothing'), '404::Unknown subscription /api/v1/nothing');
  assert.equal(await error(`/user/${me}/rooms`), undefined);
  assert.equal(await error('/ping'), undefined);
});

test('publishing is refused', async (t) => {
  const { socket, channel } = await connected(t);
  const answer = await socket.ask({ channel, clientId: socket.clientId, data: { text: 'x' } });
  assert.equal(answer.error, '403::Push access denied');
});

test('the answer to a subscription carries the snapshot asked for', async (t) => {
  const { world, me, id, socket, channel } = await connected(t);
  const all = (await socket.subscribe(channel)).ext.snapshot;
  assert.deepEqual(all.map((one) => one.fromUser.username), ['bob', 'carol_gitlab', 'alice']);
  const one = (await socket.subscribe(channel, { snapshot: { limit: 1 } })).ext.snapshot;
  assert.deepEqual(one.map((message) => message.text), ['hello :smile:']);
  assert.equal((await socket.subscribe(channel, { snapshot: false })).ext, undefined);
  const rooms = (await socket.subscribe(`/api/v1/user/${me}/rooms`)).ext.snapshot;
  assert.equal(rooms.length, 6);
  const users = (await socket.subscribe(`/api/v1/rooms/${id}/users`)).ext.snapshot;
  assert.equal(users.find((user) => user.username === 'alice').online, true);
  assert.equal((await socket.subscribe(`/api/v1/rooms/${id}`)).ext, undefined);
  const texts = Array.from({ length: 40 }, (_, i) => `m${i}`);
  await world.test('/post-many', { room: id, user: 'bob', texts });
  assert.equal((await socket.subscribe(channel)).ext.snapshot.length, 30);
});

test('create, update, patch and remove are delivered and counted', async (t) => {
  const { world, id, socket, channel } = await connected(t);
  await socket.subscribe(channel);
  const { id: messageId } = await world.test('/post', { room: id, user: 'bob', text: 'one' });
  await world.test('/edit', { id: messageId, text: 'two' });
  await world.test('/read', { room: id, user: 'alice', ids: [messageId] });
  await world.test('/delete', { id: messageId });
  const seen = await until('4 deliveries', () => socket.deliveries().length >= 4 && socket.deliveries());
  assert.deepEqual(seen.map((one) => one.data.operation), ['create', 'update', 'patch', 'remove']);
  assert.deepEqual(seen.map((one) => one.ext.c), [1, 2, 3, 4]);
  assert.equal(seen[0].data.model.unread, undefined);
  assert.equal(typeof seen[1].data.model.editedAt, 'string');
  assert.deepEqual(seen[2].data.model, { id: messageId, readBy: 1, v: 3 });
  assert.deepEqual(seen[3].data.model, { id: messageId });
});

test('the update of a parent comes before its reply', async (t) => {
  const { world, id, socket, channel } = await connected(t);
  await socket.subscribe(channel);
  const parent = await world.test('/post', { room: id, user: 'bob', text: 'parent' });
  await world.test('/post', { room: id, user: 'bob', text: 'reply', parentId: parent.id });
  const seen = await until('3 deliveries', () => socket.deliveries().length >= 3 && socket.deliveries());
  const short = seen.map(({ data }) => [data.operation, data.model.text, data.model.threadMessageCount]);
  assert.deepEqual(short, [['create', 'parent', undefined], ['update', 'parent', 1], ['create', 'reply', undefined]]);
});

test('one’s own rooms are announced as they come and go', async (t) => {
  const { world, me, socket } = await connected(t);
  const channel = `/api/v1/user/${me}/rooms`;
  await socket.subscribe(channel);
  const { id } = await world.room('gitterHQ/elsewhere');
  await world.test('/join', { room: id, user: 'alice' });
  await world.test('/topic', { room: id, topic: 'new' });
  await world.test('/leave', { room: id, user: 'alice' });
  const mine = () => socket.deliveries(channel).map((one) => one.data).filter((one) => one.model.id === id);
  const seen = await until('3 deliveries', () => mine().length >= 3 && mine());
  assert.deepEqual(seen.map((one) => one.operation), ['create', 'patch', 'remove']);
  assert.equal(seen[0].model.roomMember, true);
  assert.deepEqual(seen[1].model, { id, topic: 'new' });
  assert.deepEqual(seen[2].model, { id });
});

test('removal from a room ends its subscriptions silently', async (t) => {
  const { world, id, socket, channel } = await connected(t);
  await socket.subscribe(channel);
  await world.test('/leave', { room: id, user: 'alice' });
  await world.test('/post', { room: id, user: 'bob', text: 'unheard' });
  await world.test('/join', { room: id, user: 'alice' });
  await world.test('/post', { room: id, user: 'bob', text: 'unheard too' });
  await socket.subscribe(channel, { snapshot: false });
  await world.test('/post', { room: id, user: 'bob', text: 'heard' });
  const seen = await until('a delivery', () => socket.deliveries(channel).length && socket.deliveries(channel));
  assert.deepEqual(seen.map((one) => one.data.model.text), ['heard']);
});

test('a revoked token closes the socket with 1000', async (t) => {
  const { world, token, socket } = await connected(t);
  await world.test('/revoke', { user: 'alice' });
  assert.equal(await until('the end', () => socket.closeCode), 1000);
  const again = new BayeuxSocket(world.base, t);
  const refused = await again.handshake({ token });
  assert.deepEqual([refused.error, refused.advice.reconnect], ['401::Invalid access token', 'none']);
});

test('lost deliveries leave a gap in the count', async (t) => {
  const { world, id, socket, channel } = await connected(t);
  await socket.subscribe(channel);
  await world.test('/faye/lose', { count: 2, channel: 'chatMessages' });
  await world.test('/post-many', { room: id, user: 'bob', texts: ['a', 'b', 'c'] });
  const [only] = await until('a delivery', () => socket.deliveries().length && socket.deliveries());
  assert.deepEqual([only.data.model.text, only.ext.c], ['c', 3]);
});

test('a forgotten client is told to shake hands again', async (t) => {
  const { world, socket, channel } = await connected(t);
  await world.test('/faye/forget', {});
  const { clientId } = socket;
  const answer = await socket.ask({ channel: '/meta/connect', clientId, connectionType: 'websocket' });
  assert.equal(answer.error, `401:${clientId}:Unknown client`);
  assert.deepEqual(answer.advice, { reconnect: 'handshake', interval: 2000 });
  const refused = await socket.subscribe(channel);
  assert.equal(refused.successful, false);
  assert.equal(refused.advice.reconnect, 'handshake');
});

test('sockets can be cut and refused', async (t) => {
  const { world, token, socket } = await connected(t);
  await world.test('/faye/refuse', { ms: 60000 });
  assert.ok((await world.test('/faye/cut', {})).cut >= 1);
  await until('the cut', () => socket.closeCode);
  const refused = new BayeuxSocket(world.base, t);
  await until('the refusal', () => refused.closeCode);
  await world.test('/faye/refuse', { ms: 0 });
  const again = new BayeuxSocket(world.base, t);
  assert.equal((await again.handshake({ token })).successful, true);
});

// A bare upgrade, since a WebSocket library would answer the ping.
test('a socket that does not answer a ping is dropped', async (t) => {
  const world = await newWorld(t, { faye: { ping: 0.2 } });
  const headers = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': 13,
    'Sec-WebSocket-Key': 'MDEyMzQ1Njc4OWFiY2RlZg==',
  };
  const opcodes = [];
  const ended = new Promise((resolve, reject) => {
    const request = http.get(`${world.base}/bayeux`, { headers });
    request.on('error', reject);
    request.on('upgrade', (answer, socket) => {
      socket.on('data', (data) => opcodes.push(data[0] & 0x0f));
      socket.on('end', () => socket.end());
      socket.on('close', resolve);
    });
  });
  await until('the ping', () => opcodes.length > 0);
  assert.equal(opcodes[0], 9);
  await until('the close frame', () => opcodes.includes(8));
  await world.test('/faye/cut', {});
  await ended;
});

test('long-polling gets what the WebSocket gets', async (t) => {
  const world = await newWorld(t);
  const token = await world.token('alice');
  const { id } = await world.room('gitterHQ/gitter');
  const post = async (message) => (await world.web('POST', '/bayeux', { body: [message] })).json;
  const supportedConnectionTypes = ['long-polling'];
  const ext = { token };
  const [hello] = await post({ channel: '/meta/handshake', version: '1.0', supportedConnectionTypes, ext });
  const { clientId } = hello;
  const subscription = `/api/v1/rooms/${id}/chatMessages`;
  await post({ channel: '/meta/subscribe', clientId, subscription });
  const poll = post({ channel: '/meta/connect', clientId, connectionType: 'long-polling' });
  await world.test('/post', { room: id, user: 'bob', text: 'polled' });
  const answer = await poll;
  assert.deepEqual(answer.filter((one) => one.data).map((one) => one.data.model.text), ['polled']);
  const older = await world.web('POST', '/faye', { body: [{ channel: '/meta/disconnect', clientId }] });
  assert.equal(older.json[0].successful, true);
});
