import type { Readable } from 'node:stream'

import type Docker from 'dockerode'

type Query = Readonly<Record<string, unknown>>

/** What the client has no typed method for that can also be aborted. Rejects with the client's own errors. */
export async function get<T>(
  docker: Docker,
  path: string,
  signal: AbortSignal,
  query: Query = {},
): Promise<T> {
  const call = { path: `${path}?`, method: 'GET', options: { ...query }, abortSignal: signal }
  return (await dial(docker, call)) as T
}

/** Like `get`, for answers without end. */
export async function getStream(
  docker: Docker,
  path: string,
  query: Query,
  signal: AbortSignal,
): Promise<Readable> {
  const call = { path: `${path}?`, method: 'GET', options: { ...query }, abortSignal: signal }
  return (await dial(docker, { ...call, isStream: true })) as Readable
}

type Call = Omit<Parameters<Docker['modem']['dial']>[0], 'statusCodes'>

function dial(docker: Docker, call: Call): Promise<unknown> {
  return new Promise((resolve, reject) => {
    docker.modem.dial({ ...call, statusCodes: { 200: true } }, (error, result) => {
      if (error) reject(error)
      else resolve(result)
    })
  })
}

export const hasStatus = (error: unknown, status: number): boolean =>
  typeof error === 'object' &&
  error !== null &&
  'statusCode' in error &&
  error.statusCode === status
