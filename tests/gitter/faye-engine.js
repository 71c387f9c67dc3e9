'use strict';

// The engine behind gitter-faye: its memory engine, with the count of deliveries for each client
// that Gitter puts into `ext.c`, and with deliveries that a test wants lost. The count goes up for
// a lost delivery too, so a client can see the gap.

const MemoryEngine = require('gitter-faye/javascript/engines/memory');
const { newSecret } = require('./store');

class CountingEngine extends MemoryEngine {
  reset() {
    super.reset();
    this.counts = new Map();
    this.losses = [];
  }

  // Lose the next `count` deliveries on channels that contain `channel`.
  loseNext(count, channel = '') {
    this.losses.push({ count, channel });
  }

  isLost(channel) {
    const loss = this.losses.find((one) => one.count > 0 && channel.includes(one.channel));
    if (loss) loss.count -= 1;
    return Boolean(loss);
  }

  subscribers(channel) {
    const found = [];
    if (this._channels[channel]) this._channels[channel].forEach((clientId) => found.push(clientId));
    return found;
  }

  subscriptions(clientId) {
    const found = [];
    if (this._clients[clientId]) this._clients[clientId].forEach((channel) => found.push(channel));
    return found;
  }

  publish({ channel, data }) {
    for (const clientId of this.subscribers(channel)) {
      const c = (this.counts.get(clientId) || 0) + 1;
      this.counts.set(clientId, c);
      if (!this.isLost(channel)) {
        this._messages[clientId] = this._messages[clientId] || [];
        this._messages[clientId].push({ channel, id: newSecret().slice(0, 12), data, ext: { c } });
        this.emptyQueue(clientId);
      }
    }
  }
}

module.exports = { CountingEngine };
