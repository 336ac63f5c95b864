/**
 * The last lines of a test run: which tests did not run, and why (their title says it; those that need Fabric's
 * binaries share one line), then the count.
 */
class ClosingLines {
  onRunComplete(_contexts, results) {
    const skipped = results.testResults.flatMap((file) =>
      file.testResults.filter((test) => test.status === 'pending' || test.status === 'todo'),
    );
    const [native, others] = [true, false].map((wanted) =>
      skipped.filter((test) => /fabric binaries/i.test(test.fullName) === wanted),
    );
    const lines = others.map((test) => `did not run: ${test.fullName}`);
    if (native.length > 0)
      lines.push(
        `did not run: conformance, fault scenarios, demo and ${native.length} tests in all on real Fabric nodes, for no Fabric binaries are on PATH or in FABRIC_BIN_DIR`,
      );
    const suites = results.numRuntimeErrorTestSuites;
    if (suites > 0) lines.push(`${suites} test file(s) could not be loaded and count as failed.`);
    lines.push(`${results.numPassedTests} passed, ${results.numFailedTests + suites} failed`);
    process.stdout.write(`\n${lines.join('\n')}\n`);
  }
}

module.exports = ClosingLines;
