/**
 * One jest run, one project for each package. Sources are compiled by swc to CommonJS; dynamic imports are left
 * alone, because node-seal is an ES module and CommonJS reaches it only by a real `import()`.
 */
const packages = [
  'fhe',
  'network',
  'storage-node',
  'chaincode',
  'gateway-client',
  'conformance',
  'experiments',
];

const transform = {
  '^.+\\.ts$': [
    '@swc/jest',
    {
      jsc: {
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
        target: 'es2023',
      },
      module: { type: 'commonjs', ignoreDynamic: true },
      sourceMaps: 'inline',
    },
  ],
};

module.exports = {
  projects: packages.map((name) => ({
    displayName: name,
    rootDir: `${__dirname}/${name}`,
    testEnvironment: 'node',
    testMatch: ['<rootDir>/src/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
    transform,
    // TypeScript's nodenext resolution writes `./x.js` for `./x.ts`.
    moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
    modulePathIgnorePatterns: ['<rootDir>/dist/'],
  })),
  reporters: ['default', '<rootDir>/tools/closing-lines.js'],
  // Modules that a test file loaded stay in memory; a worker that has grown is replaced between two files.
  workerIdleMemoryLimit: '1GB',
  // Long tests say so themselves; this is the limit against a hang.
  testTimeout: 300_000,
};
