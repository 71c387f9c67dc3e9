'use strict';

// The objects as they go over the wire. Absent values are undefined, so JSON leaves them out.

const rooms = require('./rooms');

const UNREAD_MAX = 100;

function iso(when) {
  return when === undefined ? undefined : new Date(when).toISOString();
}

function avatar(store, username, size) {
  const path = `/api/private/user-avatar/${encodeURIComponent(username)}`;
  if (!size) return store.base + path;
  // Gitter gives a bare path for names with an underscore without a stored picture.
  const prefix = username.includes('_') ? '' : store.base;
  return `${prefix}${path}?s=${size}`;
}

function user(store, one, extra = {}) {
  return {
    id: one.id,
    username: one.username,
    displayName: one.displayName,
    url: `/${one.username}`,
    avatarUrl: avatar(store, one.username),
    avatarUrlSmall: avatar(store, one.username, 60),
    avatarUrlMedium: avatar(store, one.username, 128),
    staff: one.staff,
    removed: one.removed,
    v: one.v,
    ...extra,
  };
}

function roomUser(store, room, one) {
  return user(store, one, {
    role: rooms.isAdmin(room, one) ? 'admin' : undefined,
    online: store.online(one) || undefined,
  });
}

function profile(store, one) {
  return {
    id: one.id,
    username: one.username,
    displayName: one.displayName,
    removed: Boolean(one.removed),
    has_gitter_login: true,
    gravatarImageUrl: avatar(store, one.username),
  };
}

// A sender behind an approved bridge: a made-up user whose id is no ObjectId.
function virtualUser(store, virtual) {
  const picture = virtual.avatarUrl || avatar(store, virtual.externalId);
  return {
    id: `${virtual.type}-${virtual.externalId}`,
    username: virtual.externalId,
    displayName: virtual.displayName,
    avatarUrl: picture,
    avatarUrlSmall: picture,
    avatarUrlMedium: picture,
  };
}

function sender(store, message) {
  if (message.virtualUser) return virtualUser(store, message.virtualUser);
  const one = store.users.get(message.fromUserId);
  return one && user(store, one);
}

// Without a reader this is the realtime form, which says nothing about `unread`.
function message(store, one, reader, initial) {
  const room = store.rooms.get(one.roomId);
  const state = reader && room && room.perUser.get(reader.id);
  return {
    id: one.id,
    text: one.text,
    html: one.html,
    status: one.status,
    sent: iso(one.sent),
    editedAt: iso(one.editedAt),
    parentId: one.parentId,
    threadMessageCount: one.threadMessageCount,
    unread: reader ? Boolean(state && state.unread.has(one.id)) : undefined,
    readBy: one.readBy.size,
    fromUser: sender(store, one),
    virtualUser: one.virtualUser,
    urls: one.urls,
    mentions: one.mentions,
    issues: one.issues,
    meta: [],
    initial: initial === one.id || undefined,
    v: one.v,
  };
}

function group(store, one) {
  return {
    id: one.id,
    name: one.name,
    uri: one.uri,
    homeUri: `${one.uri}/home`,
    backedBy: { type: null, linkPath: null },
    avatarUrl: avatar(store, one.uri),
  };
}

function roomName(store, room, other) {
  if (room.oneToOne) return other ? other.displayName : '';
  if (room.name) return room.name;
  if (!room.group || room.uri === room.group.uri) return room.uri;
  return `${room.group.name}/${room.uri.slice(room.uri.indexOf('/') + 1)}`;
}

function roomKind(room) {
  if (room.oneToOne) return { githubType: 'ONETOONE', public: false };
  return {
    githubType: room.uri.includes('/') ? 'REPO_CHANNEL' : 'ORG',
    security: room.public ? 'PUBLIC' : 'PRIVATE',
    public: room.public,
  };
}

// What a room says to one user: counts, membership, access time.
function perUserPart(room, reader) {
  const state = room.perUser.get(reader.id);
  return {
    unreadItems: state ? Math.min(state.unread.size, UNREAD_MAX) : 0,
    mentions: state ? state.mentions.size : 0,
    lastAccessTime: iso(state && state.lastAccess),
    favourite: state && state.favourite,
    lurk: Boolean(state && state.lurk),
    roomMember: Boolean(state && state.member),
  };
}

const FORMS = {
  list: ['tags', 'permissions'],
  show: ['tags', 'permissions', 'group', 'backend', 'associatedRepo'],
  resolve: ['tags', 'group'],
  join: ['permissions', 'group', 'backend', 'associatedRepo'],
};

function formPart(store, room, reader, form) {
  const all = {
    tags: room.tags,
    permissions: { admin: rooms.isAdmin(room, reader) },
    group: room.group && group(store, room.group),
    backend: { type: null, linkPath: null },
    associatedRepo: false,
  };
  return Object.fromEntries(FORMS[form].map((key) => [key, all[key]]));
}

function plainRoom(store, room, other) {
  return {
    id: room.id,
    name: roomName(store, room, other),
    topic: room.topic,
    uri: room.uri,
    url: room.oneToOne ? other && `/${other.username}` : `/${room.uri}`,
    oneToOne: room.oneToOne,
    user: other && user(store, other),
    // A one-to-one room starts with a count of 0 and without a version.
    userCount: room.v === undefined ? 0 : rooms.members(store, room).length,
    ...roomKind(room),
    noindex: Boolean(room.noindex),
    providers: room.providers,
    groupId: room.group ? room.group.id : undefined,
    avatarUrl: avatar(store, room.uri || (other && other.username) || 'none'),
    v: room.v,
  };
}

function room(store, one, reader, form) {
  const other = one.oneToOne ? rooms.otherUser(store, one, reader) : undefined;
  const parts = [plainRoom(store, one, other), perUserPart(one, reader), formPart(store, one, reader, form)];
  return Object.assign({}, ...parts);
}

function counts(one, reader) {
  const { unreadItems, mentions } = perUserPart(one, reader);
  return { id: one.id, unreadItems, mentions };
}

module.exports = { counts, group, iso, message, profile, room, roomUser, user };
