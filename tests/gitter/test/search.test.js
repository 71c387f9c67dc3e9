'use strict';

const assert = require('assert/strict');
const test = require('node:test');
const { newWorld } = require('../support/helpers');

// A server with a search engine, and who asks it: gives the URIs of the answer.
async function searching(t, settings = { searchEngine: true }) {
  const world = await newWorld(t);
  const token = await world.token('alice');
  await world.test('/settings', settings);
  const get = (query) => world.api('GET', `/rooms?${new URLSearchParams(query)}`, { token });
  const search = async (q, more = {}) => {
    const answer = await get({ q, ...more });
    assert.equal(answer.status, 200);
    return answer.json.results.map((room) => room.uri);
  };
  return { world, get, search };
}

test('without a search engine there is 500', async (t) => {
  const { get } = await searching(t, {});
  assert.deepEqual([(await get({ q: 'x' })).status], [500]);
  assert.ok(Array.isArray((await get({ q: '' })).json));
});

test('name before topic, then by people, and each word must fit', async (t) => {
  const { world, search } = await searching(t);
  await world.test('/user', { username: 'zed' });
  await world.test('/room', { uri: 'quince/jam', topic: 'spoons' });
  await world.test('/room', { uri: 'other/quinces', members: ['zed'] });
  await world.test('/room', { uri: 'other/topic', topic: 'Quince, of course', members: ['zed', 'alice'] });
  assert.deepEqual(await search('QUINCE'), ['other/quinces', 'quince/jam', 'other/topic']);
  assert.deepEqual(await search('quince spo'), ['quince/jam']);
  assert.deepEqual(await search('uince'), []);
});

test('rooms that cannot be read and conversations are not found', async (t) => {
  const { world, search, get } = await searching(t);
  await world.test('/user', { username: 'zed' });
  await world.test('/one-to-one', { users: ['alice', 'zed'] });
  await world.test('/room', { uri: 'quince/secret', public: false, members: ['zed'] });
  await world.test('/room', { uri: 'quince/ours', public: false, members: ['alice'] });
  assert.deepEqual(await search('quince'), ['quince/ours']);
  assert.deepEqual(await search('zed'), []);
  const [room] = (await get({ q: 'quince' })).json.results;
  assert.deepEqual([room.roomMember, room.userCount, room.security], [true, 1, 'PRIVATE']);
});

test('pages of ten, or of another size', async (t) => {
  const { world, search } = await searching(t);
  const uris = Array.from({ length: 23 }, (_, number) => `quince/n${number}`);
  for (const uri of uris) await world.test('/room', { uri });
  assert.deepEqual(await search('quince'), uris.slice(0, 10));
  assert.deepEqual(await search('quince', { skip: 20 }), uris.slice(20));
  assert.deepEqual(await search('quince', { skip: 5, limit: 3 }), uris.slice(5, 8));
  assert.deepEqual(await search('quince', { skip: 30 }), []);
});
