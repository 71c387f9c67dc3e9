'use strict';

// Ids as MongoDB makes them: seconds since the epoch, five bytes of the process, a counter, in 24
// lowercase hex digits. Within one second only the counter orders them.

const PROCESS_PART = '5e7d0c1b2a';
const ID = /^[0-9a-f]{24}$/i;

class Ids {
  constructor() {
    this.counter = 0;
  }

  // `when` is a time in milliseconds.
  next(when) {
    this.counter = (this.counter + 1) & 0xffffff;
    const seconds = Math.floor(when / 1000) >>> 0;
    const hex = (value, digits) => value.toString(16).padStart(digits, '0');
    return hex(seconds, 8) + PROCESS_PART + hex(this.counter, 6);
  }
}

function isId(value) {
  return typeof value === 'string' && ID.test(value);
}

module.exports = { Ids, isId };
