'use strict';

// What other sites, and people who mean no good, may try in somebody's browser.

const assert = require('node:assert');
const http = require('node:http');
const { after, before, test } = require('node:test');
const { look } = require('../support/look');
const { Stage } = require('../support/stage');
const { Visitor } = require('../support/visitor');

const stage = new Stage();
const evil = http.createServer((request, response) => {
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.end(evil.page);
});

before(async () => {
  await stage.open('attack');
  await new Promise((resolve) => { evil.listen(0, 'localhost', resolve); });
  evil.url = `http://localhost:${evil.address().port}/`;
});
after(async () => {
  evil.closeAllConnections();
  evil.close();
  await stage.close();
});

async function visit(body) {
  const visitor = await Visitor.of(stage);
  visitor.mayLeave = true;
  try {
    await body(visitor);
  } finally {
    await visitor.leave();
  }
}

function form(action, fields = {}) {
  const inputs = Object.entries(fields).map(([name, value]) => `<input name="${name}" value="${value}">`);
  return `<!DOCTYPE html><title>x</title><form method="post" action="${action}">${inputs.join('')}<button>Win</button></form>`;
}

async function proofIn(visitor) {
  return visitor.page.locator('input[name=proof]').getAttribute('value');
}

// Mallory's own link, pressed by somebody else's browser, would tie their Gitter account to Mallory's
// Matrix account.
test('a button pressed by another site leads nowhere', () => visit(async (victim) => {
  const mallory = await stage.ask('person');
  let proof;
  await visit(async (herself) => {
    await herself.open(mallory.link);
    proof = await proofIn(herself);
  });
  for (const fields of [{}, { proof }]) {
    evil.page = form(mallory.link, fields);
    await victim.open(evil.url);
    await victim.page.getByRole('button').click();
    await victim.says('PAGE_ELSEWHERE_TITLE', 403);
  }
  await look(victim, 'elsewhere');
  await victim.open(mallory.link); // the victim has even seen the page, and so has a cookie
  evil.page = form(mallory.link, { proof: await proofIn(victim) });
  await victim.open(evil.url);
  await victim.page.getByRole('button').click();
  await victim.says('PAGE_ELSEWHERE_TITLE', 403);
}));

test('the page says whose Matrix account it is before anything is done', () => visit(async (victim) => {
  const mallory = await stage.ask('person');
  await victim.open(mallory.link);
  await victim.page.getByText(mallory.user, { exact: true }).waitFor();
  await victim.page.getByText(stage.text('PAGE_LOGIN')).waitFor();
}));

test('the page shows in no frame', () => visit(async (victim) => {
  const { link } = await stage.ask('person');
  evil.page = `<!DOCTYPE html><title>x</title><iframe src="${link}"></iframe>`;
  await victim.open(evil.url);
  const frame = victim.page.frames().find((one) => one !== victim.page.mainFrame());
  assert.ok(!(await frame.content()).includes('auth_gitter') && !(await frame.content()).includes('proof'));
  assert.match(victim.faults.join(), /frame-ancestors|X-Frame-Options/);
  victim.faults = [];
}));

test('the page keeps no hold of the window that opened it', () => visit(async (victim) => {
  const { link } = await stage.ask('person');
  evil.page = `<!DOCTYPE html><title>x</title><button onclick="window.w = window.open('${link}')">Open</button>`;
  await victim.open(evil.url);
  await victim.page.getByRole('button').click();
  await victim.page.waitForFunction('window.w && window.w.closed'); // for who opened it
}));

test('scripts that got into the page would not run', () => visit(async (victim) => {
  const { link } = await stage.ask('person');
  await victim.open(link);
  await victim.page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.hacked = true';
    document.body.append(script);
    const image = document.createElement('img');
    image.src = 'http://localhost:1/x.png';
    document.body.append(image);
    const style = document.createElement('style');
    style.textContent = 'body { display: none }';
    document.body.append(style);
  });
  assert.strictEqual(await victim.page.evaluate('window.hacked'), undefined);
  assert.strictEqual(await victim.page.evaluate('getComputedStyle(document.body).display'), 'flex');
  const told = victim.faults.join('\n');
  for (const what of ['script', 'image', 'style']) assert.match(told, new RegExp(what, 'i'));
  victim.faults = [];
}));

test('the cookie is out of reach of scripts, and other sites never see it sent', () => visit(async (victim) => {
  const { link } = await stage.ask('person');
  await victim.open(link);
  const [cookie] = await victim.context.cookies();
  assert.deepStrictEqual({ http: cookie.httpOnly, site: cookie.sameSite, path: cookie.path }, { http: true, site: 'Lax', path: '/' });
  assert.match(cookie.value, /^[0-9a-f]{40}$/);
  assert.strictEqual(await victim.page.evaluate('document.cookie'), '');
}));

test('nobody is told where a visitor comes from', () => visit(async (victim) => {
  const person = await stage.ask('person');
  const referers = [];
  victim.page.on('request', async (request) => {
    referers.push((await request.allHeaders()).referer);
  });
  await victim.open(person.link);
  await victim.press('PAGE_LOGIN_BUTTON');
  await victim.page.waitForURL(`${stage.gitter}/**`);
  assert.ok(!referers.some((one) => one && one.startsWith(stage.pages)), referers.join());
}));

test('what is not there, and what cannot be done, has a page', () => visit(async (visitor) => {
  await visitor.open(`${stage.pages}/nothing`);
  await visitor.says('PAGE_ABSENT_TITLE', 404);
  await look(visitor, 'absent');
  evil.page = form(`${stage.pages}/`);
  await visitor.open(evil.url);
  await visitor.page.getByRole('button').click();
  await visitor.says('PAGE_METHOD_TITLE', 405);
  await look(visitor, 'method');
}));

test('what the listener itself refuses has a page', () => visit(async (visitor) => {
  await visitor.open(`${stage.pages}/%00`);
  await visitor.says('PAGE_GARBLED_TITLE', 400);
  await look(visitor, 'garbled');
  const long = 'x'.repeat(70000);
  await visitor.open(`${stage.pages}/callback?state=${long}`);
  await visitor.says('PAGE_LARGE_TITLE', 431);
  await look(visitor, 'large');
  evil.page = form(`${stage.pages}/`, { long });
  await visitor.open(evil.url);
  await visitor.page.getByRole('button').click();
  await visitor.says('PAGE_LARGE_TITLE', 413);
}));

test('who asks too much is told to wait, and nobody else is', () => visit(async (visitor) => {
  const address = '198.51.100.1';
  await visitor.context.setExtraHTTPHeaders({ 'X-Forwarded-For': address });
  let granted = 0; // some come back meanwhile, but one a second only
  while (await visitor.open(`${stage.pages}/`) === 200) granted += 1;
  assert.ok(granted >= stage.rate, `only ${granted} granted`);
  await visitor.says('PAGE_LIMIT_TITLE', 429);
  assert.match((await visitor.response.allHeaders())['retry-after'], /^[1-9][0-9]*$/);
  await look(visitor, 'limit');
  await visit(async (other) => {
    await other.open(`${stage.pages}/`);
    await other.says('PAGE_HOME_TITLE', 200);
  });
}));
