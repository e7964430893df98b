/** A text with a capital first letter: a word of the API, such as a status, where people read it. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
