'use strict';

// Somebody with a browser of their own: an address, cookies, and eyes for what is wrong.

const assert = require('node:assert');

// What a browser says about a page that answers 4xx or 5xx is no fault of the page.
const EXPECTED = /^Failed to load resource: the server responded with a status of \d+/;

class Visitor {
  static async of(stage, options = {}) {
    const visitor = new Visitor();
    stage.clients += 1;
    visitor.stage = stage;
    visitor.faults = [];
    visitor.context = await stage.browser.newContext({
      viewport: { width: 1280, height: 800 },
      extraHTTPHeaders: { 'X-Forwarded-For': `192.0.2.${stage.clients}` },
      ...options,
    });
    visitor.page = await visitor.context.newPage();
    visitor.page.setDefaultTimeout(20000);
    visitor.watch();
    return visitor;
  }

  watch() {
    this.page.on('console', (message) => {
      const text = message.text();
      if (['error', 'warning'].includes(message.type()) && !EXPECTED.test(text)) this.faults.push(text);
    });
    this.page.on('pageerror', (error) => this.faults.push(String(error)));
    this.page.on('response', (response) => {
      if (response.request().isNavigationRequest()) this.response = response;
    });
    this.page.on('request', (request) => {
      const isOurs = [this.stage.pages, this.stage.gitter, 'data:'].some((one) => request.url().startsWith(one));
      if (!isOurs && !this.mayLeave) this.faults.push(`asks for ${request.url()}`);
    });
  }

  // Every visit ends here: nothing may have been reported meanwhile.
  async leave() {
    await this.context.close();
    assert.deepStrictEqual(this.faults, []);
  }

  async open(url) {
    await this.page.goto(url);
    return this.response.status();
  }

  async says(title, status) {
    await this.page.getByRole('heading', { level: 1, name: this.stage.text(title), exact: true }).waitFor();
    assert.strictEqual(this.response.status(), status);
  }

  async press(name) {
    await this.page.getByRole('button', { name: this.stage.text(name) }).click();
  }

  async follow(name) {
    await this.page.getByRole('link', { name: this.stage.text(name) }).click();
  }

  // From the button to Gitter's question, as the user of that name there.
  async goToGitter(name) {
    await this.press('PAGE_LOGIN_BUTTON');
    await this.page.waitForURL(`${this.stage.gitter}/**`);
    const signIn = this.page.getByRole('button', { name, exact: true });
    const allow = this.page.getByRole('button', { name: 'Allow' });
    await signIn.or(allow).first().waitFor();
    if (await signIn.count()) {
      await signIn.click();
      await allow.waitFor();
    }
  }

  async logIn(person) {
    await this.open(person.link);
    await this.goToGitter(person.gitter);
    await this.page.getByRole('button', { name: 'Allow' }).click();
    await this.says('PAGE_DONE_TITLE', 200);
  }
}

module.exports = { Visitor };
