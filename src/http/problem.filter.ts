import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isOAuthRequest, OAUTH_CONTENT_TYPE, oauthHeaders, toOAuthBody } from './oauth-problem.js';
import { isInternal, problemFrom } from './problem-from.js';
import { type Problem, PROBLEM_CONTENT_TYPE, toProblemBody } from './problem.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** The code of the problem that this request is answered with, for the trail. */
    problemCode?: string;
  }
}

/** Global: every error that reaches Nest or Fastify's error handler becomes problem+json here. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('http');

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = problemFrom(error);
    if (isInternal(problem)) {
      this.logger.error('an answer failed', { requestId: request.context?.id, error });
    }
    if (reply.sent) return;
    void reply.send(writeProblem(problem, request, reply));
  }
}

/** Sets status and headers of a problem and gives its body as text: problem+json, or what OAuth wants under `/oauth`. */
export function writeProblem(
  problem: Problem,
  request: FastifyRequest,
  reply: FastifyReply,
): string {
  request.problemCode = problem.code;
  const isOAuth = isOAuthRequest(request);
  reply.code(problem.status).headers({
    'Cache-Control': 'no-store',
    ...(isOAuth ? oauthHeaders(problem, request) : problem.extra?.headers),
    'Content-Type': isOAuth ? OAUTH_CONTENT_TYPE : PROBLEM_CONTENT_TYPE,
  });
  return JSON.stringify(isOAuth ? toOAuthBody(problem, request) : toProblemBody(problem, request));
}
