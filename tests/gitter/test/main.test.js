'use strict';

// The servers as programs.

const assert = require('assert/strict');
const { spawn } = require('child_process');
const { once } = require('events');
const path = require('path');
const readline = require('readline');
const test = require('node:test');
const demo = require('../demo.json');
const { request } = require('../support/helpers');

async function run(t, file, ...args) {
  const program = spawn(process.execPath, [path.join(__dirname, '..', file), '--port', '0', ...args]);
  t.after(() => program.kill('SIGKILL'));
  const [line] = await once(readline.createInterface(program.stdout), 'line');
  return { program, base: `http://127.0.0.1:${JSON.parse(line).port}` };
}

async function terminate(program) {
  program.kill('SIGTERM');
  const [code] = await once(program, 'exit');
  assert.equal(code, 0);
}

test('the program says its port, plants the seed and ends when told', async (t) => {
  const seedFile = path.join(__dirname, '..', 'demo.json');
  const redirectUri = 'http://127.0.0.1:9/there';
  const { program, base } = await run(t, 'main.js', '--seed-file', seedFile, '--redirect-uri', redirectUri);
  assert.equal((await request(base, 'GET', '/api/private/health_check')).status, 200);
  const query = new URLSearchParams({
    client_id: demo.clients[0].clientKey, response_type: 'code', redirect_uri: redirectUri,
  });
  const headers = { Cookie: 'gitter_user=alice' };
  assert.equal((await request(base, 'GET', `/login/oauth/authorize?${query}`, { headers })).status, 200);
  await terminate(program);
});

test('a seed file that is not there ends the program with 1', async (t) => {
  const program = spawn(process.execPath, [path.join(__dirname, '..', 'main.js'), '--seed-file', '/nowhere']);
  t.after(() => program.kill('SIGKILL'));
  const [code] = await once(program, 'exit');
  assert.equal(code, 1);
});

test('the second Bayeux server runs as a program too', async (t) => {
  const { program, base } = await run(t, 'faye-server.js', '--token', 'b'.repeat(40), '--user-id', 'me');
  const supportedConnectionTypes = ['long-polling'];
  const ext = { token: 'b'.repeat(40) };
  const body = [{ channel: '/meta/handshake', version: '1.0', supportedConnectionTypes, ext }];
  const answer = await request(base, 'POST', '/bayeux', { body });
  assert.deepEqual(answer.json[0].ext, { userId: 'me' });
  await terminate(program);
});
