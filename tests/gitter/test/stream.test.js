'use strict';

const assert = require('assert/strict');
const http = require('http');
const test = require('node:test');
const { newWorld, until } = require('../support/helpers');

const ROOM = 'gitterHQ/gitter';
const NEVER_MS = 600000;

// An open stream: what has come, chunk by chunk, and whether it has ended.
class Listener {
  constructor(req, res) {
    this.status = res.statusCode;
    this.headers = res.headers;
    this.chunks = [];
    res.on('data', (chunk) => this.chunks.push(chunk));
    res.on('error', () => {});
    res.on('close', () => { this.closed = true; });
    this.stop = () => req.destroy();
  }

  text() {
    return Buffer.concat(this.chunks).toString();
  }

  // The records that are whole, as a sturdy client reads them.
  records() {
    const lines = this.text().split('\n').slice(0, -1).map((line) => line.trim());
    return lines.filter(Boolean).map((line) => JSON.parse(line));
  }

  texts() {
    return this.records().map((one) => one.text);
  }

  heard(...texts) {
    return until(texts.join(), () => this.texts().length >= texts.length)
      .then(() => assert.deepEqual(this.texts(), texts));
  }
}

function get(t, world, path, headers) {
  return new Promise((resolve, reject) => {
    const req = http.get(`${world.base}/stream/v1${path}`, { headers, agent: false }, (res) => {
      t.after(() => req.destroy());
      resolve(new Listener(req, res));
    });
    req.on('error', reject);
  });
}

async function prepared(t, settings) {
  const world = await newWorld(t, { settings });
  const token = await world.token('alice');
  const { id } = await world.room(ROOM);
  const headers = { Authorization: `Bearer ${token}` };
  const listen = (kind = 'chatMessages') => get(t, world, `/rooms/${id}/${kind}`, headers);
  const post = (text, more) => world.test('/post', { room: ROOM, user: 'bob', text, ...more });
  return { world, token, id, headers, listen, post };
}

test('messages come as they are created, one bare object each, without `unread`', async (t) => {
  const { world, listen, post } = await prepared(t);
  await post('before');
  const stream = await listen();
  assert.deepEqual([stream.status, stream.headers['transfer-encoding']], [200, 'chunked']);
  const bob = await post('**of** Bob');
  const alice = await world.test('/post', { room: ROOM, user: 'alice', text: 'my own' });
  const reply = await post('a reply', { parentId: bob.id });
  await stream.heard('**of** Bob', 'my own', 'a reply');
  const records = stream.records();
  assert.deepEqual(records.map((one) => one.id), [bob.id, alice.id, reply.id]);
  assert.equal(records[0].html, '<strong>of</strong> Bob');
  assert.equal(records[0].unread, undefined);
  assert.equal(records[2].parentId, bob.id);
  assert.ok(stream.text().endsWith('}\n'));
  const [open] = await world.test('/streams');
  assert.deepEqual([open.kind, open.user, open.records], ['chatMessages', 'alice', 3]);
});

test('edits, deletes and other rooms are not told', async (t) => {
  const { world, listen, post } = await prepared(t);
  const stream = await listen();
  const { id } = await post('first');
  await world.test('/edit', { id, text: 'first, changed' });
  await world.test('/post', { room: 'gitterHQ/nodejs', user: 'erin', text: 'elsewhere' });
  await world.test('/delete', { id });
  await post('second');
  await stream.heard('first', 'second');
  await world.test('/settings', { streamEdits: true });
  const third = await post('third');
  await world.test('/edit', { id: third.id, text: 'third, changed' });
  await stream.heard('first', 'second', 'third', 'third, changed');
  assert.deepEqual(stream.records().slice(2).map((one) => [one.id, one.v]), [[third.id, 1], [third.id, 2]]);
});

test('who may not read is told before the stream', async (t) => {
  const { world, token, id, headers } = await prepared(t);
  const status = async (path, given = headers) => {
    const stream = await get(t, world, path, given);
    stream.stop();
    return stream.status;
  };
  const path = `/rooms/${id}/chatMessages`;
  assert.equal(await status(path, {}), 401);
  assert.equal(await status(path, { Authorization: 'Bearer nonsense' }), 401);
  assert.equal(await status(`${path}?access_token=${token}`, {}), 200);
  assert.equal(await status(`${path}?access_token=other`), 400);
  assert.equal(await status(`/rooms/${(await world.room('gitterHQ/closed')).id}/chatMessages`), 403);
  assert.equal(await status(`/rooms/${(await world.room('gitterHQ/elsewhere')).id}/chatMessages`), 200);
  assert.equal(await status(`/rooms/${'f'.repeat(24)}/chatMessages`), 404);
  assert.equal(await status('/rooms/nonsense/chatMessages'), 400);
  assert.equal(await status(`/rooms/${id}/chatmessages`), 404);
  await world.test('/ban', { room: ROOM, user: 'alice' });
  assert.equal(await status(path), 403);
});

