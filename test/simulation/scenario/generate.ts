import { Random } from '../random.ts'
import { mixFaults } from './faults.ts'
import { withOutages } from './outages.ts'
import { drawPeople } from './people.ts'
import { withPressure } from './pressure.ts'
import { drawReactions } from './reactions.ts'
import { drawReturns } from './returns.ts'
import type { NodePlan, OperatorStep, Scenario, Step } from './scenario.ts'
import { drawChange, drawService, drawStrategy, serviceNames } from './services.ts'
import { drawSlowLists } from './slow-lists.ts'

const zones = ['presentation', 'application', 'data'] as const

/** Machines whose time nobody keeps are further off than any deadline is long. */
const worstSkewMs = 180_000

function drawNode(random: Random, index: number, hosts: number): NodePlan {
  const all = random.chance(0.75)
  const rack: Record<string, string> = random.chance(0.8)
    ? { rack: `r${random.integer(1, 3)}` }
    : {}
  const disk: Record<string, string> = random.chance(0.6) ? { disk: 'ssd' } : {}
  return {
    name: `n${index + 1}`,
    address: `10.0.0.${index + 1}`,
    zones: all ? [...zones] : [random.pick(zones)],
    environments: random.pick([[], [], [], [], [], [], ['default'], ['default', 'test'], ['test']]),
    labels: { ...rack, ...disk },
    host: `h${random.integer(1, hosts)}`,
    cpuMillis: random.integer(2, 8) * 500,
    memoryMiB: random.integer(2, 8) * 128,
    skewMs: random.chance(0.7) ? random.integer(-50, 50) : random.integer(-worstSkewMs, worstSkewMs),
    preparedSuccessors: random.chance(0.7) ? 8 : 0,
  }
}

function drawOperation(random: Random, nodes: readonly NodePlan[], counter: number): OperatorStep {
  const name = random.pick(serviceNames)
  const service = `default/${name}`
  const node = random.pick(nodes).name
  const choice = random.integer(0, 99)
  if (choice < 26) {
    const character = random.pick([
      'good',
      'good',
      'good',
      'slow',
      'stubborn',
      'crashing',
      'sick',
      'missing',
      'flaky',
    ])
    return { kind: 'upgrade', service, image: `registry.sim/${name}:${character}-${counter}` }
  }
  if (choice < 38) return { kind: 'scale', service, replicas: random.integer(0, 5) }
  if (choice < 48) return { kind: 'change', service, change: drawChange(random, name) }
  if (choice < 54) return { kind: 'apply', source: drawService(random, name) }
  if (choice < 59) return { kind: 'undo', service }
  if (choice < 67) return { kind: random.pick(['pause', 'resume']), service }
  if (choice < 73) return { kind: 'restart', service }
  if (choice < 77) return { kind: 'delete', service }
  if (choice < 83)
    return {
      kind: 'drain',
      node,
      deadlineMs: random.chance(0.5) ? random.integer(1000, 30_000) : null,
    }
  if (choice < 86) return { kind: 'cordon', node }
  if (choice < 91) return { kind: 'uncordon', node }
  if (choice < 94) return { kind: 'remove', node }
  if (choice < 96) return { kind: 'confirm-dead', node }
  return {
    kind: 'label',
    node,
    set: random.chance(0.7) ? { rack: `r${random.integer(1, 3)}` } : { disk: 'hdd' },
    remove: random.chance(0.3) ? ['disk'] : [],
  }
}

/** Drawn apart, so that all else in a seed is as it was before there were exclusive services. */
function withExclusive(seed: number, steps: readonly Step[]): readonly Step[] {
  const random = Random.of(seed, 'exclusive')
  if (random.chance(0.5)) return steps
  const chosen: readonly string[] = serviceNames.filter(() => random.chance(0.5))
  return steps.map((step) =>
    step.kind === 'apply' && chosen.includes(step.source.name)
      ? { ...step, source: { ...step.source, exclusive: true } }
      : step,
  )
}

