#!/usr/bin/env node

'use strict';

// Takes TLS off and passes the bytes on: stands before a server that speaks plain HTTP.
//
//   node tls.js PORT      prints {"port": N}; what comes there goes to PORT on 127.0.0.1
//
// The certificate beside it is for localhost and 127.0.0.1, signed by itself, valid for a century,
// and its key is public: for tests only.

const fs = require('fs');
const net = require('net');
const path = require('path');
const tls = require('tls');

const target = Number(process.argv[2]);
const options = {
  cert: fs.readFileSync(path.join(__dirname, 'cert.pem')),
  key: fs.readFileSync(path.join(__dirname, 'key.pem')),
};

function join(one, other) {
  one.pipe(other);
  one.on('error', () => other.destroy());
  one.on('close', () => other.destroy());
}

const server = tls.createServer(options, (outside) => {
  const inside = net.connect(target, '127.0.0.1');
  join(outside, inside);
  join(inside, outside);
});

server.on('tlsClientError', () => {});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: server.address().port })}\n`);
});
