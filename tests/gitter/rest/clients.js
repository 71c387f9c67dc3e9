'use strict';

// /oauth-clients: the caller's own OAuth clients.

const { StatusError } = require('../errors');
const { answer } = require('./answers');

function show(client) {
  const { id, name, tag, clientKey, clientSecret, registeredRedirectUri, ownerUserId } = client;
  return { id, name, tag, clientKey, clientSecret, registeredRedirectUri, ownerUserId };
}

function mount(router, store) {
  router.use('/oauth-clients', (req, res, next) => {
    if (!req.user) throw new StatusError(401);
    next();
  });
  const own = (req) => [...store.clients.values()].filter((one) => one.ownerUserId === req.user.id);
  router.get('/oauth-clients', answer((req) => own(req).map(show)));
  router.post('/oauth-clients', answer((req) => {
    const { name, registeredRedirectUri } = req.body;
    if (!name || !registeredRedirectUri) throw new StatusError(400);
    return show(store.addClient({ name, registeredRedirectUri, ownerUserId: req.user.id }));
  }));
  router.delete('/oauth-clients/:id', answer((req) => {
    const client = own(req).find((one) => one.id === req.params.id);
    if (!client) throw new StatusError(404);
    store.removeClient(client);
  }));
}

module.exports = { mount, show };
