'use strict';

// Bayeux spoken by hand over a WebSocket, for what a client library would hide.

const WebSocket = require('faye-websocket');
const { until } = require('./helpers');

class BayeuxSocket {
  constructor(base, t) {
    this.received = [];
    this.nextId = 1;
    this.ws = new WebSocket.Client(`${base.replace('http', 'ws')}/bayeux`);
    this.ws.on('message', (event) => this.received.push(...JSON.parse(event.data)));
    this.ws.on('close', (event) => { this.closeCode = event.code; });
    this.ws.on('error', () => {});
    t.after(() => this.ws.close());
  }

  // Sends one message and resolves to the answer to it.
  async ask(message) {
    const id = String(this.nextId);
    this.nextId += 1;
    this.ws.send(JSON.stringify([{ ...message, id }]));
    return until(message.channel, () => this.received.find((one) => one.id === id && !one.data));
  }

  async handshake(ext) {
    const supportedConnectionTypes = ['websocket'];
    const answer = await this.ask({ channel: '/meta/handshake', version: '1.0', supportedConnectionTypes, ext });
    this.clientId = answer.clientId;
    return answer;
  }

  // Its answer may take two minutes, so nothing waits for it.
  connect() {
    const { clientId } = this;
    const message = { channel: '/meta/connect', clientId, connectionType: 'websocket', id: 'connect' };
    this.ws.send(JSON.stringify([message]));
  }

  subscribe(subscription, ext) {
    return this.ask({ channel: '/meta/subscribe', clientId: this.clientId, subscription, ext });
  }

  deliveries(channel) {
    return this.received.filter((one) => one.data && (!channel || one.channel === channel));
  }
}

module.exports = { BayeuxSocket };
