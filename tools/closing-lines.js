/** The last lines of a test run: which tests did not run, and why (their title says it), then the count. */
class ClosingLines {
  onRunComplete(_contexts, results) {
    const skipped = results.testResults.flatMap((file) =>
      file.testResults.filter((test) => test.status === 'pending' || test.status === 'todo'),
    );
    const lines = skipped.map((test) => `did not run: ${test.fullName}`);
    const suites = results.numRuntimeErrorTestSuites;
    if (suites > 0) lines.push(`${suites} test file(s) could not be loaded and count as failed.`);
    lines.push(`${results.numPassedTests} passed, ${results.numFailedTests + suites} failed`);
    process.stdout.write(`\n${lines.join('\n')}\n`);
  }
}

module.exports = ClosingLines;
