'use strict';

const assert = require('assert/strict');
const test = require('node:test');
const { newWorld } = require('../support/helpers');

async function prepared(t) {
  const world = await newWorld(t);
  const token = await world.token('alice');
  const { id } = await world.room('gitterHQ/gitter');
  const path = `/rooms/${id}/chatMessages`;
  const send = (body) => world.api('POST', path, { token, body });
  const list = async (query) => (await world.api('GET', `${path}${query}`, { token })).json;
  return { world, token, id, path, send, list };
}

test('a sent message comes back rendered', async (t) => {
  const { send } = await prepared(t);
  const answer = await send({ text: '**hi** @bob @nobody #11 http://example.com/?a=1&b=2' });
  assert.equal(answer.status, 200);
  const message = answer.json;
  assert.match(message.html, /^<strong>hi<\/strong> <span data-link-type="mention"/);
  assert.deepEqual(message.mentions.map((one) => Boolean(one.userId)), [true, false]);
  assert.deepEqual(message.issues, [{ number: '11' }]);
  assert.deepEqual(message.urls, [{ url: 'http://example.com/?a=1&amp;b=2' }]);
  assert.deepEqual([message.v, message.meta, message.fromUser.username], [1, [], 'alice']);
  assert.equal(message.editedAt, undefined);
});

test('text has 1 to 4096 UTF-16 units', async (t) => {
  const { send } = await prepared(t);
  const status = async (body) => (await send(body)).status;
  assert.equal(await status({ text: 'x'.repeat(4096) }), 200);
  assert.equal(await status({ text: 'x'.repeat(4097) }), 400);
  assert.equal(await status({ text: '😀'.repeat(2048) }), 200);
  assert.equal(await status({ text: '😀'.repeat(2049) }), 400);
  assert.equal(await status({ text: '' }), 400);
  assert.equal(await status({}), 400);
  assert.equal(await status({ text: 'x', parentId: 'nonsense' }), 400);
  assert.equal(await status({ text: 'x', virtualUser: { type: 'matrix', externalId: 'a:b' } }), 403);
});

test('a banned user may not send, a stranger to a public room may', async (t) => {
  const { world, send, path } = await prepared(t);
  const erin = await world.token('erin');
  assert.equal((await world.api('POST', path, { token: erin, body: { text: 'passing by' } })).status, 200);
  await world.test('/ban', { room: 'gitterHQ/gitter', user: 'alice' });
  assert.equal((await send({ text: 'x' })).status, 403);
});

test('lists are oldest first, whatever they are asked for', async (t) => {
  const { world, list } = await prepared(t);
  const texts = Array.from({ length: 120 }, (_, i) => `m${i}`);
  const { ids } = await world.test('/post-many', { room: 'gitterHQ/gitter', user: 'bob', texts });
  const short = async (query) => {
    const found = (await list(query)).map((one) => one.text);
    return [found.length, found[0], found[found.length - 1]];
  };
  assert.deepEqual(await short(''), [50, 'm70', 'm119']);
  assert.deepEqual(await short('?limit=1000'), [100, 'm20', 'm119']);
  assert.deepEqual(await short(`?beforeId=${ids[100]}&limit=10`), [10, 'm90', 'm99']);
  assert.deepEqual(await short(`?afterId=${ids[10]}&limit=10`), [10, 'm11', 'm20']);
  assert.deepEqual(await short(`?aroundId=${ids[60]}&limit=10`), [10, 'm56', 'm65']);
  assert.deepEqual(await short('?skip=100&limit=10'), [10, 'm10', 'm19']);
});

test('a list with a malformed id is an error of the server', async (t) => {
  const { world, token, path } = await prepared(t);
  const answer = await world.api('GET', `${path}?afterId=nonsense`, { token });
  assert.equal(answer.status, 500);
  assert.equal(typeof answer.json.uniqueId, 'number');
  assert.equal((await world.api('GET', `${path}/nonsense`, { token })).status, 500);
  assert.equal((await world.api('GET', `${path}/${'f'.repeat(24)}`, { token })).status, 404);
  assert.equal((await world.api('GET', `${path}?skip=5001`, { token })).status, 400);
});

test('replies are left out unless asked for, and count on their parent', async (t) => {
  const { world, token, path, send, list } = await prepared(t);
  const parent = (await send({ text: 'parent' })).json;
  const reply = (await send({ text: 'reply', parentId: parent.id })).json;
  assert.equal((await list('')).some((one) => one.id === reply.id), false);
  assert.equal((await list('?includeThreads=true')).some((one) => one.id === reply.id), true);
  const thread = (await world.api('GET', `${path}/${parent.id}/thread`, { token })).json;
  assert.deepEqual(thread.map((one) => one.id), [reply.id]);
  const now = (await world.api('GET', `${path}/${parent.id}`, { token })).json;
  assert.deepEqual([now.threadMessageCount, now.v], [1, 2]);
});

test('edits: by the sender, within ten minutes', async (t) => {
  const { world, token, path, send } = await prepared(t);
  const { id } = (await send({ text: 'before' })).json;
  const edit = (body, who = token) => world.api('PUT', `${path}/${id}`, { token: who, body });
  const edited = (await edit({ text: 'after' })).json;
  assert.deepEqual([edited.text, edited.v, typeof edited.editedAt], ['after', 2, 'string']);
  assert.equal((await edit({ text: 'not mine' }, await world.token('bob'))).status, 403);
  assert.equal((await edit({})).json.text, '');
  await world.test('/settings', { timeOffsetMs: 601000 });
  assert.equal((await edit({ text: 'late' })).status, 400);
});

test('deletes: gone, or a husk while there are replies', async (t) => {
  const { world, token, path, send } = await prepared(t);
  const parent = (await send({ text: 'parent' })).json;
  const reply = (await send({ text: 'reply', parentId: parent.id })).json;
  const remove = (id, who = token) => world.api('DELETE', `${path}/${id}`, { token: who });
  assert.equal((await remove(parent.id, await world.token('bob'))).status, 403);
  const first = await remove(parent.id);
  assert.deepEqual([first.status, first.text], [204, '']);
  const husk = (await world.api('GET', `${path}/${parent.id}`, { token })).json;
  assert.deepEqual([husk.text, husk.html, husk.editedAt], ['', '', undefined]);
  assert.equal((await remove(reply.id)).status, 204);
  assert.equal((await remove(parent.id)).status, 204);
  assert.equal((await remove(parent.id)).status, 404);
});

test('a shadow-banned sender is told that all went well', async (t) => {
  const { world, token, path, send } = await prepared(t);
  await world.test('/update-user', { user: 'alice', shadowBanned: true });
  const answer = await send({ text: 'unheard' });
  assert.deepEqual([answer.status, answer.json.v], [200, undefined]);
  assert.equal((await world.api('GET', `${path}/${answer.json.id}`, { token })).status, 404);
});

test('what is unread can be listed and read', async (t) => {
  const { world, token, id } = await prepared(t);
  await world.test('/post', { room: id, user: 'bob', text: 'look @alice' });
  const rooms = (await world.api('GET', '/user/me/unreadItems', { token })).json;
  assert.equal(rooms.find((room) => room.id === id).mentions, 1);
  const path = `/user/me/rooms/${id}/unreadItems`;
  const { chat } = (await world.api('GET', path, { token })).json;
  assert.equal((await world.api('POST', path, { token, body: {} })).status, 400);
  assert.deepEqual((await world.api('POST', path, { token, body: { chat } })).json, { success: true });
  assert.deepEqual((await world.api('GET', path, { token })).json, { chat: [], mention: [] });
});
