import type { InstanceView, NodeView, ServiceView } from '@bulkhead/shared'
import { BulkheadError, type Client, sleep } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import { DetailedError } from '../errors/detailed-error.ts'
import { listed } from '../kinds/kinds.ts'
import { formatElapsed, formatLimit } from '../output/quantity.ts'
import { styleFor } from '../output/style.ts'
import { cleanText, plural } from '../output/text.ts'
import { follow, followed } from '../wait/follow.ts'
import { isOnNode, shownStuck, type Stuck, stuckOf } from './stuck.ts'

/** Within this time the control plane has looked at the services of a node that is to be drained. */
const settleMs = 400

export interface Drain {
  readonly name: string
  /** Whether what is left is stopped some time, replaced or not. */
  readonly hasDeadline: boolean
}

interface DrainDeps {
  readonly client: Client
  readonly cli: Cli
}

const remedy = ({ name, hasDeadline }: Drain): string =>
  hasDeadline
    ? `see bulkhead get instances --node ${name}`
    : `bulkhead node drain ${name} --deadline 1m stops what is left`

function warn(stuck: readonly Stuck[], drain: Drain, cli: Cli): void {
  const { yellow } = styleFor(cli.stderr, cli.env)
  for (const one of stuck) {
    cli.stderr.write(`${yellow('warning:')} node ${drain.name}: ${shownStuck(one)}\n`)
  }
}

const silent: readonly string[] = ['suspect', 'lost', 'down']

/** On a node that does not answer nothing can be stopped. */
export function warnOfSilence({ name, state, reason }: NodeView, cli: Cli): void {
  if (!silent.includes(state)) return
  const { yellow } = styleFor(cli.stderr, cli.env)
  const why = reason === '' ? '' : ` (${cleanText(reason)})`
  const advice = 'nothing on it can be stopped until its agent and its engine answer'
  cli.stderr.write(`${yellow('warning:')} node ${name}: it is ${state}${why}; ${advice}\n`)
}

/** Says what cannot leave the node, once the control plane has tried. */
export async function warnOfStuck(drain: Drain, { client, cli }: DrainDeps): Promise<void> {
  const { signal } = cli
  await sleep(cli.clock, settleMs, signal)
  const [instances, services] = await Promise.all([
    client.list('instances', { node: drain.name }, signal),
    client.list('services', {}, signal),
  ])
  const stuck = stuckOf(instances.items, services.items)
  warn(stuck, drain, cli)
  if (stuck.length > 0) cli.stderr.write(`node ${drain.name}: ${remedy(drain)}\n`)
}

interface Left {
  readonly instances: readonly InstanceView[]
  readonly stuck: readonly Stuck[]
}

/** Resolves when nothing is left on the node; `onChange` is told what is. */
async function followLeft(
  name: string,
  client: Client,
  signal: AbortSignal,
  onChange: (left: Left) => void,
): Promise<void> {
  const instances = followed<InstanceView>()
  const services = followed<ServiceView>()
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const look = (): void => {
    if (!instances.isListed) return
    const left = [...instances.items.values()].filter((instance) => isOnNode(instance))
    if (left.length === 0) resolve()
    else onChange({ instances: left, stuck: stuckOf(left, [...services.items.values()]) })
  }
  const stop = new AbortController()
  const given = { client, onChange: look, signal: AbortSignal.any([signal, stop.signal]) }
  const ofNode = { query: { node: name }, into: instances, key: listed.instances.key }
  const ofAll = { query: {}, into: services, key: listed.services.key }
  follow('instances', { ...given, ...ofNode }).catch(reject)
  follow('services', { ...given, ...ofAll }).catch(reject)
  try {
    await promise
  } finally {
    stop.abort(new Error('the wait is over'))
  }
}

function late({ name, ...rest }: Drain, { instances, stuck }: Left, timeoutMs: number) {
  const message = `node ${name}: not drained after ${formatLimit(timeoutMs)}`
  const [only] = stuck
  if (only === undefined) {
    const why = instances.length === 0 ? '' : `: ${plural(instances.length, 'instance')} left`
    const advice = remedy({ name, hasDeadline: true })
    return new BulkheadError('timed-out', `${message}${why}`, advice)
  }
  const lines = stuck.map((one) => shownStuck(one))
  const why = stuck.length === 1 ? shownStuck(only) : `${plural(stuck.length, 'service')} cannot move`
  return new DetailedError('timed-out', `${message}: ${why}`, {
    advice: remedy({ name, ...rest }),
    lines: stuck.length === 1 ? [] : lines,
    details: { stuck },
  })
}

/** Resolves when nothing runs on the node any more. Throws BulkheadError `timed-out`, with what stays and why. */
export async function waitUntilDrained(
  drain: Drain,
  timeoutMs: number,
  { client, cli }: DrainDeps,
): Promise<void> {
  const { name } = drain
  const startMs = cli.clock.monotonicMs()
  const stop = new AbortController()
  let left: Left = { instances: [], stuck: [] }
  let shown = -1
  const warned = new Set<string>()
  const show = (now: Left): void => {
    left = now
    const { length } = now.instances
    if (length !== shown) cli.stdout.write(`node ${name}: ${plural(length, 'instance')} left\n`)
    shown = length
    const news = now.stuck.filter(({ service }) => !warned.has(service))
    for (const { service } of news) warned.add(service)
    warn(news, drain, cli)
  }
  const timer = cli.clock.after(timeoutMs, () => stop.abort(late(drain, left, timeoutMs)))
  try {
    await followLeft(name, client, AbortSignal.any([stop.signal, cli.signal]), show)
  } finally {
    timer.cancel()
  }
  const took = formatElapsed(cli.clock.monotonicMs() - startMs)
  cli.stdout.write(`node ${name}: drained in ${took}\n`)
}
