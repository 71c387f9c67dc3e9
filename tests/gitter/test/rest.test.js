'use strict';

const assert = require('assert/strict');
const test = require('node:test');
const { newWorld } = require('../support/helpers');

const NOWHERE = 'f'.repeat(24);

test('authentication takes one token and no more', async (t) => {
  const world = await newWorld(t);
  const token = await world.token('alice');
  const get = (path, headers) => world.api('GET', path, { headers });
  assert.equal((await get('/user', {})).status, 401);
  assert.deepEqual((await get('/user', { Authorization: 'Bearer nonsense' })).json, { error: 'Unauthorized' });
  assert.equal((await get('/user', { Authorization: `bEaReR ${token}` })).status, 200);
  assert.equal((await get('/user', { 'x-access-token': token })).status, 200);
  assert.equal((await get(`/user?access_token=${token}`, {})).status, 200);
  assert.equal((await get(`/user?access_token=${token}`, { 'x-access-token': 'other' })).status, 400);
  assert.equal((await get('/user', { Authorization: `Bearer ${token} more` })).status, 400);
});

test('bodies: chunked 406 before authentication, malformed 400, large 413', async (t) => {
  const world = await newWorld(t);
  const body = { uri: 'gitterHQ/gitter' };
  const chunked = await world.api('POST', '/rooms', { body, chunked: true });
  assert.equal(chunked.status, 406);
  assert.deepEqual(chunked.json, { error: 'Not Acceptable' });
  await world.test('/settings', { refuseChunked: false });
  const token = await world.token('alice');
  assert.equal((await world.api('POST', '/rooms', { token, body, chunked: true })).status, 200);
  const malformed = await world.api('POST', '/rooms', { token, body: '{"uri":' });
  assert.deepEqual([malformed.status, malformed.json], [400, { error: 'Bad Request' }]);
  const large = await world.api('POST', '/rooms', { token, body: { uri: 'x'.repeat(110000) } });
  assert.equal(large.status, 413);
});

test('the rate limit counts to 100 for each user and client, and tells when it ends', async (t) => {
  const world = await newWorld(t);
  const token = await world.token('alice');
  const seen = [];
  for (let i = 0; i < 101; i += 1) seen.push(await world.api('GET', '/user/me', { token }));
  assert.ok(seen.slice(0, 100).every((answer) => answer.status === 200));
  assert.equal(seen[99].headers['x-ratelimit-remaining'], '0');
  const over = seen[100];
  assert.deepEqual([over.status, over.json], [429, { error: 'Too Many Requests' }]);
  assert.equal(over.headers['retry-after'], undefined);
  assert.equal(over.headers['x-ratelimit-limit'], '100');
  assert.equal(over.headers['x-ratelimit-reset'], seen[0].headers['x-ratelimit-reset']);
  assert.equal((await world.web('POST', '/logout', { token })).status, 429);
  assert.equal((await world.api('GET', '/user/me', { token: await world.token('bob') })).status, 200);
  await world.test('/settings', { timeOffsetMs: 61000 });
  assert.equal((await world.api('GET', '/user/me', { token })).status, 200);
});

test('the user, by each road', async (t) => {
  const world = await newWorld(t);
  const token = await world.token('alice');
  const [me] = (await world.api('GET', '/user', { token })).json;
  assert.deepEqual([me.username, me.url, me.providers], ['alice', '/alice', ['github']]);
  assert.equal((await world.api('GET', '/user/me', { token })).json.id, me.id);
  const bob = await world.userId('bob');
  assert.equal((await world.api('GET', `/user/${bob}`, { token })).status, 403);
  const profile = (await world.api('GET', '/users/carol_gitlab', { token })).json;
  assert.equal(profile.has_gitter_login, true);
  assert.equal((await world.api('GET', '/users/CAROL_gitlab', { token })).status, 404);
});

