/**
 * What texts may consist of, as sources of regular expressions: validation tests with the same ones that the OpenAPI document
 * shows. They are written so that the expressions of all usual languages read them alike: no `\p{…}`, no looking around.
 */

/** Controls, line and paragraph separators, and the marks that turn the direction of what follows. */
const INVISIBLE = String.raw`\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069`;

/** A character that nobody sees: none is in a text of one line. */
export const INVISIBLE_CHARACTER = `[${INVISIBLE}]`;

/** One line, not empty, nothing invisible in it, no white space around it. */
export const NAME_PATTERN = String.raw`^[^\s${INVISIBLE}](?:[^${INVISIBLE}]*[^\s${INVISIBLE}])?$`;

/** The same, or empty. */
export const NAME_OR_EMPTY_PATTERN = `${NAME_PATTERN.slice(0, -1).replace('^', '^(?:')})?$`;

/** Controls but tab, newline and carriage return: none is in a text of several lines. */
export const CONTROL_CHARACTER = String.raw`[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]`;

/** Any number of lines. */
export const TEXT_PATTERN = CONTROL_CHARACTER.replace('[', '^[^') + '*$';

/** All that the database can store: no NUL. What comes in is refused with one, wherever it is. */
export const STORABLE_PATTERN = String.raw`^[^\u0000]*$`;
