// Both libraries load a native module for end-to-end encryption, which is not in the npm registry
// and which a bridge of plain rooms never calls: an empty one stands in for it.
'use strict';

const Module = require('module');

const load = Module._load;
Module._load = function (name, ...rest) {
    return name === '@matrix-org/matrix-sdk-crypto-nodejs'
        ? new Proxy({}, { get: () => class {} }) : load.call(this, name, ...rest);
};
