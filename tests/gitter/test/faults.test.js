'use strict';

const assert = require('assert/strict');
const http = require('http');
const test = require('node:test');
const { newWorld, until } = require('../support/helpers');

async function prepared(t) {
  const world = await newWorld(t);
  const token = await world.token('alice');
  const { id } = await world.room('gitterHQ/gitter');
  const texts = async () => (await world.test(`/messages?room=${id}`)).map((one) => one.text);
  const send = (text) => world.api('POST', `/rooms/${id}/chatMessages`, { token, body: { text } });
  return { world, token, id, send, texts };
}

test('a fault answers instead, as often as it was told', async (t) => {
  const { world, send, texts } = await prepared(t);
  const headers = { 'Retry-After': '7' };
  await world.test('/faults', { method: 'POST', path: 'chatMessages$', count: 2, status: 502, headers, body: 'bad' });
  const first = await send('a');
  assert.deepEqual([first.status, first.text, first.headers['retry-after']], [502, 'bad', '7']);
  assert.equal((await send('b')).status, 502);
  assert.equal((await send('c')).status, 200);
  const seen = await texts();
  assert.deepEqual(seen.slice(-2), ['hello :smile:', 'c']);
  assert.equal((await world.test('/faults'))[0].hits, 2);
});

test('an answer can be lost before, after and in the middle', async (t) => {
  const { world, send, texts } = await prepared(t);
  await world.test('/faults', { path: 'chatMessages', cut: 'before' });
  await assert.rejects(send('never'));
  await world.test('/faults', { path: 'chatMessages', cut: 'after' });
  await assert.rejects(send('done, not told'));
  await world.test('/faults', { path: 'chatMessages', cut: 'middle' });
  await assert.rejects(send('half told'));
  assert.deepEqual((await texts()).slice(-3), ['hello :smile:', 'done, not told', 'half told']);
});

// Longer than any test: what waits that long has not happened when the test looks.
const LONG_MS = 600000;

test('the answer can be late although the effect is there', async (t) => {
  const { world, send, texts } = await prepared(t);
  await world.test('/faults', { path: 'chatMessages', delayAnswerMs: LONG_MS });
  let answered = false;
  send('early').then(() => { answered = true; }, () => {});
  await until('the effect', async () => (await texts()).includes('early'));
  assert.equal(answered, false);
  await world.test('/faults', { path: 'chatMessages', delayAnswerMs: 10 });
  assert.equal((await send('soon')).json.text, 'soon');
});

test('a delayed request has no effect until then', async (t) => {
  const { world, send, texts } = await prepared(t);
  await world.test('/faults', { path: 'chatMessages', delayMs: LONG_MS });
  send('never').catch(() => {});
  await until('the fault', async () => (await world.test('/faults'))[0].hits === 1);
  await world.test('/faults', { path: 'chatMessages', delayMs: 10 });
  assert.equal((await send('soon')).status, 200);
  assert.deepEqual((await texts()).slice(-2), ['hello :smile:', 'soon']);
});

test('a kept-alive connection can be closed after an answer', async (t) => {
  const { world, token } = await prepared(t);
  await world.test('/faults', { path: '/user$', close: true });
  const agent = new http.Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const headers = { Authorization: `Bearer ${token}` };
  const socket = await new Promise((resolve, reject) => {
    const req = http.get(`${world.base}/api/v1/user`, { agent, headers }, (res) => {
      assert.notEqual(res.headers.connection, 'close');
      res.resume();
      resolve(req.socket);
    });
    req.on('error', reject);
  });
  await until('the close', () => socket.destroyed);
});

test('the log has what was asked and no secrets', async (t) => {
  const { world, token, send } = await prepared(t);
  await world.test('/faults', { path: '/user$', status: 503 });
  await world.api('GET', '/user', { token });
  await send('x');
  await world.api('GET', `/rooms?access_token=${token}`, {});
  const log = await until('3 entries', async () => {
    const entries = await world.test('/log');
    return entries.length >= 3 && entries;
  });
  assert.deepEqual(log.map((one) => one.status), [503, 200, 200]);
  assert.equal(log[0].fault, 1);
  assert.equal(log[1].user, 'alice');
  assert.equal(JSON.stringify(log).includes(token), false);
  assert.deepEqual((await world.test(`/log?since=${log[1].n}`)).map((one) => one.n), [log[2].n]);
});

test('a lost provider account ends all tokens of the user', async (t) => {
  const { world, token } = await prepared(t);
  await world.test('/update-user', { user: 'alice', providerLost: true });
  const headers = { Accept: 'application/json' };
  const first = await world.api('GET', '/user', { token, headers });
  assert.deepEqual([first.status, first.json], [401, { success: false, loginRequired: true }]);
  assert.deepEqual((await world.api('GET', '/user', { token, headers })).json, { error: 'Unauthorized' });
  assert.deepEqual(await world.test('/tokens'), []);
});

test('a reset forgets everything', async (t) => {
  const { world, token } = await prepared(t);
  await world.test('/reset', { seed: { users: [{ username: 'zoe' }] } });
  assert.deepEqual((await world.test('/users')).map((one) => one.username), ['zoe']);
  assert.equal((await world.api('GET', '/user', { token })).status, 401);
});
