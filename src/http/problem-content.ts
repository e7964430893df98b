import { type Problem, type ProblemBody, toProblemBody } from './problem.js';

const REQUEST = { context: { id: 'req_01k9x3m2v8f0jsn5w7d4t6qxyz' } };

/** How the OpenAPI document shows a problem: its schema, and as the example what the server says. */
export function problemContent(
  problem: Problem,
): Record<string, { schema: { $ref: string }; example: ProblemBody }> {
  return {
    'application/problem+json': {
      schema: { $ref: '#/components/schemas/Problem' },
      example: toProblemBody(problem, REQUEST),
    },
  };
}
