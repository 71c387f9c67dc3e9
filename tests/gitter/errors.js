'use strict';

const { STATUS_CODES } = require('http');

// An answer that is not a success. Only the status reaches the client; `why` is for the reader.
class StatusError extends Error {
  constructor(status, why) {
    super(why || STATUS_CODES[status]);
    this.status = status;
  }
}

// What Gitter sends for an error: the reason phrase, and for its own failures a number to quote.
function errorBody(status, now) {
  const body = { error: STATUS_CODES[status] || 'Error' };
  if (status >= 500) body.uniqueId = now;
  return body;
}

module.exports = { StatusError, errorBody };
