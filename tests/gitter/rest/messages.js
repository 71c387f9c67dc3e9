'use strict';

// /rooms/:roomId/chatMessages. The room gate has been passed before these are reached.

const chats = require('../chats');
const { StatusError } = require('../errors');
const rooms = require('../rooms');
const serialize = require('../serialize');
const { answer } = require('./answers');

function show(store, req, message, initial) {
  return serialize.message(store, message, req.user, initial);
}

function list(store, req) {
  const state = req.user && req.room.perUser.get(req.user.id);
  const found = chats.list(req.room, req.query, state);
  return found.list.map((one) => show(store, req, one, found.initial));
}

// Only clients on the server's list may post for virtual users, and no client is on it.
function send(store, req) {
  if (req.body.virtualUser) throw new StatusError(403);
  const { text, status, parentId } = req.body;
  const sent = chats.send(store, req.room, req.user, { text, status, parentId });
  return show(store, req, sent);
}

function edit(store, req) {
  const message = chats.find(req.room, req.params.messageId);
  if (message.fromUserId !== req.user.id) throw new StatusError(403);
  if (store.now() - message.sent > store.settings.editWindowMs) throw new StatusError(400, 'too late');
  chats.edit(store, req.room, message, req.body.text);
  return show(store, req, message);
}

function remove(store, req, res) {
  const message = chats.find(req.room, req.params.messageId);
  const allowed = message.fromUserId === req.user.id || rooms.isAdmin(req.room, req.user);
  if (!allowed) throw new StatusError(403);
  chats.remove(store, req.room, message);
  res.setHeader('Cache-Control', 'no-cache');
  res.status(204).end();
  return null;
}

function readers(store, req) {
  const message = chats.find(req.room, req.params.messageId);
  const found = [...message.readBy].map((id) => store.users.get(id)).filter(Boolean);
  return found.map((one) => serialize.user(store, one));
}

function mount(router, store) {
  const all = '/rooms/:roomId/chatMessages';
  const one = `${all}/:messageId`;
  const find = (req) => chats.find(req.room, req.params.messageId);
  router.get(all, answer((req) => list(store, req)));
  router.post(all, answer((req) => send(store, req)));
  router.get(one, answer((req) => show(store, req, find(req))));
  router.put(one, answer((req) => edit(store, req)));
  router.delete(one, answer((req, res) => remove(store, req, res)));
  router.get(`${one}/thread`, answer((req) => {
    const replies = chats.thread(req.room, find(req), req.query);
    return replies.map((reply) => show(store, req, reply));
  }));
  router.get(`${one}/readBy`, answer((req) => readers(store, req)));
}

module.exports = { mount };
