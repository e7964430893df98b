/** Prints the figures of a test, one line, for docs/operations.md. */
export function report(what: string, figures: object): void {
  process.stdout.write(`FAULTS ${what}: ${JSON.stringify(figures)}\n`);
}
