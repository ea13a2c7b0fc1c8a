import { setTimeout as delay } from 'node:timers/promises'

import { type InstanceReport, successorInstanceId } from '@bulkhead/shared'
import fc from 'fast-check'

import { waitFor } from '../../engines/command.ts'
import { conversation, figures, nonsense, runningReport } from '../data/from-agent.ts'
import { anyText } from '../data/json.ts'
import { GoodAgent } from '../run/good-agent.ts'
import { checkAnswer } from '../run/http.ts'
import { type Closing, RawWebSocket } from '../run/raw-websocket.ts'
import { facts, SeededControlPlane, service } from '../run/seeded-control-plane.ts'
import { type Check, expect } from '../run/target.ts'

interface Seen {
  readonly id: string
  readonly node: string | null
  readonly containerId: string | null
}

const sessionPath = '/v1/agent/session'
const answerMs = 15_000
/** By then what was asked over HTTP has been asked of the agent. */
const askedMs = 50
/** Given by the WebSocket library for frames that break its rules; the code is the reason. */
const codesOfFrames = [1002, 1003, 1007, 1009]
const lists = [
  '/v1/instances?all=true',
  '/v1/nodes',
  '/v1/services',
  '/v1/events?limit=1000',
  '/v1/endpoints',
  '/v1/rollouts',
  '/metrics',
]

/** A control plane with one agent that is good, `good`, and one that cannot be trusted, `bad`. */
export class HostileAgents implements AsyncDisposable {
  readonly #cluster: SeededControlPlane
  readonly #tokens: Readonly<Record<'good' | 'bad', string>>
  #good = new GoodAgent()
  #instances: readonly Seen[] = []

  private constructor(
    cluster: SeededControlPlane,
    tokens: Readonly<Record<'good' | 'bad', string>>,
  ) {
    this.#cluster = cluster
    this.#tokens = tokens
  }

