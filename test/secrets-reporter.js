import { findTokens } from '../scripts/token-shape.mjs';

/** Fails the run when a test has printed a token, by the console or in the message of a failure. It does not repeat it. */
export default class SecretsReporter {
  #found = [];

  onTestResult(test, { console: printed, failureMessage, testExecError }) {
    const texts = (printed ?? []).map(({ message }) => message);
    texts.push(failureMessage ?? '', testExecError?.stack ?? '');
    const tokens = new Set(texts.flatMap(findTokens));
    this.#found.push(...[...tokens].map((token) => `${test.path}: ${token}`));
  }

  onRunComplete() {
    for (const line of this.#found) process.stderr.write(`a test has printed a token: ${line}\n`);
  }

  /** Jest fails for what it gets here, and says nothing of it. */
  getLastError() {
    return this.#found.length === 0 ? undefined : new Error('tests have printed tokens');
  }
}
