'use strict';

// How every REST answer is sent.

const { StatusError, errorBody } = require('../errors');

// Wraps a handler that returns what to answer. Nothing returned is the text OK, as Gitter has it;
// null means that the handler has answered itself.
function answer(handler) {
  return (req, res, next) => {
    try {
      const value = handler(req, res);
      if (value === null) return;
      if (req.method !== 'GET') res.setHeader('Cache-Control', 'no-cache');
      if (value === undefined) res.type('text').send('OK');
      else res.json(value);
    } catch (error) {
      next(error);
    }
  };
}

function notFound() {
  throw new StatusError(404);
}

// Express knows an error handler by its four parameters.
function sendError(store) {
  return (error, req, res, next) => {
    if (res.headersSent) {
      next(error);
      return;
    }
    const status = error.status || error.statusCode || 500;
    if (!(error instanceof StatusError) && status >= 500) process.stderr.write(`${error.stack}\n`);
    if (req.method !== 'GET') res.setHeader('Cache-Control', 'no-cache');
    res.status(status).json(errorBody(status, store.now()));
  };
}

module.exports = { answer, notFound, sendError };
