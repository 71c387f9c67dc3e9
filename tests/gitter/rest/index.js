'use strict';

// The REST API, mounted at /api: the order of the checks, then the resources.

const express = require('express');
const { authenticate, limitRate } = require('../auth');
const { StatusError } = require('../errors');
const { notFound, sendError } = require('./answers');
const clients = require('./clients');
const groups = require('./groups');
const messages = require('./messages');
const roomRoutes = require('./rooms');
const userRoutes = require('./users');

// The smallest PNG: one transparent pixel, for every avatar.
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==',
  'base64',
);

// The server behind gitter.im took no chunked request bodies and said so before it looked at tokens.
function refuseChunked(store) {
  return (req, res, next) => {
    const chunked = /chunked/i.test(req.headers['transfer-encoding'] || '');
    if (chunked && store.settings.refuseChunked) throw new StatusError(406, 'chunked body');
    next();
  };
}

function overrideMethod(req, res, next) {
  const wanted = req.headers['x-http-method-override'];
  if (req.method === 'POST' && wanted) req.method = wanted.toUpperCase();
  next();
}

function allowAnyOrigin(req, res, next) {
  res.setHeader('Access-Control-Allow-Origin', '*');
  if (req.method !== 'OPTIONS') {
    next();
    return;
  }
  res.setHeader('Access-Control-Allow-Methods', 'GET,POST,PUT,DELETE,PATCH');
  res.setHeader('Access-Control-Allow-Headers', req.headers['access-control-request-headers'] || '*');
  res.status(204).end();
}

function create(store, limiter) {
  const router = () => express.Router({ caseSensitive: true });
  const v1 = router();
  v1.use(refuseChunked(store), express.json(), express.urlencoded({ extended: false }));
  v1.use(overrideMethod, authenticate(store), limiter);
  for (const part of [userRoutes, roomRoutes, messages, groups, clients]) part.mount(v1, store);

  const api = router();
  api.use(allowAnyOrigin);
  api.get('/private/health_check', (req, res) => res.type('text').send('OK'));
  api.get('/private/user-avatar/:name', (req, res) => res.type('png').send(PIXEL));
  api.use('/v1', v1);
  api.use(notFound);
  api.use(sendError(store));
  return api;
}

module.exports = { create, limitRate, notFound, sendError };
