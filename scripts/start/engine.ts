import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { StartProblem } from './problem.ts'

/** The node's name in the example. */
export const exampleNode = 'local'
const systemSocket = '/var/run/docker.sock'
const answerTimeoutMs = 2000
const startTimeoutMs = 40_000
const stopTimeoutMs = 30_000

/** An engine that answers; `stop` ends it when it was started here, and does nothing else. */
export interface RunningEngine {
  readonly socket: string
  readonly startedHere: boolean
  stop(): Promise<void>
}

/** Asks an engine; resolves with the status and the body, or null when it does not answer. */
export function ask(
  socketPath: string,
  path: string,
  method = 'GET',
): Promise<{ status: number; body: string } | null> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path, method, timeout: answerTimeoutMs }, (response) => {
      let body = ''
      response.on('data', (data) => (body += String(data)))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    asked.on('error', () => resolve(null))
    asked.on('timeout', () => asked.destroy())
    asked.end()
  })
}

const answers = async (socketPath: string): Promise<boolean> =>
  (await ask(socketPath, '/_ping'))?.status === 200

/** The example's networks outlive their containers, and without this even the engine, as bridges of the host. */
export async function removeNetworks(socket: string): Promise<void> {
  const answer = await ask(socket, '/networks')
  const networks = JSON.parse(answer?.body ?? '[]') as { Id: string; Labels: Record<string, string> | null }[]
  for (const { Id, Labels } of networks) {
    if (Labels?.['bulkhead.node'] === exampleNode) await ask(socket, `/networks/${Id}`, 'DELETE')
  }
}

/** The socket of DOCKER_HOST, or the system's. Engines across the network are none of this machine's. */
function candidate(): string {
  const host = process.env['DOCKER_HOST']
  if (host === undefined || host === '') return systemSocket
  if (host.startsWith('unix://')) return host.slice('unix://'.length)
  throw new StartProblem(`DOCKER_HOST is ${host}`, 'the example runs on an engine of this machine', 'unset DOCKER_HOST or make it unix:///…')
}

async function waitForEngine(socket: string, engine: ChildProcess, log: string): Promise<void> {
  const deadline = performance.now() + startTimeoutMs
  while (performance.now() < deadline) {
    if (await answers(socket)) return
    if (engine.exitCode !== null || engine.signalCode !== null) break
    await delay(100)
  }
  const tail = readFileSync(log, 'utf8').trim().split('\n').slice(-5).join('\n  ')
  throw new StartProblem('the Docker engine did not start', `its last words were:\n  ${tail}`, `see ${log}`)
}

/** Uses the engine that answers, or starts one of its own below `directory` when this is root. */
export async function findOrStartEngine(directory: string): Promise<RunningEngine> {
  const socket = candidate()
  if (await answers(socket)) return { socket, startedHere: false, stop: () => Promise.resolve() }
  if (process.getuid?.() !== 0) {
    throw new StartProblem(
      `no Docker engine answers at ${socket}`,
      existsSync(socket) ? 'you may lack the permission to use it' : 'and only root can start one',
      'start Docker, or run this as root',
    )
  }
  mkdirSync(directory, { recursive: true })
  const own = join(directory, 'docker.sock')
  const hadBridge = existsSync('/sys/class/net/docker0')
  const log = `${directory}.log`
  const file = openSync(log, 'a')
  const argv = ['--data-root', join(directory, 'data'), '--exec-root', join(directory, 'exec')]
  argv.push('--pidfile', join(directory, 'dockerd.pid'), '-H', `unix://${own}`)
  const engine = spawn('dockerd', argv, { stdio: ['ignore', file, file], detached: true })
  closeSync(file)
  const ended = new Promise<void>((resolve) => {
    engine.once('exit', () => resolve())
    engine.once('error', () => resolve())
  })
  await waitForEngine(own, engine, log)
  return {
    socket: own,
    startedHere: true,
    async stop() {
      engine.kill('SIGTERM')
      await Promise.race([ended, delay(stopTimeoutMs, undefined, { ref: false })])
      engine.kill('SIGKILL')
      if (!hadBridge) spawnSync('ip', ['link', 'delete', 'docker0'], { stdio: 'ignore' })
    },
  }
}
