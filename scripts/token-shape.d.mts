/** See token-shape.mjs. */
export function findTokens(text: string): string[];
