/** The longest key that a role can have. */
const LONGEST = 63;

/** A key for a role of this name: lower-case letters, digits and hyphens; empty when nothing of the name is left. */
export function suggestRoleKey(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, LONGEST)
    .replace(/-+$/, '');
}
