'use strict';

// Who is asking: bearer tokens, and the count of requests for each user and client.

const { StatusError } = require('./errors');

// The token presented, undefined if there is none. Two different ones are an error, and so is an
// Authorization header that is not exactly two words.
function presentedToken(req) {
  const found = new Set();
  const header = req.headers.authorization;
  if (header !== undefined) {
    const words = header.split(' ');
    if (words.length !== 2) throw new StatusError(400, 'malformed Authorization');
    if (/^bearer$/i.test(words[0])) found.add(words[1]);
  }
  if (req.headers['x-access-token']) found.add(req.headers['x-access-token']);
  if (req.query.access_token) found.add(String(req.query.access_token));
  if (found.size > 1) throw new StatusError(400, 'two different tokens');
  return found.values().next().value;
}

// Tokens that start with `$`, and those of removed users, count as anonymous.
function identify(store, token) {
  if (!token) return undefined;
  if (token.startsWith('$')) return { token, anonymous: true };
  const held = store.tokens.get(token);
  const user = held && store.users.get(held.userId);
  if (!user) return undefined;
  return { token, clientKey: held.clientKey, user: user.removed ? undefined : user };
}

function refuseLostProvider(store, req, res, user) {
  store.revokeTokensOf(user);
  const json = (req.headers.accept || '*/*').match(/json|\*\/\*/);
  if (!json) throw new StatusError(401);
  res.status(401).json({ success: false, loginRequired: true });
}

function authenticate(store) {
  return (req, res, next) => {
    const caller = identify(store, presentedToken(req));
    if (!caller) throw new StatusError(401, 'no valid token');
    if (caller.user && caller.user.providerLost) {
      refuseLostProvider(store, req, res, caller.user);
      return;
    }
    req.caller = caller;
    req.user = caller.user;
    res.locals.username = caller.user && caller.user.username;
    next();
  };
}

// A fixed window that starts with the first request; refused requests count too.
function limitRate(store) {
  const windows = new Map();
  return (req, res, next) => {
    const { rateLimit, rateWindowMs } = store.settings;
    const now = store.now();
    const key = req.user ? `${req.user.id} ${req.caller.clientKey}` : req.caller.token;
    let bucket = windows.get(key);
    if (!bucket || now >= bucket.end) {
      bucket = { count: 0, end: now + rateWindowMs };
      windows.set(key, bucket);
    }
    bucket.count += 1;
    res.setHeader('X-RateLimit-Limit', rateLimit);
    res.setHeader('X-RateLimit-Remaining', Math.max(0, rateLimit - bucket.count));
    res.setHeader('X-RateLimit-Reset', Math.ceil(bucket.end / 1000) * 1000);
    if (bucket.count > rateLimit) throw new StatusError(429);
    next();
  };
}

module.exports = { authenticate, identify, limitRate, presentedToken };
