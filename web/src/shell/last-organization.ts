const KEY = 'claviger-organization';

/** The organization that was looked at last in this browser. */
export function lastOrganization(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // Storage may be forbidden.
  }
}

/** Remembers which organization is looked at. */
export function rememberOrganization(id: string): void {
  try {
    localStorage.setItem(KEY, id);
  } catch {
    // Then the first one is opened next time.
  }
}
