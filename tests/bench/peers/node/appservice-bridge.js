// A minimal bridge on matrix-appservice-bridge. Arguments: PORT SINK CONNECTIONS.
'use strict';

require('./without-crypto');

const { AppServiceRegistration, Bridge } = require('matrix-appservice-bridge');
const { forward } = require('./forward');

const bridge = new Bridge({
    homeserverUrl: process.argv[3],
    domain: 'bench.test',
    registration: AppServiceRegistration.fromObject({
        id: 'bench', as_token: 'as_token_of_the_benchmark', hs_token: 'hs_token_of_the_benchmark',
        sender_localpart: 'gitter', url: '', rate_limited: false,
        namespaces: {
            users: [{ exclusive: true, regex: '@gitter_.*:bench.test' }], rooms: [], aliases: [],
        },
    }),
    disableStores: true,
    controller: {
        onUserQuery: () => ({}),
        onEvent: (request) => {
            const event = request.getData();
            if (event.type === 'm.room.message') {
                forward(event.room_id, event.content.body);
            }
        },
    },
});
bridge.run(Number(process.argv[2]), undefined, '127.0.0.1');
