'use strict';

// The requests seen, for tests to read. Secrets in a query are never kept.

const ENTRIES_MAX = 10000;
const SECRET = /([?&](?:access_token|client_secret|code)=)[^&]*/g;

class RequestLog {
  constructor() {
    this.entries = [];
    this.seen = 0;
  }

  add(entry) {
    this.seen += 1;
    this.entries.push({ n: this.seen, time: new Date().toISOString(), ...entry });
    if (this.entries.length > ENTRIES_MAX) this.entries.shift();
  }

  // Notes the request when its answer is out, or its connection gone without one.
  watch(request, response) {
    const { method } = request;
    const path = request.url.replace(SECRET, '$1…');
    const started = Date.now();
    response.on('close', () => {
      this.add({
        method,
        path,
        status: response.statusCode,
        complete: response.writableFinished,
        user: response.locals && response.locals.username,
        fault: response.fault,
        ms: Date.now() - started,
      });
    });
  }

  since(n) {
    return this.entries.filter((entry) => entry.n > n);
  }

  clear() {
    this.entries = [];
  }
}

module.exports = { RequestLog };
