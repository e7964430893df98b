import { readFileSync } from 'node:fs';

/**
 * Reads environment variables and notes what is wrong with them instead of throwing, so that all faults can
 * be told at once. An empty variable counts as unset. A fault names the variable and what would be right,
 * never the value: the value may be a secret, or a secret in the wrong variable.
 */
export class EnvironmentReader {
  /** One line each, in the order of reading. */
  readonly faults: string[] = [];
  readonly #set = new Set<string>();

  constructor(private readonly env: NodeJS.ProcessEnv) {}

  /** Notes a fault: `must be …`. */
  fault(name: string, text: string): void {
    this.faults.push(`${name}: ${text}`);
  }

  /** Says whether a variable that was read has a value, be it a faulty one. */
  isSet(name: string): boolean {
    return this.#set.has(name);
  }

  /** A variable without the white space around it. */
  text(name: string): string | undefined {
    const value = this.env[name]?.trim();
    if (!value) return undefined;
    this.#set.add(name);
    return value;
  }

  /** A secret, from the variable or from the file that `<name>_FILE` names, less the newline at its end. */
  secret(name: string): string | undefined {
    const direct = this.env[name]?.trim() ? this.env[name] : undefined;
    const file = this.text(`${name}_FILE`);
    if (direct !== undefined || file !== undefined) this.#set.add(name);
    if (file === undefined) return direct;
    if (direct !== undefined) {
      this.fault(name, `must not be set together with ${name}_FILE`);
      return undefined;
    }
    return this.#content(`${name}_FILE`, file);
  }

  /** A variable in the form that `check` gives it; where it gives none, the variable is at fault. */
  checked<T>(
    name: string,
    check: (text: string) => T | undefined,
    expected: string,
  ): T | undefined {
    return this.#check(name, this.text(name), check, expected);
  }

  /** The same for a secret. */
  checkedSecret<T>(
    name: string,
    check: (text: string) => T | undefined,
    expected: string,
  ): T | undefined {
    return this.#check(name, this.secret(name)?.trim(), check, expected);
  }

  /** A whole number in decimal digits. */
  integer(name: string, fallback: number, min: number, max: number): number {
    const parse = (text: string) => {
      const number = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
      return number >= min && number <= max ? number : undefined;
    };
    return this.checked(name, parse, `a whole number from ${min} to ${max}`) ?? fallback;
  }

  /** One of these words. */
  oneOf(name: string, words: string[], fallback: string): string {
    const parse = (text: string) => (words.includes(text) ? text : undefined);
    return this.checked(name, parse, `one of ${words.join(', ')}`) ?? fallback;
  }

  /** A list with commas between its entries; empty when unset. */
  list(name: string, check: (entry: string) => string | undefined, expected: string): string[] {
    const entries = this.text(name)?.split(',') ?? [];
    return entries.flatMap((entry, index) => {
      const value = check(entry.trim());
      if (value === undefined) this.fault(name, `entry ${index + 1} must be ${expected}`);
      return value ?? [];
    });
  }

  #check<T>(
    name: string,
    text: string | undefined,
    check: (text: string) => T | undefined,
    expected: string,
  ): T | undefined {
    if (text === undefined) return undefined;
    const value = check(text);
    if (value === undefined) this.fault(name, `must be ${expected}`);
    return value;
  }

  #content(name: string, file: string): string | undefined {
    try {
      const content = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
      if (content !== '') return content;
      this.fault(name, 'must name a file that is not empty');
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
      this.fault(name, `must name a file that can be read (${reason})`);
    }
    return undefined;
  }
}
