'use strict';

// Messages: send, edit, delete, list, unread.

const processChat = require('gitter-markdown-processor/lib/process-chat');
const { StatusError } = require('./errors');
const { isId } = require('./ids');
const rooms = require('./rooms');
const spam = require('./spam');

const TEXT_UNITS_MAX = 4096;
const LIST_LIMIT = 50;
const LIST_LIMIT_MAX = 100;
const SKIP_MAX = 5000;

function mentionOf(store, room, sender, { screenName, group }) {
  if (group) {
    const announcement = rooms.isAdmin(room, sender) || undefined;
    const userIds = announcement ? rooms.members(store, room).map((user) => user.id) : [];
    return { screenName, group: true, announcement, userIds };
  }
  const user = store.findUser(screenName);
  return { screenName, userId: user && user.id, userIds: [] };
}

function render(store, room, sender, text) {
  const done = processChat(text);
  return {
    text,
    html: done.html,
    urls: done.urls,
    issues: done.issues,
    mentions: done.mentions.map((one) => mentionOf(store, room, sender, one)),
  };
}

// Length counts UTF-16 code units, as a JavaScript string does.
function checkText(text) {
  if (typeof text !== 'string' || !text) throw new StatusError(400, 'no text');
  if (text.length > TEXT_UNITS_MAX) throw new StatusError(400, 'too long');
}

function insertById(list, message) {
  let at = list.length;
  while (at > 0 && list[at - 1].id > message.id) at -= 1;
  list.splice(at, 0, message);
}

function findParent(room, parentId) {
  if (parentId === undefined) return undefined;
  const parent = isId(parentId) && room.messages.find((one) => one.id === parentId);
  if (!parent || parent.parentId) throw new StatusError(400, 'parent not in this room');
  return parent;
}

function countReply(store, room, parent, difference) {
  parent.threadMessageCount = (parent.threadMessageCount || 0) + difference;
  parent.v += 1;
  store.emit('messageUpdated', room, parent);
}

function markUnread(store, room, message, sender) {
  const named = new Set(message.mentions.flatMap((one) => [one.userId, ...one.userIds]));
  for (const user of store.users.values()) {
    const entry = room.perUser.get(user.id);
    const member = Boolean(entry && entry.member);
    const mentioned = named.has(user.id) && rooms.canRead(room, user);
    if (user.id === sender.id || (!member && !mentioned)) continue;
    const state = rooms.perUser(room, user);
    if (!state.lurk || mentioned) state.unread.add(message.id);
    if (mentioned) state.mentions.add(message.id);
    const shown = member && !state.hidden;
    state.hidden = false;
    if (!shown) store.emit('roomListed', room, user);
    store.emit('unreadChanged', room, user, [message.id]);
  }
}

// `when` (ms) lets a test write history; the sender's rights are the caller's business.
function send(store, room, sender, { text, status, parentId, virtualUser, when }) {
  checkText(text);
  const parent = findParent(room, parentId);
  if (store.settings.spamFilter && spam.isSpam(store, sender, text)) sender.shadowBanned = true;
  const sent = when === undefined ? store.now() : when;
  const message = {
    id: store.newId(sent),
    roomId: room.id,
    fromUserId: sender.id,
    sent,
    status: status ? true : undefined,
    parentId,
    virtualUser,
    readBy: new Set(),
    v: 1,
    ...render(store, room, sender, text),
  };
  // Gitter answers a spammer as if all were well, and keeps nothing.
  if (sender.shadowBanned) return { ...message, v: undefined };
  store.messages.set(message.id, message);
  insertById(room.messages, message);
  if (room.v === undefined) room.v = 1;
  rooms.touch(store, room, sender);
  if (parent) countReply(store, room, parent, 1);
  store.emit('messageCreated', room, message);
  markUnread(store, room, message, sender);
  return message;
}

