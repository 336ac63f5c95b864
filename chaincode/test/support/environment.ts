/** Set before the contracts are loaded: which of them an entry serves, and a quiet shim. */
process.env['STROKESHARE_CONTRACTS'] = 'consortium';
process.env['CORE_CHAINCODE_LOGGING_LEVEL'] = 'CRITICAL';
process.env['CORE_CHAINCODE_LOGGING_SHIM'] = 'CRITICAL';