/** In half of the seeds some services move traffic by steps, some programs fail requests, and people promote. */
function withStrategies(seed: number, steps: readonly Step[], troubleMs: number): readonly Step[] {
  const random = Random.of(seed, 'strategies')
  if (random.chance(0.5)) return steps
  const chosen: readonly string[] = serviceNames.filter(() => random.chance(0.7))
  const changed = steps.map((step): Step => {
    if (step.kind === 'apply' && chosen.includes(step.source.name) && step.source.exclusive !== true) {
      const { update } = step.source
      return { ...step, source: { ...step.source, update: { ...update, ...drawStrategy(random, step.source) } } }
    }
    const fails = step.kind === 'upgrade' && step.image.includes('good') && random.chance(0.4)
    return fails ? { ...step, image: step.image.replace('good', 'failing') } : step
  })
  const promotions: Step[] = []
  for (let atMs = 8000; atMs < troubleMs; atMs += random.between(0, 40_000)) {
    const service = `default/${random.pick(serviceNames)}`
    promotions.push({ atMs: Math.floor(atMs), kind: 'promote', service, full: random.chance(0.3) })
    const name = random.pick(serviceNames)
    const image = `registry.sim/${name}:failing-step-${promotions.length}`
    const laterMs = Math.floor(atMs + random.between(0, 10_000))
    if (random.chance(0.5) && laterMs < troubleMs) {
      promotions.push({ atMs: laterMs, kind: 'upgrade', service: `default/${name}`, image })
    }
  }
  return [...changed, ...promotions].toSorted((a, b) => a.atMs - b.atMs)
}

/** In half of the seeds packets are lost now and then, up to a fifth of them; drawn apart for the same reason. */
function drawLosses(seed: number, nodes: readonly NodePlan[], troubleMs: number): Step[] {
  const random = Random.of(seed, 'losses')
  const steps: Step[] = []
  if (random.chance(0.5)) return steps
  for (let atMs = 6000; atMs < troubleMs; atMs += random.between(10_000, 60_000)) {
    const names = nodes.filter(() => random.chance(0.5)).map(({ name }) => name)
    const forMs = random.integer(5000, 60_000)
    steps.push({ atMs: Math.floor(atMs), kind: 'lossy', nodes: names, forMs, percent: random.pick([5, 10, 20, 20]) })
  }
  return steps
}

/** The whole of what befalls a cluster, from one seed. */
export function generate(seed: number): Scenario {
  const random = Random.of(seed, 'scenario')
  const count = Math.max(random.integer(1, 7), random.integer(1, 7))
  const hosts = random.integer(Math.max(1, Math.floor(count / 2)), count)
  const nodes = Array.from({ length: count }, (_, index) => drawNode(random, index, hosts))
  const troubleMs = random.integer(20, 150) * 1000
  const drawn: Step[] = serviceNames.map((name) => ({
    atMs: random.integer(1000, 8000),
    kind: 'apply',
    source: drawService(random, name),
  }))
  // Some runs have no faults, so that what happens in them is all our own doing; some have hardly anything else.
  const everyMs = {
    operation: random.pick([3000, 8000, 20_000]),
    fault: random.pick([800, 3000, 3000, 10_000, Infinity]),
  }
  for (let atMs = 6000; atMs < troubleMs; atMs += random.between(0, 2 * everyMs.operation)) {
    drawn.push({ atMs: Math.floor(atMs), ...drawOperation(random, nodes, drawn.length) })
  }
  const drawFault = mixFaults(random)
  for (let atMs = 6000; atMs < troubleMs; atMs += random.between(0, 2 * everyMs.fault)) {
    if (everyMs.fault === Infinity) break
    drawn.push({ atMs: Math.floor(atMs), ...drawFault(random, nodes) })
  }
  drawn.push(...drawLosses(seed, nodes, troubleMs))
  const ordered = drawn.toSorted((a, b) => a.atMs - b.atMs)
  const stepped = withStrategies(seed, withExclusive(seed, ordered), troubleMs)
  const pressed = withPressure(seed, nodes, stepped, troubleMs)
  const more = [
    ...drawSlowLists(seed, nodes, troubleMs),
    ...drawReactions(seed, nodes, pressed, troubleMs),
    ...drawReturns(seed, nodes, troubleMs),
    ...drawPeople(seed, pressed, troubleMs),
  ]
  const steps = [...pressed, ...more].toSorted((a, b) => a.atMs - b.atMs)
  return withOutages({ seed, nodes, steps, troubleMs })
}
