'use strict';

// The whole way by clicks, and each place where it can end.

const assert = require('node:assert');
const fs = require('node:fs');
const https = require('node:https');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { look } = require('../support/look');
const { Stage } = require('../support/stage');
const { Visitor } = require('../support/visitor');

const stage = new Stage();
before(() => stage.open('login'));
after(() => stage.close());

async function visit(body, options) {
  const visitor = await Visitor.of(stage, options);
  try {
    await body(visitor);
  } finally {
    await visitor.leave();
  }
}

// The bot speaks after the page is shown.
async function told(person, pattern) {
  for (let tries = 0; tries < 200; tries += 1) {
    const { texts } = await stage.ask('told', { user: person.user });
    if (pattern.test(texts.at(-1))) return texts.at(-1);
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  throw new Error(`the bot never said ${pattern}`);
}

test('the first page explains, and leads to the bot', () => visit(async (visitor) => {
  await visitor.open(`${stage.pages}/`);
  await visitor.says('PAGE_HOME_TITLE', 200);
  await look(visitor, 'home');
  const link = visitor.page.getByRole('link', { name: stage.text('PAGE_BOT_LINK') });
  assert.strictEqual(await link.getAttribute('href'), `https://matrix.to/#/${encodeURIComponent(stage.bot)}`);
}));

test('a login from the link to the account', () => visit(async (visitor) => {
  const person = await stage.ask('person');
  await visitor.open(person.link);
  await visitor.says('PAGE_LOGIN_TITLE', 200);
  await visitor.page.getByText(person.user, { exact: true }).waitFor();
  await look(visitor, 'login');
  await visitor.goToGitter(person.gitter);
  await visitor.page.getByRole('button', { name: 'Allow' }).click();
  await visitor.says('PAGE_DONE_TITLE', 200);
  await visitor.page.getByText(person.user, { exact: true }).waitFor();
  await visitor.page.getByText(person.gitter, { exact: true }).waitFor();
  await look(visitor, 'done');
  await told(person, stage.text('LOGGED_IN'));
}));

test('a login without scripts, on a phone', () => visit(async (visitor) => {
  await visitor.logIn(await stage.ask('person'));
}, { javaScriptEnabled: false, viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true }));

test('a login by the keyboard alone', () => visit(async (visitor) => {
  const person = await stage.ask('person');
  const { page } = visitor;
  const focus = () => page.evaluate(() => {
    const style = getComputedStyle(document.activeElement);
    return { name: document.activeElement.textContent.trim(), outline: style.outlineStyle, width: parseFloat(style.outlineWidth) };
  });
  await visitor.open(person.link);
  await page.keyboard.press('Tab');
  assert.deepStrictEqual(await focus(), { name: stage.text('PAGE_NAME'), outline: 'solid', width: 3 });
  await page.keyboard.press('Tab');
  assert.deepStrictEqual(await focus(), { name: stage.text('PAGE_LOGIN_BUTTON'), outline: 'solid', width: 3 });
  await page.keyboard.press('Enter');
  await page.waitForURL(`${stage.gitter}/**`);
  await page.getByRole('button', { name: person.gitter, exact: true }).press('Enter');
  await page.getByRole('button', { name: 'Allow' }).press('Enter');
  await visitor.says('PAGE_DONE_TITLE', 200);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.strictEqual((await focus()).name, stage.text('PAGE_BOT_LINK'));
}));

test('who does not allow it is told so, and can try again', () => visit(async (visitor) => {
  const person = await stage.ask('person');
  await visitor.open(person.link);
  await visitor.goToGitter(person.gitter);
  await visitor.page.getByRole('button', { name: 'Deny' }).click();
  await visitor.says('PAGE_DENIED_TITLE', 200);
  await look(visitor, 'denied');
  const again = /https?:\S+/.exec(await told(person, stage.text('LOGIN_FAILED')))[0];
  await visitor.logIn({ ...person, link: again });
}));

test('a forged link and a forged way back lead nowhere', () => visit(async (visitor) => {
  const { link } = await stage.ask('person');
  const last = link.at(-1) === '0' ? '1' : '0';
  await visitor.open(link.slice(0, -1) + last);
  await visitor.says('PAGE_INVALID_TITLE', 404);
  await look(visitor, 'invalid');
  for (const state of ['forged', 'forged.forged', '', encodeURIComponent(link)]) {
    await visitor.open(`${stage.pages}/callback?code=abc&state=${state}`);
    await visitor.says('PAGE_INVALID_TITLE', 404);
  }
  const state = link.split('/').at(-1); // the right one, but the button was never pressed
  await visitor.open(`${stage.pages}/callback?code=abc&state=${state}`);
  await visitor.says('PAGE_INVALID_TITLE', 404);
}));

test('a second browser is refused, and does the first no harm', () => visit(async (first) => {
  const person = await stage.ask('person');
  await visit(async (second) => {
    await second.open(person.link); // before anybody has pressed the button
    await first.open(person.link);
    await first.goToGitter(person.gitter);
    await second.press('PAGE_LOGIN_BUTTON');
    await second.says('PAGE_BROWSER_TITLE', 403);
    await look(second, 'browser');
    await second.open(person.link);
    await second.says('PAGE_BROWSER_TITLE', 403);
  });
  await first.page.getByRole('button', { name: 'Allow' }).click();
  await first.says('PAGE_DONE_TITLE', 200);
  const callback = first.page.url();
  await visit(async (third) => {
    await third.open(person.link);
    await third.says('PAGE_USED_TITLE', 410);
    await look(third, 'used');
    await third.open(callback);
    await third.says('PAGE_USED_TITLE', 410);
    assert.strictEqual(await third.page.getByText(person.gitter, { exact: true }).count(), 0);
  });
}));

test('a way back caught by another browser is worth nothing there', () => visit(async (first) => {
  const person = await stage.ask('person');
  await first.open(person.link);
  await first.goToGitter(person.gitter);
  const question = await first.page.locator('[name=transaction_id]').getAttribute('value');
  const answer = await first.context.request.post(`${stage.gitter}/login/oauth/authorize/decision`, {
    form: { transaction_id: question }, maxRedirects: 0,
  });
  const caught = answer.headers().location;
  await visit(async (thief) => {
    await thief.open(caught);
    await thief.says('PAGE_BROWSER_TITLE', 403);
  });
  await first.open(caught);
  await first.says('PAGE_DONE_TITLE', 200);
}));

test('reload and the back button do what one expects', () => visit(async (visitor) => {
  const person = await stage.ask('person');
  const { page } = visitor;
  await visitor.open(person.link);
  await page.reload();
  await visitor.says('PAGE_LOGIN_TITLE', 200);
  await visitor.goToGitter(person.gitter);
  await page.goBack();
  while (!page.url().startsWith(stage.pages)) await page.goBack();
  await visitor.says('PAGE_LOGIN_TITLE', 200);
  await visitor.goToGitter(person.gitter);
  await page.getByRole('button', { name: 'Allow' }).click();
  await visitor.says('PAGE_DONE_TITLE', 200);
  await page.reload();
  await visitor.says('PAGE_DONE_TITLE', 200);
  await visitor.open(person.link);
  await visitor.says('PAGE_DONE_TITLE', 200);
}));

test('two tabs of one browser both work', () => visit(async (visitor) => {
  const person = await stage.ask('person');
  const other = await visitor.context.newPage();
  await other.goto(person.link);
  await visitor.open(person.link);
  await other.getByRole('button', { name: stage.text('PAGE_LOGIN_BUTTON') }).click();
  await other.waitForURL(`${stage.gitter}/**`);
  await visitor.goToGitter(person.gitter);
  await visitor.page.getByRole('button', { name: 'Allow' }).click();
  await visitor.says('PAGE_DONE_TITLE', 200);
}));

test('without the cookie the button asks to be pressed again', () => visit(async (visitor) => {
  const person = await stage.ask('person');
  await visitor.open(person.link);
  await visitor.context.clearCookies();
  await visitor.press('PAGE_LOGIN_BUTTON');
  await visitor.says('PAGE_UNPROVEN_TITLE', 403);
  await look(visitor, 'unproven');
  await visitor.follow('PAGE_UNPROVEN_LINK');
  await visitor.goToGitter(person.gitter);
}));

test('a link is too old after its ten minutes, on each page of the way', () => visit(async (visitor) => {
  const person = await stage.ask('person');
  const late = await stage.ask('person');
  await visitor.open(person.link);
  await visit(async (other) => {
    await other.open(late.link);
    await other.goToGitter(late.gitter);
    await stage.ask('expire');
    await other.page.getByRole('button', { name: 'Allow' }).click();
    await other.says('PAGE_EXPIRED_TITLE', 410);
  });
  await visitor.press('PAGE_LOGIN_BUTTON');
  await visitor.says('PAGE_EXPIRED_TITLE', 410);
  await visitor.open(person.link);
  await visitor.says('PAGE_EXPIRED_TITLE', 410);
  await look(visitor, 'expired');
  const again = await stage.ask('say', { user: person.user, text: 'hello' });
  await visitor.logIn({ ...person, link: again.link });
}));

test('the newest link of a user works, older ones do not', () => visit(async (visitor) => {
  const person = await stage.ask('person');
  const again = await stage.ask('say', { user: person.user, text: 'hello' });
  await visitor.open(person.link);
  await visitor.says('PAGE_INVALID_TITLE', 404);
  await visitor.logIn({ ...person, link: again.link });
}));

test('a failure at Gitter is told, with a new link', () => visit(async (visitor) => {
  const person = await stage.ask('person');
  await visitor.open(person.link);
  await visitor.goToGitter(person.gitter);
  await stage.ask('gitter', { call: 'faults', body: { path: '/login/oauth/token', status: 403 } });
  await visitor.page.getByRole('button', { name: 'Allow' }).click();
  await visitor.says('PAGE_FAILED_TITLE', 502);
  await look(visitor, 'failed');
  const again = /https?:\S+/.exec(await told(person, stage.text('LOGIN_FAILED')))[0];
  await visitor.logIn({ ...person, link: again });
}));

test('trouble of our own is told, and the link goes on working', () => visit(async (visitor) => {
  const person = await stage.ask('person');
  await visitor.open(person.link);
  await stage.ask('lock', { is_held: true });
  await visitor.press('PAGE_LOGIN_BUTTON');
  await visitor.says('PAGE_TROUBLE_TITLE', 503);
  await look(visitor, 'trouble');
  await stage.ask('lock', { is_held: false });
  await visitor.logIn(person);
}));

// Chromium holds redirects behind a form to the policy of the page that had it.
test('a Gitter that hands logins on to another host is no dead end', () => visit(async (visitor) => {
  const data = path.join(__dirname, '../../unit/data');
  const options = { cert: fs.readFileSync(path.join(data, 'tls_certificate.pem')), key: fs.readFileSync(path.join(data, 'tls_key.pem')) };
  const other = https.createServer(options, (request, response) => response.end('single sign-on'));
  await new Promise((resolve) => { other.listen(0, '127.0.0.1', resolve); });
  const url = `https://127.0.0.1:${other.address().port}/`;
  const person = await stage.ask('person');
  visitor.mayLeave = true;
  await visitor.open(person.link);
  await stage.ask('gitter', { call: 'faults', body: { path: '/login/oauth/authorize', status: 302, headers: { Location: url } } });
  await visitor.press('PAGE_LOGIN_BUTTON');
  await visitor.page.waitForURL(url);
  other.closeAllConnections();
  other.close();
}, { ignoreHTTPSErrors: true }));

test('a very long Matrix id fits on a small page', () => visit(async (visitor) => {
  const person = await stage.ask('person', { name: `${'w'.repeat(180)}-end` });
  await visitor.open(person.link);
  await look(visitor, 'login-long');
}));
