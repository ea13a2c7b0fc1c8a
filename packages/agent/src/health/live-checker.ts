import { connect } from 'node:net'

import type { Check } from '@bulkhead/shared'

import { type Engine, EngineError } from '../engine/engine.ts'
import { http } from '../http.ts'
import type { Checker, CheckResult, ProbeTarget } from './checker.ts'

const success: CheckResult = { ok: true, detail: '' }
const failure = (detail: string): CheckResult => ({ ok: false, detail })
/** Of a command's output, for the reason. */
const maxOutput = 200

/** Probes real containers: over their bridge, or inside through the engine. */
export class LiveChecker implements Checker {
  readonly #engine: Engine

  constructor(deps: { readonly engine: Engine }) {
    this.#engine = deps.engine
  }

  check(check: Check, target: ProbeTarget, signal: AbortSignal): Promise<CheckResult> {
    if (check.kind === 'exec') return this.#exec(check.command, target, signal)
    const port = target.ports[check.port]
    if (port === undefined) return Promise.resolve(failure(`there is no port ${check.port}`))
    if (check.kind === 'tcp') return checkTcp(target.address, port, signal)
    return checkHttp(check, target.address, port, signal)
  }

  async #exec(
    command: readonly string[],
    target: ProbeTarget,
    signal: AbortSignal,
  ): Promise<CheckResult> {
    try {
      const execution = await this.#engine.exec(target.containerId, command, signal)
      let output = ''
      for await (const chunk of execution.output) {
        if (output.length < maxOutput) output += chunk.data.toString('utf8')
      }
      const exitCode = await execution.exitCode()
      if (exitCode === 0) return success
      const text = output.trim().slice(0, maxOutput)
      return failure(`exit code ${exitCode}${text === '' ? '' : `: ${text}`}`)
    } catch (error) {
      if (signal.aborted) return failure('no answer in time')
      if (error instanceof EngineError && error.kind !== 'refused') {
        return { ok: null, detail: error.message }
      }
      return failure(error instanceof Error ? error.message : String(error))
    }
  }
}

function checkTcp(host: string, port: number, signal: AbortSignal): Promise<CheckResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal })
    socket.once('connect', () => {
      socket.destroy()
      resolve(success)
    })
    socket.once('error', (error) => resolve(failure(reasonOf(error, signal))))
  })
}

type HttpCheck = Extract<Check, { kind: 'http' }>

function checkHttp(
  check: HttpCheck,
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<CheckResult> {
  return new Promise((resolve) => {
    const headers = { host: `${host}:${port}`, 'user-agent': 'bulkhead-probe', ...check.headers }
    // A connection of its own each time: a kept one would say nothing about whether new ones are accepted.
    const call = http.request({ host, port, path: check.path, headers, signal, agent: false })
    call.once('response', (response) => {
      const status = response.statusCode ?? 0
      response.destroy()
      resolve(status >= 200 && status < 400 ? success : failure(`HTTP ${status}`))
    })
    call.once('error', (error) => resolve(failure(reasonOf(error, signal))))
    call.end()
  })
}

function reasonOf(error: Error, signal: AbortSignal): string {
  if (signal.aborted) return 'no answer in time'
  const code = 'code' in error ? error.code : undefined
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'ECONNRESET') return 'connection reset'
  return error.message
}
