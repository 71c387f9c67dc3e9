'use strict';

// The web host: who is signed in (a cookie with the user's name), sign-in page, logout.

const express = require('express');
const { authenticate } = require('./auth');
const oauth = require('./oauth');

function cookies(req) {
  const pairs = (req.headers.cookie || '').split(/; */).filter((pair) => pair.includes('='));
  return Object.fromEntries(pairs.map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1))];
  }));
}

function signedIn(store) {
  return (req, res, next) => {
    const user = store.findUser(cookies(req).gitter_user);
    if (user && !user.removed) req.user = user;
    next();
  };
}

function loginPage(store, next) {
  const back = oauth.escapeHtml(next);
  const buttons = [...store.users.values()].map((user) => {
    const name = oauth.escapeHtml(user.username);
    return `<button type="submit" name="as" value="${name}">${name}</button>`;
  });
  const hidden = `<input type="hidden" name="next" value="${back}">`;
  return oauth.page('Sign in', `<form action="/login" method="get">${hidden}${buttons.join(' ')}</form>`);
}

function login(store, req, res) {
  const back = req.query.next || cookies(req).gitter_return || '/';
  if (req.query.as === undefined) {
    res.send(loginPage(store, back));
    return;
  }
  if (!store.findUser(req.query.as)) {
    res.status(404).send(oauth.page('Not found', '<p>There is no such user.</p>'));
    return;
  }
  res.setHeader('Set-Cookie', `gitter_user=${encodeURIComponent(req.query.as)}; Path=/; HttpOnly`);
  res.statusCode = 302;
  res.setHeader('Location', back);
  res.end();
}

// Ends exactly the token that was presented. It is the only way to revoke one.
function logout(store, req, res) {
  store.revokeToken(req.caller.token);
  if (/json/.test(req.headers.accept || '')) res.json({ success: true, redirect: '/' });
  else res.redirect('/');
}

function mount(app, store, limiter) {
  app.use('/login', signedIn(store));
  app.get('/login', (req, res) => login(store, req, res));
  app.get('/', (req, res) => res.send(oauth.page('Gitter', '<p>Simulated for tests.</p>')));
  app.post('/logout', express.json(), authenticate(store), limiter, (req, res) => logout(store, req, res));
  oauth.mount(app, store);
}

module.exports = { mount };
