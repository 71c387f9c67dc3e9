'use strict';

const assert = require('assert/strict');
const test = require('node:test');
const { CLIENT, REDIRECT_URI, newWorld } = require('../support/helpers');

const ALICE = { Cookie: 'gitter_user=alice' };

function authorizePath(changes = {}) {
  const query = {
    client_id: CLIENT.clientKey, response_type: 'code', redirect_uri: REDIRECT_URI, state: 'a b&c', ...changes,
  };
  for (const key of Object.keys(query)) if (query[key] === undefined) delete query[key];
  return `/login/oauth/authorize?${new URLSearchParams(query)}`;
}

async function decide(world, form = {}) {
  const page = await world.web('GET', authorizePath(), { headers: ALICE });
  assert.equal(page.status, 200);
  const [, id] = page.text.match(/name="transaction_id" value="([^"]+)"/);
  const path = '/login/oauth/authorize/decision';
  const answer = await world.web('POST', path, { headers: ALICE, form: { transaction_id: id, ...form } });
  assert.equal(answer.status, 302);
  return new URL(answer.headers.location);
}

function exchange(world, code, changes = {}) {
  const form = {
    client_id: CLIENT.clientKey,
    client_secret: CLIENT.clientSecret,
    code,
    redirect_uri: REDIRECT_URI,
    grant_type: 'authorization_code',
    ...changes,
  };
  for (const key of Object.keys(form)) if (form[key] === undefined) delete form[key];
  return world.web('POST', '/login/oauth/token', { form });
}

test('an anonymous browser is sent to sign in and comes back', async (t) => {
  const world = await newWorld(t);
  const first = await world.web('GET', authorizePath());
  assert.equal(first.status, 302);
  assert.equal(first.headers.location, '/login');
  const cookie = first.headers['set-cookie'][0].split(';')[0];
  const page = await world.web('GET', '/login', { headers: { Cookie: cookie } });
  assert.match(page.text, /value="alice"/);
  const done = await world.web('GET', '/login?as=alice', { headers: { Cookie: cookie } });
  assert.equal(done.headers.location, authorizePath());
  assert.match(done.headers['set-cookie'][0], /^gitter_user=alice;/);
});

test('consent gives a code, the code a token, the token the user', async (t) => {
  const world = await newWorld(t);
  const url = await decide(world);
  assert.ok(url.href.startsWith(`${REDIRECT_URI}&code=`));
  assert.ok(url.href.endsWith('&state=a%20b%26c'));
  const code = url.searchParams.get('code');
  const answer = await exchange(world, code);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['cache-control'], 'no-store');
  assert.equal(answer.headers['transfer-encoding'], 'chunked');
  assert.deepEqual(Object.keys(answer.json), ['access_token', 'token_type']);
  const token = answer.json.access_token;
  assert.match(token, /^[0-9a-f]{40}$/);
  const me = await world.api('GET', '/user', { token });
  assert.equal(me.json[0].username, 'alice');
  const again = await exchange(world, code);
  assert.equal(again.status, 403);
  const second = await exchange(world, (await decide(world)).searchParams.get('code'));
  assert.equal(second.json.access_token, token);
});

test('denial redirects with access_denied and the state', async (t) => {
  const world = await newWorld(t);
  const url = await decide(world, { cancel: 'Deny' });
  assert.equal(url.searchParams.get('error'), 'access_denied');
  assert.equal(url.searchParams.get('state'), 'a b&c');
  assert.equal(url.searchParams.get('code'), null);
});

test('a wrong request to authorize is a page with 401 and no redirect', async (t) => {
  const world = await newWorld(t);
  const wrong = [
    { client_id: 'f'.repeat(40) }, { redirect_uri: `${REDIRECT_URI}/` }, { redirect_uri: undefined },
    { response_type: 'token' }, { response_type: undefined }, { client_id: undefined },
  ];
  for (const changes of wrong) {
    const answer = await world.web('GET', authorizePath(changes), { headers: ALICE });
    assert.equal(answer.status, 401, JSON.stringify(changes));
    assert.match(answer.headers['content-type'], /html/);
    assert.equal(answer.headers.location, undefined);
  }
});

test('each wrong exchange has its status and error', async (t) => {
  const world = await newWorld(t);
  const code = (await decide(world)).searchParams.get('code');
  const other = await world.test('/client', { redirectUri: REDIRECT_URI });
  const table = [
    [{ client_secret: 'wrong' }, 401, 'server_error'],
    [{ client_secret: undefined }, 401, 'server_error'],
    [{ client_id: 'unknown' }, 401, 'server_error'],
    [{ code: undefined }, 400, 'invalid_request'],
    [{ code: 'unknown' }, 403, 'invalid_grant'],
    [{ redirect_uri: 'http://127.0.0.1:9/other' }, 403, 'invalid_grant'],
    [{ client_id: other.clientKey, client_secret: other.clientSecret }, 403, 'invalid_grant'],
    [{ grant_type: undefined }, 501, 'unsupported_grant_type'],
    [{ grant_type: 'password' }, 501, 'unsupported_grant_type'],
  ];
  for (const [changes, status, error] of table) {
    const answer = await exchange(world, code, changes);
    assert.deepEqual([answer.status, answer.json.error], [status, error], JSON.stringify(changes));
  }
  assert.equal((await exchange(world, code)).status, 200);
});

test('logout ends exactly the presented token', async (t) => {
  const world = await newWorld(t);
  const other = await world.test('/client', { redirectUri: REDIRECT_URI });
  const token = await world.token('alice');
  const kept = (await world.test('/token', { user: 'alice', client: other.clientKey })).token;
  assert.notEqual(token, kept);
  const options = { token, headers: { Accept: 'application/json', 'Content-Length': 0 } };
  const answer = await world.web('POST', '/logout', options);
  assert.deepEqual(answer.json, { success: true, redirect: '/' });
  assert.equal((await world.api('GET', '/user', { token })).status, 401);
  assert.equal((await world.api('GET', '/user', { token: kept })).status, 200);
  assert.equal((await world.web('POST', '/logout', options)).status, 401);
});

test('a client made over REST works, and takes its tokens with it', async (t) => {
  const world = await newWorld(t);
  const token = await world.token('alice');
  const body = { name: 'mine', registeredRedirectUri: 'http://127.0.0.1:9/x' };
  const made = (await world.api('POST', '/oauth-clients', { token, body })).json;
  assert.match(made.clientKey, /^[0-9a-f]{40}$/);
  const issued = (await world.test('/token', { user: 'bob', client: made.clientKey })).token;
  const gone = await world.api('DELETE', `/oauth-clients/${made.id}`, { token });
  assert.equal(gone.text, 'OK');
  assert.equal((await world.api('GET', '/user', { token: issued })).status, 401);
});
