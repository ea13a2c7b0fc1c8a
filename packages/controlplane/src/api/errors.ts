import { BulkheadError, errorCatalogue, printable, type ErrorCode, type ProblemDetails } from '@bulkhead/shared'
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'

import type { Logger } from '../logger.ts'

const maxDetail = 2000

/** Errors of the framework, by its own codes. */
const frameworkCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'bad-request',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'bad-request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'bad-request',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'bad-request',
  FST_ERR_VALIDATION: 'bad-request',
  FST_ERR_BAD_URL: 'bad-request',
  FST_ERR_MAX_PARAM_LENGTH: 'bad-request',
}

/** Where the framework repeats the whole of what it was sent. */
const frameworkTexts: Readonly<Record<string, string>> = {
  FST_ERR_BAD_URL: 'the path is not well formed: percent signs must be followed by the bytes of UTF-8 text',
  FST_ERR_MAX_PARAM_LENGTH: 'a part of the path is longer than any name',
}

export function problemOf(error: BulkheadError): ProblemDetails {
  const { status, title } = errorCatalogue[error.code]
  return {
    type: `urn:bulkhead:error:${error.code}`,
    title,
    status,
    code: error.code,
    // Names from requests come back in messages.
    detail: printable(error.message, maxDetail),
    advice: error.advice,
    ...(error.problems.length > 0 ? { problems: error.problems } : {}),
  }
}

/** Null when the error is not meant for people. */
export function translate(error: FastifyError | Error): BulkheadError | null {
  if (error instanceof BulkheadError) return error
  if (!('code' in error)) return null
  const code = frameworkCodes[error.code]
  if (code !== undefined) return new BulkheadError(code, frameworkTexts[error.code] ?? error.message, 'see /v1/openapi.json')
  const status = error.statusCode ?? 500
  return status >= 400 && status < 500 ? new BulkheadError('bad-request', error.message, 'see /v1/openapi.json') : null
}

/** Null: a fault of ours. */
export function sendProblem(reply: FastifyReply, error: BulkheadError | null): FastifyReply {
  const problem = problemOf(
    error ?? new BulkheadError('internal', 'the control plane failed to handle the request', 'look at its log'),
  )
  return reply.status(problem.status).type('application/problem+json').send(problem)
}

/** Every error leaves as problem details; what is not meant for people is logged and told as `internal`. */
export function handleErrors(app: FastifyInstance, logger: Logger): void {
  app.setErrorHandler((error: FastifyError | Error, request, reply) => {
    const known = translate(error)
    if (!known) logger.error({ error, url: request.url }, 'a request failed by a fault of ours')
    return sendProblem(reply, known)
  })
  app.setNotFoundHandler((request, reply) => {
    return sendProblem(
      reply,
      new BulkheadError('not-found', `there is nothing at ${request.method} ${request.url.slice(0, 200)}`, 'see /v1/openapi.json'),
    )
  })
}
