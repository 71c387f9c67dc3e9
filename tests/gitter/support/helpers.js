'use strict';

// What the tests share: a server with the demo's rooms, calls to it, a wait with a deadline.

process.noDeprecation = true;

const http = require('http');
const demo = require('../demo.json');
const { start } = require('../server');

const DEADLINE_MS = 10000;
const REDIRECT_URI = 'http://127.0.0.1:9/callback?keep=1';
const CLIENT = demo.clients[0];

// One request; resolves to {status, headers, text, json}. Rejects if the connection breaks.
function request(base, method, path, { token, body, form, headers = {}, chunked } = {}) {
  let data;
  const sent = { ...headers };
  if (token) sent.Authorization = `Bearer ${token}`;
  if (body !== undefined) {
    data = typeof body === 'string' ? body : JSON.stringify(body);
    sent['Content-Type'] = 'application/json';
  } else if (form) {
    data = new URLSearchParams(form).toString();
    sent['Content-Type'] = 'application/x-www-form-urlencoded';
  }
  if (data !== undefined && !chunked) sent['Content-Length'] = Buffer.byteLength(data);
  if (chunked) sent['Transfer-Encoding'] = 'chunked';
  return new Promise((resolve, reject) => {
    const req = http.request(base + path, { method, headers: sent, agent: false }, (res) => {
      const parts = [];
      res.on('data', (part) => parts.push(part));
      res.on('error', reject);
      res.on('end', () => {
        const text = Buffer.concat(parts).toString();
        const isJson = /json/.test(res.headers['content-type'] || '') && text;
        resolve({ status: res.statusCode, headers: res.headers, text, json: isJson ? JSON.parse(text) : undefined });
      });
    });
    req.on('error', reject);
    req.end(data);
  });
}

// Polls until `probe` gives something true, and gives that back.
async function until(what, probe) {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > end) throw new Error(`still waiting for ${what}`);
    await new Promise((resolve) => { setTimeout(resolve, 5); });
  }
}

class World {
  constructor(server) {
    this.server = server;
    this.base = server.base;
    this.guests = [];
  }

  // Stops `client` before the server, since a Faye client without its server tries for ever.
  disconnectAtEnd(client) {
    this.guests.push(client);
  }

  async close() {
    for (const guest of this.guests) guest.disconnect();
    const leaving = this.guests.length > 0;
    if (leaving) await until('the guests to leave', async () => (await this.test('/faye')).length === 0);
    await this.server.close();
  }

  // A call of the test side; anything but 200 is a failure of the test.
  async test(path, body) {
    const answer = await request(this.base, body === undefined ? 'GET' : 'POST', `/_test${path}`, { body });
    if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  }

  async token(user) {
    return (await this.test('/token', { user })).token;
  }

  room(uri) {
    return this.test(`/room?room=${encodeURIComponent(uri)}`);
  }

  async userId(name) {
    return (await this.test('/users')).find((one) => one.username === name).id;
  }

  api(method, path, options) {
    return request(this.base, method, `/api/v1${path}`, options);
  }

  web(method, path, options) {
    return request(this.base, method, path, options);
  }
}

// Starts a server for one test and stops it after it.
async function newWorld(t, options = {}) {
  const server = await start({ seed: demo, redirectUri: REDIRECT_URI, ...options });
  const world = new World(server);
  t.after(() => world.close());
  return world;
}

module.exports = { CLIENT, REDIRECT_URI, World, newWorld, request, until };
