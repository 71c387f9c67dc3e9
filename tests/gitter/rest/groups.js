'use strict';

// /groups, as far as reading goes.

const { StatusError } = require('../errors');
const rooms = require('../rooms');
const serialize = require('../serialize');
const { answer } = require('./answers');

function find(store, req) {
  const group = store.groups.get(req.params.groupId);
  if (!group) throw new StatusError(404);
  return group;
}

function groupsOf(store, user) {
  const own = new Set(rooms.listFor(store, user).map((room) => room.group).filter(Boolean));
  return [...own].map((group) => serialize.group(store, group));
}

function roomsOf(store, group, user) {
  const seen = [...store.rooms.values()].filter((room) => room.group === group && rooms.canRead(room, user));
  return seen.map((room) => serialize.room(store, room, user, 'list'));
}

function mount(router, store) {
  router.use('/groups', (req, res, next) => {
    if (!req.user) throw new StatusError(401);
    next();
  });
  router.get('/groups', answer((req) => groupsOf(store, req.user)));
  router.get('/groups/:groupId', answer((req) => serialize.group(store, find(store, req))));
  router.get('/groups/:groupId/rooms', answer((req) => roomsOf(store, find(store, req), req.user)));
}

module.exports = { groupsOf, mount };
