'use strict';

// That the checkers find what is wrong, so that their silence about our pages means something.

const assert = require('node:assert');
const { after, before, test } = require('node:test');
const { checkAccess, checkHtml, checkTargets, checkWidth } = require('../support/look');
const { launch } = require('../support/stage');

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

const page = (body, head = '') => `<!DOCTYPE html><html lang="en"><head><title>x</title>${head}</head><body>${body}</body></html>`;

async function finds(check, html) {
  const tab = await browser.newPage({ viewport: { width: 320, height: 480 } });
  await tab.setContent(html);
  await assert.rejects(check('sample', tab), assert.AssertionError);
  await tab.close();
}

test('wrong HTML is found', async () => {
  for (const body of ['<p><div>x</div></p>', '<main><h1>a</h1><h3>b</h3></main>', '<img src="x.png">', '<p id=a></p><p id=a></p>']) {
    await assert.rejects(checkHtml('sample', page(body)), assert.AssertionError, body);
  }
});

test('faint text, a missing heading and a button without name are found', async () => {
  await finds(checkAccess, page('<main><h1>x</h1><p style="color:#999;background:#fff">faint</p></main>'));
  await finds(checkAccess, page('<main><p>x</p></main>'));
  await finds(checkAccess, page('<main><h1>x</h1><button></button></main>'));
});

test('what is too wide or too small is found', async () => {
  await finds(checkWidth, page('<main style="width:400px">x</main>'));
  await finds(checkTargets, page('<a href="x" style="font-size:8px">x</a>'));
});
