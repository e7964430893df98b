import { CommandError } from './command-error.js';

/** What is read from a file that the user named. Errors: {@link CommandError} when it is not there or cannot be read; those of `work`. */
export async function opened<T>(file: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new CommandError(`There is no file ${file}.`);
    if (code === 'EACCES' || code === 'EISDIR') throw new CommandError(`${file} cannot be read.`);
    throw error;
  }
}
