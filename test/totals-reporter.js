import { appendFileSync } from 'node:fs';

/** Appends "passed failed skipped" to the file that TEST_TOTALS names, so that several runs can be added up. */
export default class TotalsReporter {
  onRunComplete(_contexts, results) {
    const file = process.env.TEST_TOTALS;
    if (!file) return;
    // A suite that could not even start has no failed test; it must count all the same.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    appendFileSync(file, `${results.numPassedTests} ${failed} ${skipped}\n`);
  }
}
