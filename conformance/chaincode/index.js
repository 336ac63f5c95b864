'use strict';

const { Behaviour } = require('./lib/behaviour.js');
const { Calls } = require('./lib/calls.js');
const { Identity } = require('./lib/identity.js');
const { Queries } = require('./lib/queries.js');
const { State } = require('./lib/state.js');

// The first contract is the default one: its transactions are called without a contract's name.
module.exports.contracts = [State, Queries, Calls, Identity, Behaviour];
