'use strict';

// Looks at a page as people see it: small and large, light and dark, and through two checkers.

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const axe = require('axe-core');
const { HtmlValidate } = require('html-validate');
const { OUT } = require('./stage');

const WIDTHS = { phone: [320, 640], tablet: [768, 1024], desktop: [1280, 800] };
const SCHEMES = ['light', 'dark'];
const validator = new HtmlValidate({
  extends: ['html-validate:standard', 'html-validate:a11y', 'html-validate:document'],
});

async function checkHtml(name, html) {
  const report = await validator.validateString(html);
  const told = report.results.flatMap((one) => one.messages).map((one) => `${one.ruleId}: ${one.message} (line ${one.line})`);
  assert.deepStrictEqual(told, [], name);
}

async function checkAccess(name, page) {
  if (!await page.evaluate('typeof axe === "object"')) await page.evaluate(axe.source);
  const { violations, incomplete } = await page.evaluate('axe.run()');
  const told = [...violations, ...incomplete].flatMap((rule) => rule.nodes.map((node) => `${rule.id}: ${node.html}`));
  assert.deepStrictEqual(told, [], name);
}

async function checkWidth(name, page) {
  const beyond = await page.evaluate(() => {
    const limit = document.documentElement.clientWidth;
    return [...document.querySelectorAll('*')]
      .filter((one) => one.getBoundingClientRect().right > limit + 0.5 || one.getBoundingClientRect().left < -0.5)
      .map((one) => one.tagName);
  });
  assert.deepStrictEqual(beyond, [], `${name} is wider than its window`);
}

// WCAG 2.2, 2.5.8 asks for 24; fingers like more.
async function checkTargets(name, page) {
  const small = await page.evaluate(() => [...document.querySelectorAll('a, button')]
    .filter((one) => one.getBoundingClientRect().height < 32).map((one) => one.outerHTML));
  assert.deepStrictEqual(small, [], `${name} has small targets`);
}

async function checkHeaders(name, response) {
  const headers = await response.allHeaders();
  for (const [header, value] of [['content-security-policy', /^default-src 'none'; style-src 'sha256-/],
    ['x-content-type-options', /^nosniff$/], ['referrer-policy', /^no-referrer$/], ['x-frame-options', /^DENY$/],
    ['cross-origin-opener-policy', /^same-origin$/], ['cache-control', /^no-store$/], ['permissions-policy', /camera=\(\)/],
    ['content-type', /^text\/html; charset=utf-8$/]]) {
    assert.match(headers[header] || '', value, `${name}: ${header}`);
  }
}

async function look(visitor, name) {
  const { page, response } = visitor;
  const before = page.viewportSize();
  await checkHeaders(name, response);
  await checkHtml(name, await response.text());
  const folder = path.join(OUT, 'screenshots');
  fs.mkdirSync(folder, { recursive: true });
  for (const [kind, [width, height]] of Object.entries(WIDTHS)) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of SCHEMES) {
      const shot = `${name}-${kind}-${colorScheme}`;
      await page.emulateMedia({ colorScheme });
      await checkWidth(shot, page);
      await checkTargets(shot, page);
      if (kind !== 'tablet') await checkAccess(shot, page);
      await page.screenshot({ path: path.join(folder, `${shot}.png`), fullPage: true });
    }
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: 'light' });
}

module.exports = { checkAccess, checkHtml, checkTargets, checkWidth, look };