function find(room, messageId) {
  if (!isId(messageId)) throw new StatusError(500, 'malformed message id');
  const message = room.messages.find((one) => one.id === messageId);
  if (!message) throw new StatusError(404, 'no such message here');
  return message;
}

// A missing text empties the message.
function edit(store, room, message, text) {
  if (text) checkText(text);
  const sender = store.users.get(message.fromUserId);
  Object.assign(message, render(store, room, sender, text || ''));
  message.editedAt = store.now();
  message.v += 1;
  store.emit('messageUpdated', room, message);
}

function remove(store, room, message) {
  if (message.threadMessageCount > 0) {
    Object.assign(message, { text: '', html: '', urls: [], issues: [], mentions: [] });
    message.v += 1;
    store.emit('messageUpdated', room, message);
    return;
  }
  room.messages.splice(room.messages.indexOf(message), 1);
  store.messages.delete(message.id);
  for (const state of room.perUser.values()) {
    state.unread.delete(message.id);
    state.mentions.delete(message.id);
  }
  const parent = message.parentId && store.messages.get(message.parentId);
  if (parent) countReply(store, room, parent, -1);
  store.emit('messageRemoved', room, message);
}

function toLimit(value, standard, max) {
  const limit = parseInt(value, 10);
  return limit > 0 ? Math.min(limit, max) : standard;
}

function around(list, id, limit) {
  const half = Math.floor(limit / 2);
  if (!list.some((one) => one.id === id)) return { list: list.slice(-limit) };
  const before = list.filter((one) => one.id <= id).slice(-half);
  const after = list.filter((one) => one.id > id).slice(0, limit - half);
  return { list: [...before, ...after], initial: id };
}

// Oldest first in every mode. `initial` is the id of the message that was centred on.
function list(room, query, state) {
  for (const key of ['beforeId', 'afterId', 'aroundId']) {
    if (query[key] !== undefined && !isId(query[key])) throw new StatusError(500, 'malformed id');
  }
  const skip = parseInt(query.skip, 10) || 0;
  if (skip > SKIP_MAX) throw new StatusError(400, 'skip too large');
  if (query.q) throw new StatusError(500, 'there is no search engine');
  const limit = toLimit(query.limit, LIST_LIMIT, LIST_LIMIT_MAX);
  const threads = String(query.includeThreads) === 'true';
  let found = room.messages.filter((one) => threads || !one.parentId);
  const firstUnread = state && found.find((one) => state.unread.has(one.id));
  const centre = query.aroundId || (query.marker === 'first-unread' && firstUnread && firstUnread.id);
  if (centre) return around(found, centre, limit);
  if (query.beforeId) found = found.filter((one) => one.id < query.beforeId);
  if (query.afterId) return { list: found.filter((one) => one.id > query.afterId).slice(skip, skip + limit) };
  return { list: found.slice(0, found.length - skip).slice(-limit) };
}

function thread(room, parent, query) {
  const limit = toLimit(query.limit, LIST_LIMIT, LIST_LIMIT_MAX);
  let found = room.messages.filter((one) => one.parentId === parent.id);
  if (query.beforeId) found = found.filter((one) => one.id < query.beforeId);
  if (query.afterId) return found.filter((one) => one.id > query.afterId).slice(0, limit);
  return found.slice(-limit);
}

// A read receipt. Only the first reader of a message is announced.
function read(store, room, user, ids) {
  const state = rooms.perUser(room, user);
  for (const id of ids) {
    const message = store.messages.get(id);
    state.unread.delete(id);
    state.mentions.delete(id);
    if (!message || message.roomId !== room.id || message.fromUserId === user.id) continue;
    const first = message.readBy.size === 0;
    message.readBy.add(user.id);
    if (!first) continue;
    message.v += 1;
    store.emit('messageRead', room, message);
  }
  store.emit('unreadChanged', room, user);
}

module.exports = { edit, find, list, read, remove, send, thread, toLimit };
