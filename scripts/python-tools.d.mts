/** See python-tools.mjs. */
export function pythonTools(name: string, requirements: string): string;
