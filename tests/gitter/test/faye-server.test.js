'use strict';

// The second Bayeux server, with the client that Gitter pins.

const assert = require('assert/strict');
const test = require('node:test');
const fayeLibrary = require('gitter-faye');
const { start } = require('../faye-server');
const { BayeuxSocket } = require('../support/bayeux-socket');
const { request, until } = require('../support/helpers');

const CHANNEL = '/api/v1/rooms/5e7d0c1b2a00000000000001/chatMessages';
const TOKEN = 'a'.repeat(40);

async function started(t) {
  const server = await start({ token: TOKEN, userId: 'me' });
  const guests = [];
  t.after(async () => {
    for (const guest of guests) guest.disconnect();
    const clients = async () => (await request(server.base, 'GET', '/_test/clients')).json;
    if (guests.length > 0) await until('the guests to leave', async () => (await clients()).length === 0);
    await server.close();
  });
  const call = (path, body) => request(server.base, 'POST', `/_test${path}`, { body });
  return { server, call, guests };
}

test('second server: token, snapshot, refusal to publish', async (t) => {
  const { server, call } = await started(t);
  await call('/snapshot', { channel: CHANNEL, snapshot: [{ id: '1' }] });
  const socket = new BayeuxSocket(server.base, t);
  assert.equal((await socket.handshake({})).error, '401::Access token required');
  const refused = await socket.handshake({ token: 'nonsense' });
  assert.deepEqual([refused.error, refused.advice.reconnect], ['401::Invalid access token', 'none']);
  assert.equal((await socket.handshake({ token: TOKEN })).ext.userId, 'me');
  assert.deepEqual((await socket.subscribe(CHANNEL)).ext, { snapshot: [{ id: '1' }] });
  assert.equal((await socket.subscribe(CHANNEL, { snapshot: false })).ext, undefined);
  const answer = await socket.ask({ channel: CHANNEL, clientId: socket.clientId, data: 1 });
  assert.equal(answer.error, '403::Push access denied');
});

test('second server: deliveries are counted', async (t) => {
  const { server, call } = await started(t);
  const socket = new BayeuxSocket(server.base, t);
  await socket.handshake({ token: TOKEN });
  socket.connect();
  await socket.subscribe(CHANNEL);
  for (const id of ['1', '2', '3']) {
    await call('/publish', { channel: CHANNEL, data: { operation: 'create', model: { id } } });
  }
  const seen = await until('3 deliveries', () => socket.deliveries().length >= 3 && socket.deliveries());
  assert.deepEqual(seen.map((one) => [one.data.model.id, one.ext.c]), [['1', 1], ['2', 2], ['3', 3]]);
  const clients = (await request(server.base, 'GET', '/_test/clients')).json;
  assert.deepEqual(clients.map((one) => one.subscriptions), [[CHANNEL]]);
  assert.equal((await call('/cut', {})).json.cut, 1);
  await until('the cut', () => socket.closeCode);
});

test('second server: the client of gitter-faye is content', async (t) => {
  const { server, call, guests } = await started(t);
  const client = new fayeLibrary.Client(`${server.base}/bayeux`);
  guests.push(client);
  client.addExtension({
    outgoing(message, pass) {
      if (message.channel === '/meta/handshake') message.ext = { token: TOKEN };
      pass(message);
    },
  });
  const seen = [];
  await client.subscribe(CHANNEL, (data) => seen.push(data.n));
  for (let n = 0; n < 20; n += 1) await call('/publish', { channel: CHANNEL, data: { n } });
  await until('20 deliveries', () => seen.length >= 20);
  assert.deepEqual(seen, Array.from({ length: 20 }, (_, n) => n));
});
