'use strict';

// Writes what Gitter's own Markdown renderer makes of each sample in corpus.json. The HTML codec's
// unit test reads the result, so that it never meets HTML which we only imagine.

const fs = require('fs');
const path = require('path');
const processChat = require('gitter-markdown-processor/lib/process-chat');

const corpus = path.join(__dirname, 'corpus.json');
const output = path.join(__dirname, '..', 'unit', 'data', 'rendered.json');

// A string of any length, with non-ASCII as escapes, so that invisible characters can be reviewed.
function toAscii(value) {
  const hex = (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0');
  return JSON.stringify(value, null, 1).replace(/[\u007f-\uffff]/g, hex);
}

// The renderer disguises mail addresses at random; a fixed sequence keeps the output reproducible.
let turn = 0;
Math.random = () => (turn++ % 7) / 7;

const samples = JSON.parse(fs.readFileSync(corpus, 'utf8'));
const rendered = samples.map((text) => ({ text, html: processChat(text).html }));
fs.mkdirSync(path.dirname(output), { recursive: true });
fs.writeFileSync(output, toAscii(rendered) + '\n');
process.stdout.write(`${rendered.length} samples rendered\n`);