test('the room list has the member’s rooms and no others', async (t) => {
  const world = await newWorld(t);
  const token = await world.token('alice');
  const list = (await world.api('GET', '/rooms', { token })).json;
  const uris = list.map((room) => room.uri || room.url).sort();
  const wanted = ['/bob', 'gitterHQ/gitter', 'gitterHQ/nodejs', 'walkers', 'walkers/Grüße', 'walkers/secret-paths'];
  assert.deepEqual(uris, wanted);
  const direct = list.find((room) => room.oneToOne);
  assert.deepEqual([direct.name, direct.user.username, direct.uri], ['Bob Builder', 'bob', undefined]);
  const mine = await world.userId('alice');
  assert.deepEqual((await world.api('GET', `/user/${mine}/rooms`, { token })).json, list);
  await world.test('/post', { room: 'gitterHQ/elsewhere', user: 'bob', text: 'ask @alice' });
  const longer = (await world.api('GET', '/rooms', { token })).json;
  assert.equal(longer.find((room) => room.uri === 'gitterHQ/elsewhere').roomMember, false);
});

test('resolving finds, moves, makes one-to-ones and never joins', async (t) => {
  const world = await newWorld(t);
  const token = await world.token('alice');
  const resolve = (uri) => world.api('POST', '/rooms', { token, body: { uri } });
  const found = await resolve('GITTERhq/Elsewhere');
  assert.deepEqual([found.status, found.json.roomMember], [200, false]);
  await world.test('/rename', { room: 'gitterHQ/elsewhere', uri: 'gitterHQ/here' });
  const moved = await resolve('gitterHQ/elsewhere');
  assert.deepEqual([moved.status, moved.json], [301, { error: 'Moved Permanently' }]);
  assert.equal(moved.headers.location, undefined);
  assert.equal((await resolve('gitterHQ/closed')).status, 404);
  assert.equal((await resolve('gitterHQ')).status, 404);
  assert.equal((await resolve('alice')).status, 404);
  assert.equal((await resolve('')).status, 400);
  const made = await resolve('erin');
  assert.deepEqual([made.json.oneToOne, made.json.userCount, made.json.v], [true, 0, undefined]);
  assert.equal((await resolve('erin')).json.id, made.json.id);
});

test('joining and leaving', async (t) => {
  const world = await newWorld(t);
  const token = await world.token('alice');
  const me = await world.userId('alice');
  const join = (id) => world.api('POST', '/user/me/rooms', { token, body: { id } });
  const leave = (id, who = me) => world.api('DELETE', `/rooms/${id}/users/${who}`, { token });
  const { id } = await world.room('gitterHQ/elsewhere');
  assert.equal((await join(id)).json.roomMember, true);
  assert.equal((await join(id)).status, 200);
  assert.equal((await join('nonsense')).status, 400);
  assert.equal((await join(NOWHERE)).status, 500);
  assert.equal((await join((await world.room('gitterHQ/closed')).id)).status, 403);
  assert.equal((await leave(id, 'me')).status, 404);
  assert.deepEqual((await leave(id)).json, { success: true });
  assert.equal((await leave(id)).status, 404);
  const list = (await world.api('GET', '/rooms', { token })).json;
  assert.equal((await leave(list.find((room) => room.oneToOne).id)).status, 400);
  await world.test('/ban', { room: 'gitterHQ/gitter', user: 'alice' });
  assert.equal((await leave((await world.room('gitterHQ/gitter')).id)).status, 403);
});

test('the room gate', async (t) => {
  const world = await newWorld(t);
  const token = await world.token('alice');
  const show = (id) => world.api('GET', `/rooms/${id}`, { token });
  assert.equal((await show('nonsense')).status, 400);
  assert.equal((await show(NOWHERE)).status, 404);
  assert.equal((await show((await world.room('gitterHQ/closed')).id)).status, 403);
  const open = (await show((await world.room('gitterHQ/elsewhere')).id)).json;
  assert.deepEqual([open.roomMember, open.group.uri, open.permissions], [false, 'gitterHQ', { admin: false }]);
});

test('users of a room come in pages of at most 100', async (t) => {
  const world = await newWorld(t);
  const token = await world.token('alice');
  const { id } = await world.room('gitterHQ/gitter');
  for (let i = 0; i < 110; i += 1) {
    await world.test('/user', { username: `extra${i}` });
    await world.test('/join', { room: id, user: `extra${i}` });
  }
  const page = async (query) => (await world.api('GET', `/rooms/${id}/users${query}`, { token })).json.length;
  assert.deepEqual([await page(''), await page('?limit=500'), await page('?skip=100&limit=100')], [30, 100, 14]);
});
