'use strict';

// What gitterd makes of Matrix messages (the unit test of its Markdown codec holds it to the same
// file) is shown to Gitter's own renderer: bodies must read as they were typed, HTML must come out
// as the rendering that was reviewed.

const assert = require('node:assert');
const fs = require('node:fs');
const path = require('node:path');
const test = require('node:test');
const processChat = require('gitter-markdown-processor/lib/process-chat');

const file = path.join(__dirname, '..', '..', 'unit', 'data', 'markdown.json');
const samples = JSON.parse(fs.readFileSync(file, 'utf8'));

// The references that the renderer writes or leaves in place. A browser knows them all.
const named = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  nbsp: ' ',
  dollar: '$',
  equals: '=',
  colon: ':',
  commat: '@',
};

function decode(match, name) {
  if (name.startsWith('#')) {
    return String.fromCodePoint(Number(name.slice(1)));
  }
  return name in named ? named[name] : match;
}

// What one reads. Only line breaks and paragraphs may be there beside links and mentions.
function visibleText(html) {
  assert.doesNotMatch(html, /<(?!\/?(a|p|br|span)[ >])/, 'no other markup');
  return html
    .replace(/<br>/g, '\n')
    .replace(/<\/p>/g, '\n\n')
    .replace(/<[^>]*>/g, '')
    .replace(/&(#?\w+);/g, decode);
}

// Gitter keeps neither tabs nor blanks at line ends nor more than one blank line.
function likeGitter(text) {
  return text
    .replace(/\t/g, '    ')
    .replace(/\u00a0/g, ' ')
    .replace(/ +$/gm, '')
    .replace(/\n{2,}/g, '\n\n')
    .replace(/^\n+|\n+$/g, '');
}

test('escaped bodies read as they were typed', () => {
  const bodies = samples.filter((sample) => 'body' in sample);
  assert.ok(bodies.length > 200);
  for (const { body, markdown } of bodies) {
    const shown = visibleText(processChat(markdown).html);
    assert.strictEqual(likeGitter(shown), likeGitter(body), JSON.stringify(markdown));
  }
});

test('Markdown made from HTML renders as reviewed', () => {
  const pages = samples.filter((sample) => 'html' in sample);
  assert.ok(pages.length > 40);
  for (const { markdown, rendered } of pages) {
    assert.strictEqual(processChat(markdown).html, rendered);
  }
});
