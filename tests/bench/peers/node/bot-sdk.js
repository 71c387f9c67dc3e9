// A minimal bridge on matrix-bot-sdk. Arguments: PORT SINK CONNECTIONS.
'use strict';

require('./without-crypto');

const sdk = require('matrix-bot-sdk');
const { forward } = require('./forward');

sdk.LogService.setLevel(sdk.LogLevel.ERROR);
const appservice = new sdk.Appservice({
    port: Number(process.argv[2]),
    bindAddress: '127.0.0.1',
    homeserverName: 'bench.test',
    homeserverUrl: process.argv[3],
    registration: {
        id: 'bench', as_token: 'as_token_of_the_benchmark', hs_token: 'hs_token_of_the_benchmark',
        sender_localpart: 'gitter', url: '',
        namespaces: {
            users: [{ exclusive: true, regex: '@gitter_.*:bench.test' }], rooms: [], aliases: [],
        },
    },
});
appservice.on('room.message', (room, event) => forward(room, event.content.body));
appservice.begin();
