#!/usr/bin/env node

'use strict';

// Runs the simulated Gitter as a program. When it listens, it prints one line {"port": N}.

// The libraries that Gitter pins are old and use what Node has deprecated since.
process.noDeprecation = true;

const fs = require('fs');
const { parseArgs } = require('util');
const { start } = require('./server');

const OPTIONS = {
  port: { type: 'string', default: '0' },
  host: { type: 'string', default: '127.0.0.1' },
  'seed-file': { type: 'string' },
  'redirect-uri': { type: 'string' },
};

async function main() {
  const { values } = parseArgs({ options: OPTIONS });
  const file = values['seed-file'];
  const server = await start({
    port: Number(values.port),
    host: values.host,
    seed: file && JSON.parse(fs.readFileSync(file, 'utf8')),
    redirectUri: values['redirect-uri'],
  });
  process.stdout.write(`${JSON.stringify({ port: server.port })}\n`);
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => server.close().then(() => process.exit(0)));
  }
}

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
