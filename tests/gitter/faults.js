'use strict';

// What tests do to the connections: requests delayed, answered with something else, or cut.

const CUTS = ['before', 'middle', 'after'];

class Faults {
  constructor() {
    this.rules = [];
    this.nextId = 1;
    this.served = new WeakSet(); // connections that have carried a request
  }

  add(rule) {
    if (rule.cut !== undefined && !CUTS.includes(rule.cut)) throw new RangeError('cut: before, middle or after');
    const added = { count: 1, path: '', ...rule, id: this.nextId, hits: 0, keptHits: 0 };
    added.pattern = new RegExp(added.path);
    this.nextId += 1;
    this.rules.push(added);
    return this.show(added);
  }

  show({ pattern, ...rule }) {
    return rule;
  }

  list() {
    return this.rules.map((rule) => this.show(rule));
  }

  clear() {
    this.rules = [];
  }

  // The first rule that fits and is not used up. A rule without a path leaves what is live alone.
  take(request) {
    const path = request.url;
    const live = /^\/(bayeux|faye|stream)/.test(path);
    const fits = (rule) => rule.count > rule.hits
      && (!rule.method || rule.method === request.method)
      && (!live || rule.path) && rule.pattern.test(path);
    const rule = this.rules.find(fits);
    if (rule) {
      rule.hits += 1;
      rule.keptHits += this.served.has(request.socket) ? 1 : 0;
    }
    this.served.add(request.socket);
    return rule;
  }

  // Handles the request by `proceed`, or spoils it as the rule says.
  apply(request, response, proceed) {
    const rule = this.take(request);
    if (!rule) {
      proceed();
      return;
    }
    response.fault = rule.id;
    const start = () => this.begin(rule, request, response, proceed);
    // A wait does not keep a finished test alive.
    if (rule.delayMs > 0) setTimeout(start, rule.delayMs).unref();
    else start();
  }

  begin(rule, request, response, proceed) {
    if (rule.cut === 'before') {
      request.socket.destroy();
      return;
    }
    if (rule.cut || rule.delayAnswerMs > 0) replaceEnd(rule, request, response);
    // Ends the connection after an answer that did not announce it.
    if (rule.close) response.on('finish', () => request.socket.end());
    if (rule.status) answerInstead(rule, request, response);
    else proceed();
  }
}

function answerInstead(rule, request, response) {
  request.resume();
  const body = typeof rule.body === 'string' ? rule.body : JSON.stringify(rule.body || {});
  const type = typeof rule.body === 'string' ? 'text/plain' : 'application/json; charset=utf-8';
  response.writeHead(rule.status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), ...rule.headers });
  response.end(body);
}

// The request takes effect; its answer is lost, broken off in the middle, or late.
function replaceEnd(rule, request, response) {
  const { socket } = request;
  const end = response.end.bind(response);
  response.end = (body, ...rest) => {
    if (rule.cut === 'after') {
      socket.destroy();
    } else if (rule.cut === 'middle') {
      const half = Buffer.from(body || '');
      response.write(half.subarray(0, half.length >> 1), () => socket.destroy());
    } else {
      setTimeout(() => end(body, ...rest), rule.delayAnswerMs).unref();
    }
    return response;
  };
}

module.exports = { Faults };
