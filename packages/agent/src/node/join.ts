import { BulkheadError, errorCatalogue, type ErrorCode, type NodeFacts } from '@bulkhead/shared'
import { Compile } from 'typebox/schema'

import { http, https } from '../http.ts'
import { JoinAnswer } from './schema.ts'

const answerValidator = Compile(JoinAnswer)
const deadlineMs = 15_000
const maxAnswerBytes = 64 * 1024

export interface JoinRequest {
  readonly server: string
  readonly joinToken: string
  readonly name: string
  readonly facts: NodeFacts
}

/**
 * Exchanges a join token for a token of the node's own. Throws a BulkheadError: the server's own words when it
 * refuses, `unreachable` when it does not answer.
 */
export async function joinCluster(request: JoinRequest): Promise<JoinAnswer> {
  const { server, joinToken, name, facts } = request
  const url = new URL('/v1/agent/join', server)
  const { status, body } = await post(url, joinToken, JSON.stringify({ name, facts }))
  const value = parse(body)
  if (status >= 200 && status < 300 && answerValidator.Check(value)) return value
  throw refusal(server, status, value)
}

function refusal(server: string, status: number, value: unknown): BulkheadError {
  const problem: Readonly<Record<string, unknown>> =
    typeof value === 'object' && value !== null ? { ...value } : {}
  const { code, detail, advice } = problem
  const text = typeof detail === 'string' ? detail : `${server} answered with HTTP ${status}`
  const hint = typeof advice === 'string' ? advice : ''
  if (typeof code === 'string' && code in errorCatalogue) {
    return new BulkheadError(code as ErrorCode, text, hint)
  }
  if (status === 401 || status === 403) {
    return new BulkheadError('not-authenticated', text, 'get a token: bulkhead token create --node')
  }
  return new BulkheadError('unreachable', text, 'is this the address of a control plane?')
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    return null
  }
}

function post(url: URL, token: string, body: string): Promise<{ status: number; body: string }> {
  const { request } = url.protocol === 'https:' ? https : http
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      const advice = 'check --server, and that the control plane runs'
      reject(new BulkheadError('unreachable', `${url.origin}: ${error.message}`, advice))
    }
    const signal = AbortSignal.timeout(deadlineMs)
    const call = request(url, { method: 'POST', headers, signal, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
        if (text.length > maxAnswerBytes) response.destroy(new Error('the answer is too long'))
      })
      response.on('error', fail)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
    call.on('error', fail)
    call.end(body)
  })
}
