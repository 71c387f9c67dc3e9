'use strict';

// Gitter's filter against floods. An account that is young and says the same thing again and again
// is believed to be a spammer's for good: everything it says from then on is kept from the others.

const ACCOUNT_AGE_MS = 14 * 24 * 3600 * 1000;
const REPEATS_MS = 12 * 3600 * 1000;
// How often a text may be said: shorter ones are more often meant.
const LIMITS = [{ units: 10, times: 100 }, { units: 20, times: 20 }, { units: Infinity, times: 10 }];

function timesAllowed(text) {
  return LIMITS.find((one) => text.length < one.units).times;
}

function isSpam(store, sender, text) {
  const now = store.now();
  if (now - sender.created >= ACCOUNT_AGE_MS) return false;
  const key = `${sender.id} ${text}`;
  const recent = (store.repeats.get(key) || []).filter((when) => now - when < REPEATS_MS);
  recent.push(now);
  store.repeats.set(key, recent);
  return recent.length > timesAllowed(text);
}

module.exports = { isSpam };
