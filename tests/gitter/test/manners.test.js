'use strict';

// What Gitter keeps from some users: rooms for one provider, bans, the filter against floods.

const assert = require('assert/strict');
const test = require('node:test');
const { newWorld } = require('../support/helpers');

const FLOOD = 'buy this, it is cheap today';
const HOUR_MS = 3600 * 1000;

async function sender(t, settings) {
  const world = await newWorld(t, { settings });
  const token = await world.token('alice');
  const { id } = await world.room('gitterHQ/gitter');
  const path = `/rooms/${id}/chatMessages`;
  const send = async (text, who = token) => (await world.api('POST', path, { token: who, body: { text } })).json;
  // How many of so many copies are taken; the rest is well-formed and was never stored.
  const taken = async (text, copies, who) => {
    const answers = [];
    for (let i = 0; i < copies; i += 1) answers.push(await send(text, who));
    assert.ok(answers.every((one) => one.id && one.text === text));
    return answers.filter((one) => one.v === 1).length;
  };
  const stored = async () => (await world.test(`/messages?room=${id}`)).map((one) => one.text);
  return { world, token, path, send, taken, stored };
}

const FILTER = { spamFilter: true, rateLimit: 10000 };

test('the eleventh copy bans a young account for good, and it is not told', async (t) => {
  const { world, token, path, send, taken, stored } = await sender(t, FILTER);
  assert.equal(await taken(FLOOD, 11), 10);
  assert.equal((await stored()).filter((text) => text === FLOOD).length, 10);
  const unheard = await send('something else altogether');
  assert.equal(unheard.v, undefined);
  assert.equal((await world.api('GET', `${path}/${unheard.id}`, { token })).status, 404);
  assert.equal((await stored()).includes('something else altogether'), false);
  assert.equal(await taken('of another', 1, await world.token('bob')), 1);
});

test('shorter texts may be said more often', async (t) => {
  const { world, taken } = await sender(t, FILTER);
  assert.equal(await taken('yes, quite so', 22), 20);
  assert.equal(await taken('ok', 102, await world.token('bob')), 100);
});

test('the filter forgets within half a day, spares old accounts, and is off unless chosen', async (t) => {
  const { world, taken } = await sender(t, FILTER);
  assert.equal(await taken(FLOOD, 10), 10);
  await world.test('/settings', { timeOffsetMs: 12 * HOUR_MS + 1000 });
  assert.equal(await taken(FLOOD, 10), 10);
  await world.test('/user', { username: 'veteran', daysOld: 14 });
  assert.equal(await taken(FLOOD, 15, await world.token('veteran')), 15);
  await world.test('/settings', { spamFilter: false });
  assert.equal(await taken(FLOOD, 5), 5);
});

test('a room for users of one provider may be read by all, joined and written by them alone', async (t) => {
  const world = await newWorld(t);
  await world.test('/room', { uri: 'walkers/labs', members: ['carol_gitlab'], providers: ['gitlab'] });
  const { id } = await world.room('walkers/labs');
  const calls = async (name) => {
    const token = await world.token(name);
    const post = (path, body) => world.api('POST', path, { token, body });
    const show = await world.api('GET', `/rooms/${id}`, { token });
    const answers = [show, await post('/user/me/rooms', { id }), await post(`/rooms/${id}/chatMessages`, { text: 'x' })];
    return [show.json.providers, ...answers.map((one) => one.status)];
  };
  assert.deepEqual(await calls('alice'), [['gitlab'], 200, 403, 403]);
  assert.deepEqual(await calls('carol_gitlab'), [['gitlab'], 200, 200, 200]);
});

test('an admin restricts a room to a provider and lifts it', async (t) => {
  const { world, token, send } = await sender(t);
  const { id } = await world.room('walkers/secret-paths');
  const change = (providers) => world.api('PUT', `/rooms/${id}`, { token, body: { providers } });
  assert.deepEqual((await change(['gitlab'])).json.providers, ['gitlab']);
  const write = () => world.api('POST', `/rooms/${id}/chatMessages`, { token, body: { text: 'x' } });
  assert.equal((await write()).status, 403);
  assert.equal((await send('elsewhere all is well')).v, 1);
  await world.test('/update-user', { user: 'alice', providers: ['github', 'gitlab'] });
  assert.equal((await write()).status, 200);
});

test('a ban closes every road to the room, even the way out', async (t) => {
  const { world, token, path } = await sender(t);
  const { id } = await world.room('gitterHQ/gitter');
  const me = await world.userId('alice');
  const mine = (await world.api('POST', path, { token, body: { text: 'before' } })).json.id;
  await world.test('/ban', { room: id, user: 'alice' });
  const calls = [
    ['GET', `/rooms/${id}`], ['GET', `/rooms/${id}/users`], ['GET', `/rooms/${id}/bans`], ['GET', path],
    ['GET', `${path}/${mine}`], ['POST', path, { text: 'x' }], ['PUT', `${path}/${mine}`, { text: 'x' }],
    ['DELETE', `${path}/${mine}`], ['DELETE', `/rooms/${id}/users/${me}`], ['POST', '/user/me/rooms', { id }],
    ['GET', `/user/me/rooms/${id}/unreadItems`], ['DELETE', `/user/me/rooms/${id}`],
  ];
  for (const [method, where, body] of calls) {
    const answer = await world.api(method, where, { token, body });
    assert.deepEqual([where, answer.status, answer.json], [where, 403, { error: 'Forbidden' }]);
  }
  assert.equal((await world.api('POST', '/rooms', { token, body: { uri: 'gitterHQ/gitter' } })).status, 404);
  const list = (await world.api('GET', '/rooms', { token })).json;
  assert.equal(list.some((one) => one.id === id), false);
  await world.test('/unban', { room: id, user: 'alice' });
  assert.equal((await world.api('GET', `/rooms/${id}`, { token })).json.roomMember, false);
  assert.equal((await world.api('POST', '/user/me/rooms', { token, body: { id } })).json.roomMember, true);
});

test('there is one token for each user and client', async (t) => {
  const world = await newWorld(t);
  const { clientKey } = await world.test('/client', { redirectUri: 'http://127.0.0.1:9/other' });
  const token = await world.token('alice');
  const other = (await world.test('/token', { user: 'alice', client: clientKey })).token;
  assert.equal(await world.token('alice'), token);
  assert.notEqual(other, token);
  assert.notEqual(await world.token('bob'), token);
  await world.web('POST', '/logout', { token });
  assert.equal((await world.api('GET', '/user', { token })).status, 401);
  assert.equal((await world.api('GET', '/user', { token: other })).status, 200);
  assert.notEqual(await world.token('alice'), token);
});
