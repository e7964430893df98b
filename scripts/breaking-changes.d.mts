/** What in the document `after` breaks callers that were written for `before`, one sentence each. */
export function breakingChanges(before: object, after: object): string[];

/** Whether the section of what is not released yet declares that something breaks. */
export function declaresBreaking(changelog: string): boolean;
