'use strict';

// As it is deployed: https, ended by a reverse proxy that says who asks.

const assert = require('node:assert');
const fs = require('node:fs');
const http = require('node:http');
const https = require('node:https');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { Stage } = require('../support/stage');
const { Visitor } = require('../support/visitor');

const DATA = path.join(__dirname, '../../unit/data');
const stage = new Stage();
let client = '203.0.113.1';

function pass(request, response) {
  const said = request.headers['x-forwarded-for'];
  const headers = { ...request.headers, 'x-forwarded-for': said ? `${said}, ${client}` : client };
  const { method, url: target } = request;
  const inner = http.request({ host: '127.0.0.1', port: stage.port, method, path: target, headers }, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  request.pipe(inner);
}

const proxy = https.createServer({
  cert: fs.readFileSync(path.join(DATA, 'tls_certificate.pem')),
  key: fs.readFileSync(path.join(DATA, 'tls_key.pem')),
}, pass);

before(async () => {
  await new Promise((resolve) => { proxy.listen(0, '127.0.0.1', resolve); });
  await stage.open('https', `https://127.0.0.1:${proxy.address().port}`);
});
after(async () => {
  proxy.closeAllConnections();
  proxy.close();
  await stage.close();
});

async function visit(body) {
  const visitor = await Visitor.of(stage, { ignoreHTTPSErrors: true });
  try {
    await body(visitor);
  } finally {
    await visitor.leave();
  }
}

test('a login over https, with a cookie that only this host can have set', () => visit(async (visitor) => {
  const person = await stage.ask('person');
  await visitor.open(person.link);
  const { 'strict-transport-security': hsts } = await visitor.response.allHeaders();
  assert.match(hsts, /^max-age=\d{8}/);
  const [cookie] = await visitor.context.cookies();
  assert.match(cookie.name, /^__Host-gitterd_[0-9a-f]{16}$/);
  assert.deepStrictEqual({ secure: cookie.secure, path: cookie.path }, { secure: true, path: '/' });
  await visitor.logIn(person);
  await visitor.page.getByText(person.gitter, { exact: true }).waitFor();
}));

test('the proxy tells its clients apart, whatever they say themselves', () => visit(async (visitor) => {
  client = '203.0.113.2';
  for (let number = 0; await visitor.open(`${stage.pages}/`) === 200; number += 1) {
    await visitor.context.setExtraHTTPHeaders({ 'X-Forwarded-For': `198.51.100.${number % 256}` });
  }
  await visitor.says('PAGE_LIMIT_TITLE', 429);
  client = '203.0.113.3';
  await visitor.open(`${stage.pages}/`);
  await visitor.says('PAGE_HOME_TITLE', 200);
}));
