// Forwards messages to the sink, in order in each room, from memory: at most CONNECTIONS at a time.
'use strict';

const http = require('http');

const [, , , sink, connections] = process.argv;
const target = new URL(sink);
const agent = new http.Agent({ keepAlive: true, maxSockets: Number(connections) });
const rooms = new Map(); // room -> texts that wait, the first being under way

function post(room, text) {
    const body = JSON.stringify({ text });
    const request = http.request({
        host: target.hostname, port: target.port, agent, method: 'POST',
        path: `/rooms/${encodeURIComponent(room)}/chatMessages`,
        headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) },
    }, (answer) => {
        answer.resume();
        answer.on('end', () => next(room));
    });
    request.on('error', () => post(room, text));
    request.end(body);
}

function next(room) {
    const queue = rooms.get(room);
    queue.shift();
    if (queue.length > 0) {
        post(room, queue[0]);
    } else {
        rooms.delete(room);
    }
}

exports.forward = (room, text) => {
    const queue = rooms.get(room);
    if (queue) {
        queue.push(text);
    } else {
        rooms.set(room, [text]);
        post(room, text);
    }
};