test('streams are outside of the rate limit', async (t) => {
  const { world, token, listen } = await prepared(t, { rateLimit: 1 });
  assert.equal((await world.api('GET', '/user', { token })).status, 200);
  assert.equal((await world.api('GET', '/user', { token })).status, 429);
  assert.equal((await listen()).status, 200);
});

test('a space and a newline keep a stream alive; events have nothing else', async (t) => {
  const { world, listen, post } = await prepared(t);
  const [messages, events] = [await listen(), await listen('events')];
  await world.test('/settings', { streamKeepAliveMs: 5 });
  await until('keep-alives', () => messages.chunks.length > 2 && events.chunks.length > 2);
  await post('between');
  await messages.heard('between');
  await world.test('/settings', { streamKeepAliveMs: 0 });
  assert.match(events.text(), /^( \n)+$/);
  assert.match(messages.text(), /^( \n)+\{.*\}\n( \n)*$/);
});

test('records end in what was chosen', async (t) => {
  const { world, listen, post } = await prepared(t);
  const stream = await listen();
  for (const streamSeparator of ['\r\n', '\r', '\n']) {
    await world.test('/settings', { streamSeparator });
    await post('x');
    await until('the record', () => stream.text().endsWith(`}${streamSeparator}`));
  }
  const wrong = await world.web('POST', '/_test/settings', { body: { streamSeparator: '' } });
  assert.equal(wrong.status, 400);
});

test('who is removed hears nothing more, on a stream that stays open', async (t) => {
  const { world, listen, post } = await prepared(t);
  const stream = await listen();
  await post('heard');
  await stream.heard('heard');
  await world.test('/leave', { room: ROOM, user: 'alice' });
  await world.test('/join', { room: ROOM, user: 'alice' });
  await post('not heard');
  await world.test('/settings', { streamKeepAliveMs: 5 });
  await until('a keep-alive after it', () => stream.text().endsWith(' \n'));
  assert.deepEqual([stream.texts(), stream.closed], [['heard'], undefined]);
  assert.equal((await world.test('/streams'))[0].silent, true);
  const again = await listen();
  await post('heard again');
  await again.heard('heard again');
});

test('a revoked token ends its streams', async (t) => {
  const { world, listen } = await prepared(t);
  const stream = await listen();
  await world.test('/revoke', { user: 'alice' });
  await until('the end', () => stream.closed);
  assert.equal((await listen()).status, 401);
});

test('fault: a stream ends inside a record', async (t) => {
  const { world, listen, post } = await prepared(t);
  const stream = await listen();
  await world.test('/stream/cut-inside', { room: ROOM });
  await post('whole on the server');
  await until('the end', () => stream.closed);
  assert.match(stream.text(), /^\{"id":"[^\n]*[^}\n]$/);
  const again = await listen();
  await post('next');
  await again.heard('next');
});

test('fault: several records in one chunk, one record in several', async (t) => {
  const { world, listen, post } = await prepared(t);
  const stream = await listen();
  await world.test('/stream/pack', { count: 3 });
  for (const text of ['a', 'b']) await post(text);
  await post('c');
  await stream.heard('a', 'b', 'c');
  assert.equal(stream.chunks.length, 1);
  await world.test('/settings', { streamChunkBytes: 7 });
  await post('Grüße in Stücken');
  await stream.heard('a', 'b', 'c', 'Grüße in Stücken');
  assert.ok(stream.chunks.slice(1).every((chunk) => chunk.length <= 7));
});

test('fault: all streams cut, refused for a time, and late', async (t) => {
  const { world, listen, post } = await prepared(t);
  const streams = [await listen(), await listen('events')];
  assert.deepEqual(await world.test('/stream/cut', { room: 'gitterHQ/nodejs' }), { cut: 0 });
  assert.deepEqual(await world.test('/stream/cut', {}), { cut: 2 });
  await until('both ends', () => streams.every((one) => one.closed));
  await world.test('/stream/refuse', { ms: NEVER_MS, status: 502 });
  assert.equal((await listen()).status, 502);
  await world.test('/stream/refuse', { ms: 0 });
  const late = await listen();
  await world.test('/settings', { streamDelayMs: NEVER_MS });
  await post('too late for this test');
  await world.test('/settings', { streamDelayMs: 1 });
  for (const text of ['late', 'later']) await post(text);
  await late.heard('late', 'later');
});

test('fault: a rule with a path spoils the opening of a stream, one without does not', async (t) => {
  const { world, listen } = await prepared(t);
  await world.test('/faults', { status: 500 });
  assert.equal((await listen()).status, 200);
  await world.test('/faults', { path: '^/stream/', status: 504 });
  assert.equal((await listen()).status, 504);
  assert.equal((await listen()).status, 200);
});
