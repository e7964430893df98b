/** Prints the figures of a tool's run, one line. */
export function report(tool: string, figures: object): void {
  process.stdout.write(`CONTRACT ${tool}: ${JSON.stringify(figures)}\n`);
}
