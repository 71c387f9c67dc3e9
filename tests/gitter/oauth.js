'use strict';

// OAuth on oauth2orize, which Gitter uses: authorization code grant only, without PKCE, without
// refresh tokens. The texts and statuses of the errors are mostly that library's.

const express = require('express');
const oauth2orize = require('oauth2orize');
const { newSecret } = require('./store');

// Pending questions to users, each bound to the user who was asked.
class Transactions {
  constructor() {
    this.pending = new Map();
  }

  load(req, done) {
    const id = (req.body && req.body.transaction_id) || req.query.transaction_id;
    const found = this.pending.get(id);
    if (!found || found.user.id !== req.user.id) {
      done(new oauth2orize.AuthorizationError('Unable to load the transaction', 'access_denied'));
      return;
    }
    done(null, { ...found, transactionID: id });
  }

  store(req, transaction, done) {
    const id = newSecret().slice(0, 8);
    this.pending.set(id, { ...transaction, user: req.user });
    done(null, id);
  }

  remove(req, id, done) {
    this.pending.delete(id);
    done();
  }
}

// The registered URI must come back byte for byte.
function findClient(store, clientKey, redirectUri) {
  const client = store.clients.get(clientKey);
  if (!client || client.registeredRedirectUri !== redirectUri) return undefined;
  return /^(javascript|data):/i.test(redirectUri) ? undefined : client;
}

// A code works once, for the client and the redirect URI that it was given to.
function exchange(store, client, code, redirectUri) {
  const grant = store.codes.get(code);
  if (!grant || grant.clientKey !== client.clientKey || grant.redirectUri !== redirectUri) return false;
  const user = store.users.get(grant.userId);
  if (!user || user.removed) return false;
  store.codes.delete(code);
  return store.issueToken(user, client);
}

function createServer(store) {
  const server = oauth2orize.createServer({ store: new Transactions() });
  server.grant(oauth2orize.grant.code((client, redirectUri, user, answer, done) => {
    done(null, store.newCode({ clientKey: client.clientKey, redirectUri, userId: user.id }));
  }));
  server.exchange(oauth2orize.exchange.code((client, code, redirectUri, done) => {
    done(null, exchange(store, client, code, redirectUri));
  }));
  return server;
}

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeHtml(text) {
  return String(text).replace(/[&<>"']/g, (c) => ENTITIES[c]);
}

function page(title, body) {
  const head = `<!DOCTYPE html><html><head><meta charset="utf-8"><title>${escapeHtml(title)}</title></head>`;
  return `${head}<body><h1>${escapeHtml(title)}</h1>${body}</body></html>\n`;
}

function askUser(req, res) {
  const { client, transactionID } = req.oauth2;
  const question = `<p>${escapeHtml(client.name)} wants to use your account ${escapeHtml(req.user.username)}.</p>`;
  const form = `<form action="/login/oauth/authorize/decision" method="post">
<input type="hidden" name="transaction_id" value="${escapeHtml(transactionID)}">
<input type="submit" name="allow" value="Allow" id="allow">
<input type="submit" name="cancel" value="Deny" id="deny">
</form>`;
  res.send(page('Authorize', question + form));
}

// Whatever is wrong with a request to authorize, the client is never told.
function refusePage(error, req, res, next) {
  if (res.headersSent) {
    next(error);
    return;
  }
  res.status(401).send(page('Unauthorized', '<p>This application may not ask for access.</p>'));
}

function needLogin(req, res, next) {
  if (req.user) {
    next();
    return;
  }
  res.setHeader('Set-Cookie', `gitter_return=${encodeURIComponent(req.originalUrl)}; Path=/; HttpOnly`);
  res.statusCode = 302;
  res.setHeader('Location', '/login');
  res.end();
}

// HTTP Basic is not accepted: the key and the secret are fields of the body.
function authenticateClient(store) {
  return (req, res, next) => {
    const client = store.clients.get(req.body.client_id);
    if (!client || client.clientSecret !== req.body.client_secret) {
      res.status(401).json({ error: 'server_error', error_description: 'Unauthorized' });
      return;
    }
    req.user = client;
    // Answers of this endpoint are chunked and carry a cookie that means nothing to a client.
    res.setHeader('Transfer-Encoding', 'chunked');
    res.setHeader('Set-Cookie', 'session=none; Path=/; HttpOnly');
    next();
  };
}

function mount(app, store) {
  const server = createServer(store);
  const body = [express.json(), express.urlencoded({ extended: false })];
  const validate = (key, uri, done) => done(null, findClient(store, key, uri) || false, uri);
  const skip = (client, user, done) => done(null, client.canSkipAuthorization);
  app.get('/login/oauth/authorize', needLogin, server.authorization(validate, skip), askUser, refusePage);
  app.post('/login/oauth/authorize/decision', body, needLogin, server.decision(), refusePage);
  app.post('/login/oauth/token', body, authenticateClient(store), server.token(), server.errorHandler());
}

module.exports = { escapeHtml, mount, page };