  static async start(): Promise<HostileAgents> {
    const cluster = await SeededControlPlane.start()
    try {
      const tokens = { good: await cluster.join('good'), bad: await cluster.join('bad') }
      const hostile = new HostileAgents(cluster, tokens)
      await hostile.#startGood()
      for (const role of ['good', 'bad']) {
        await cluster.ask('POST', `/v1/nodes/${role}/labels`, { set: { role } })
      }
      const on = (role: string, name: string): object =>
        service(name, { replicas: 3, placement: { require: [`role=${role}`] } })
      const documents = [on('good', 'web'), on('bad', 'api')]
      await cluster.ask('POST', '/v1/apply', { documents, allowPending: true })
      await hostile.refresh()
      return hostile
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  checks(): Check[] {
    const batch = fc.record({ texts: conversation, asks: fc.boolean() })
    const frame = fc.record({
      opcode: fc.nat({ max: 15 }),
      payload: fc
        .oneof(
          fc.uint8Array({ maxLength: 300 }),
          anyText.map((text) => Buffer.from(text)),
        )
        .map((bytes) => Buffer.from(bytes)),
      isFinal: fc.boolean(),
      isMasked: fc.boolean(),
    })
    const flood = fc.record({
      text: fc.constantFrom(
        '{"kind":"heartbeat","sequence":1,"engineProblem":""}',
        '{"kind":"status","sequence":1,"reports":[]}',
        '{"kind":"resync","reason":""}',
        `{"kind":"stream-data","stream":1,"channel":"stdout","data":"${'x'.repeat(100_000)}"}`,
      ),
      times: fc.integer({ min: 1, max: 3000 }),
      reads: fc.boolean(),
    })
    const check = <T>(
      name: string,
      runs: number,
      input: fc.Arbitrary<T>,
      run: (value: T) => Promise<void>,
    ): Check => {
      const property = fc.asyncProperty(input, run).beforeEach(() => this.#revive())
      return { name, runs, property }
    }
    return [
      check('conversations of an agent', 20, batch, (it) => this.#converse(it.texts, it.asks)),
      check('figures of an agent', 5, figures, (text) => this.#tell(text)),
      check('messages that do not fit', 20, nonsense, (texts) => this.#converse(texts, false)),
      check('frames that are none', 10, fc.array(frame, { maxLength: 5 }), (it) =>
        this.#frames(it),
      ),
      check('floods', 1, flood, (it) => this.#flood(it.text, it.times, it.reads)),
      check('large messages', 1, fc.nat({ max: 3 }), (which) => this.#large(which)),
    ]
  }

  async #startGood(): Promise<void> {
    this.#good = new GoodAgent()
    const goodFacts = { ...facts, domain: { ...facts.domain, host: 'good' } }
    await this.#good.start(this.#cluster.process.url, this.#tokens.good, goodFacts)
  }

  async #revive(): Promise<void> {
    if (!(await this.#cluster.revive())) return
    this.#good[Symbol.dispose]()
    await this.#startGood()
  }

  /** Throws unless the good agent and what it runs are as if it were alone. */
  async inspect(): Promise<void> {
    await this.#cluster.inspect()
    this.#good.inspect()
    for (const path of lists) checkAnswer('GET', await this.#cluster.call('GET', path))
    await waitFor('what the good agent reports to be on record', 10_000, async () => {
      await this.refresh()
      const running = this.#good.running()
      const recorded = this.#instances.filter(({ node }) => node === 'good')
      return (
        recorded.length === running.size &&
        recorded.every(({ id, containerId }) => running.get(id) === containerId)
      )
    })
  }

  async refresh(): Promise<void> {
    this.#instances = await this.#cluster.items<Seen>('/v1/instances')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#good[Symbol.dispose]()
    await this.#cluster[Symbol.asyncDispose]()
  }

  #connect(): RawWebSocket {
    return new RawWebSocket(this.#cluster.process.url, sessionPath, this.#tokens.bad)
  }

  #own(): string[] {
    return this.#instances.filter(({ node }) => node === 'bad').map(({ id }) => id)
  }

  /** Ids of instances as they are now in the places of those that stand for them. */
  #resolved(text: string): string {
    const own = this.#own()
    const other = this.#instances.filter(({ node }) => node === 'good').map(({ id }) => id)
    return text.replaceAll(/\{(own|next|other):(\d)\}/g, (_, kind: string, index: string) => {
      const ids = kind === 'other' ? other : own
      const id = ids[Number(index) % Math.max(1, ids.length)] ?? 'web-0-none'
      return kind === 'next' ? successorInstanceId(id) : id
    })
  }

  async #converse(texts: readonly string[], asks: boolean): Promise<void> {
    const socket = this.#connect()
    try {
      const [hello, inventory, ...rest] = texts
      for (const text of [hello, inventory])
        if (text !== undefined) socket.sendText(this.#resolved(text))
      await this.#settled(socket)
      await this.refresh()
      const questions = asks ? this.#ask() : Promise.resolve()
      for (const text of rest) socket.sendText(this.#resolved(text))
      await this.#settled(socket)
      socket.destroy()
      await questions
    } finally {
      socket.destroy()
    }
    this.#good.inspect()
    checkAnswer('GET', await this.#cluster.call('GET', '/v1/instances?all=true'))
  }

  /** Runs what it is assigned, and answers what it is asked with `text`. */
  async #tell(text: string): Promise<void> {
    const socket = this.#connect()
    const say = (message: object): void => socket.sendText(JSON.stringify(message))
    try {
      await this.refresh()
      const reports = this.#own().map((id) => runningReport(id))
      say({ kind: 'hello', wireVersion: 1, facts, bootId: 'figures' })
      say({ kind: 'inventory', reports, unmanaged: 0 })
      await this.#settled(socket)
      const questions = this.#ask()
      await delay(askedMs)
      const data = Buffer.from(text).toString('base64')
      for (let stream = 1; stream <= 8; stream++) {
        say({ kind: 'stream-data', stream, channel: 'stdout', data })
        say({ kind: 'stream-end', stream, exitCode: null, error: '' })
      }
      await this.#settled(socket)
      // What it did not answer ends with the connection.
      socket.destroy()
      await questions
    } finally {
      socket.destroy()
    }
  }

  /** What makes the control plane ask the agent something. */
  #ask(): Promise<void> {
    const asked = this.#answers()
    // It is waited for later, and only when nothing else has failed by then.
    asked.catch(() => {})
    return asked
  }

  async #answers(): Promise<void> {
    const [own] = this.#own()
    const paths = [
      '/v1/top/nodes',
      '/v1/top/instances',
      ...(own ? [`/v1/instances/${own}/logs`] : []),
    ]
    const answers = await Promise.all(paths.map((path) => this.#cluster.call('GET', path)))
    for (const answer of answers) checkAnswer('GET', answer)
  }

  async #settled(socket: RawWebSocket): Promise<void> {
    const closing = await socket.outcome(answerMs)
    if (closing) this.#checkClosing(closing)
    else expect(socket.isOpen, 'the connection was dropped without a word')
  }

  #checkClosing({ code, reason }: Closing): void {
    expect(code !== null, 'the connection was dropped without a word')
    const isStated = reason !== '' || codesOfFrames.includes(code)
    expect(isStated, `closed with ${code} and no reason`)
  }

  async #frames(frames: readonly Parameters<RawWebSocket['send']>[0][]): Promise<void> {
    const socket = this.#connect()
    for (const frame of frames) socket.send(frame)
    await Promise.race([socket.closed, delay(30)])
    socket.reset()
    this.#good.inspect()
  }

  async #flood(text: string, times: number, reads: boolean): Promise<void> {
    const socket = this.#connect()
    socket.sendText(JSON.stringify({ kind: 'hello', wireVersion: 1, facts, bootId: 'flood' }))
    socket.sendText('{"kind":"inventory","reports":[],"unmanaged":0}')
    if (!reads) socket.stopReading()
    for (let count = 0; count < times && socket.isOpen; count++) socket.sendText(text)
    if (reads) await this.#settled(socket)
    else await delay(200)
    socket.destroy()
    await this.inspect()
  }

  async #large(which: number): Promise<void> {
    await this.refresh()
    const own = this.#resolved('{own:0}')
    const report = (instance: string): InstanceReport => ({
      ...runningReport(instance),
      origin: own,
    })
    const status = (reports: readonly object[]): string =>
      JSON.stringify({ kind: 'status', sequence: 1, reports })
    const texts: readonly (() => string)[] = [
      () => status(Array.from({ length: 20_000 }, (_, index) => report(`nobody-${index}`))),
      () =>
        status([
          {
            ...report(own),
            observed: { ...report(own).observed, reason: 'x'.repeat(15_000_000) },
          },
        ]),
      () => `"${'x'.repeat(17 * 1024 * 1024)}"`,
      () => JSON.stringify({ kind: 'resync', reason: '['.repeat(4000) }),
    ]
    const socket = this.#connect()
    socket.sendText(JSON.stringify({ kind: 'hello', wireVersion: 1, facts, bootId: 'large' }))
    socket.sendText('{"kind":"inventory","reports":[],"unmanaged":0}')
    socket.sendText(texts[which]?.() ?? '')
    await this.#settled(socket)
    socket.destroy()
    await this.inspect()
  }
}
