'use strict';

// What a search engine beside Gitter finds. Without the setting `searchEngine` there is none, which
// Gitter answers with 500, as a server does that was set up from its source alone.

const { StatusError } = require('./errors');
const rooms = require('./rooms');

const NAME_SCORE = 2;
const TOPIC_SCORE = 1;

function needEngine(store) {
  if (!store.settings.searchEngine) throw new StatusError(500, 'there is no search engine');
}

function wordsOf(text) {
  return String(text).toLowerCase().split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}

// Each word that is looked for must begin one of the room's; those of its name weigh more.
function score(room, wanted) {
  const inName = wordsOf(room.uri);
  const inTopic = [...wordsOf(room.topic), ...room.tags.flatMap(wordsOf)];
  const scores = wanted.map((word) => {
    if (inName.some((one) => one.startsWith(word))) return NAME_SCORE;
    return inTopic.some((one) => one.startsWith(word)) ? TOPIC_SCORE : 0;
  });
  return scores.every(Boolean) ? scores.reduce((sum, one) => sum + one, 0) : 0;
}

// Best first, and of equal ones those with more people. Nobody is told of rooms they cannot read,
// and conversations of two are in no index.
function findRooms(store, user, text) {
  needEngine(store);
  const wanted = wordsOf(text);
  const hits = [...store.rooms.values()]
    .filter((room) => !room.oneToOne && rooms.canRead(room, user))
    .map((room) => ({ room, score: score(room, wanted), people: rooms.members(store, room).length }))
    .filter((hit) => hit.score > 0);
  hits.sort((a, b) => b.score - a.score || b.people - a.people || (a.room.id < b.room.id ? -1 : 1));
  return hits.map((hit) => hit.room);
}

module.exports = { findRooms };
