import { applyDecorators } from '@nestjs/common';
import { ApiBody, ApiConsumes, ApiOperation, ApiResponse } from '@nestjs/swagger';
import { UPLOAD_LIMIT } from '../http/body-parser.js';

const DESCRIPTION = `
The file is CSV (RFC 4180) or NDJSON in UTF-8, of at most 64 MiB, with at most 64 KiB a row. The columns of CSV, in any order,
are \`email\`, \`name\`, \`role\`, and as many \`attributes.<name>\` as one likes (text; an empty cell is no attribute) or one
\`attributes\` with a JSON object. A row whose e-mail no user of the organization has makes one; any other changes the user's
role and, if it has attributes, all attributes. The rules are those of single users.

The file is received whole and looked through before anything is done: what cannot be read is 400 and changes nothing. Then
the answer has a line for each row, while the work goes on, and a last one with the totals. A row that fails does not undo
others. Importing the same file again changes nothing more, so that is how to go on after an answer without that last line.
`.trim();

const ROWS = {
  csv: 'email,name,role,attributes.department\r\nada@example.com,Ada Lovelace,viewer,Finance\r\n',
  ndjson: `${JSON.stringify({
    email: 'ada@example.com',
    name: 'Ada Lovelace',
    role: 'viewer',
    attributes: { department: 'Finance', costCenters: [4711, 4712] },
  })}\n`,
};

const ANSWER = [
  {
    line: 2,
    email: 'ada@example.com',
    status: 'created',
    userId: 'usr_01h455vb4pex5vsknk084sn02q',
    errors: [],
  },
  {
    line: 3,
    email: 'charles@example.com',
    status: 'failed',
    userId: null,
    errors: [
      {
        pointer: '/role',
        code: 'unknown_role',
        detail: 'Must be the key of a role of this organization.',
      },
    ],
  },
  {
    totals: { rows: 2, created: 1, updated: 0, unchanged: 0, failed: 1 },
    validateOnly: false,
    complete: true,
  },
];

/** Documents the import: what it takes, what it answers. */
export function ImportOperation(): MethodDecorator {
  return applyDecorators(
    ApiOperation({ description: DESCRIPTION }),
    ApiConsumes('text/csv', 'application/x-ndjson'),
    ApiBody({
      required: true,
      schema: { type: 'string', maxLength: UPLOAD_LIMIT },
      examples: {
        'text/csv': { summary: 'CSV', value: ROWS.csv },
        'application/x-ndjson': { summary: 'NDJSON', value: ROWS.ndjson },
      },
    }),
    ApiResponse({
      status: 200,
      description:
        'A line for each row: `status` is `created`, `updated`, `unchanged` or `failed`, `errors` says why it failed. The last line has the totals; `complete` is false, with a `reason`, when the work ended early.',
      content: {
        'application/x-ndjson': {
          schema: { type: 'string' },
          example: ANSWER.map((line) => `${JSON.stringify(line)}\n`).join(''),
        },
      },
    }),
  );
}
