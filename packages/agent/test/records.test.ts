import { successorInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { ownership } from '../src/core/ownership.ts'
import { EngineError } from '../src/engine/engine.ts'
import { Assigner, begin, observed } from './support/assigner.ts'
import { FakeWorld } from './support/fake-agent.ts'
import { assignment, ports, readiness, template } from './support/templates.ts'

const id = 'web-0-aaaaaaaa'
const next = successorInstanceId(id)

t.test('a new process of the agent adopts what runs', async (t) => {
  const { world, engine, assigner } = await begin(
    assignment({ template: template({ ports, health: { readiness } }) }),
  )
  engine.crash('c1', 1)
  await world.clock.pass(1000)
  t.match(observed(world, next), { health: 'healthy' })
  await world.stop()
  engine.calls.length = 0
  world.received.length = 0
  await world.start()
  world.welcome()
  await world.clock.pass(10)
  t.match(world.of('inventory')[0]?.reports, [
    { instance: id, origin: id, observed: { state: 'failed' } },
    { instance: next, origin: id, attempt: 1, observed: { state: 'running', health: 'healthy' } },
  ])
  assigner.full(
    assignment({
      instance: next,
      attempt: 1,
      template: template({ ports, health: { readiness } }),
    }),
  )
  await world.clock.pass(5000)
  t.notOk(engine.calls.some((call) => /create|start|signal/.test(call)))
  t.same(
    engine.running().map((container) => container.id),
    ['c2'],
  )
  t.match(observed(world, next), { health: 'healthy' }, 'its health is not asked anew')
  await world.stop()
})

t.test('what ended while no agent watched is answered when one is back', async (t) => {
  const { world, engine } = await begin(assignment())
  await world.stop()
  engine.crash('c1', 5)
  await world.start()
  t.equal(engine.running().length, 1)
  world.welcome()
  await world.clock.pass(10)
  t.match(world.of('inventory').at(-1)?.reports, [
    { observed: { state: 'failed', exitCode: 5 } },
    { observed: { state: 'running' } },
  ])
  await world.stop()
})

t.test('a damaged journal is rebuilt from containers', async (t) => {
  const { world, engine, assigner } = await begin(assignment())
  engine.crash('c1', 1)
  await world.clock.pass(100)
  await world.stop()
  world.storage.data = Buffer.from('rubbish\n')
  await world.start()
  world.welcome()
  await world.clock.pass(10)
  t.match(world.of('inventory').at(-1)?.reports, [
    { instance: next, origin: id, predecessor: id, attempt: 1, observed: { state: 'running' } },
  ])
  t.equal(engine.running().length, 1, 'nothing is removed before the control plane has spoken')
  assigner.full(assignment())
  await world.clock.pass(100)
  t.same(
    engine.running().map((container) => container.id),
    ['c2'],
  )
  t.match(observed(world, next), { state: 'running', health: 'healthy' })
  await world.stop()
})

t.test('only what is ours, and only after a full set, is removed', async (t) => {
  const world = new FakeWorld()
  const own = { [ownership.cluster]: 'c', [ownership.node]: 'n', [ownership.instance]: 'gone-0-x' }
  const all = [own, {}, { ...own, [ownership.node]: 'm' }, { ...own, [ownership.cluster]: 'd' }]
  for (const [index, labels] of all.entries()) {
    const rest = {
      startedAtMs: 1,
      finishedAtMs: null,
      exitCode: null,
      oomKilled: false,
      error: '',
      address: '',
      isDetached: false,
    }
    world.engine.containers.set(`f${index}`, {
      id: `f${index}`,
      name: `f${index}`,
      labels,
      state: 'running',
      ...rest,
    })
  }
  await world.start()
  world.welcome()
  await world.clock.pass(40_000)
  t.equal(world.engine.running().length, 4)
  t.equal(world.of('inventory')[0]?.unmanaged, 3)
  new Assigner(world).full()
  await world.clock.pass(100)
  t.same(
    world.engine.running().map((container) => container.id),
    ['f1', 'f2', 'f3'],
  )
  await world.stop()
})

function withStray(): FakeWorld {
  const world = new FakeWorld()
  const labels = {
    [ownership.cluster]: 'c',
    [ownership.node]: 'n',
    [ownership.instance]: id,
    [ownership.service]: 'default/web',
    [ownership.slot]: '0',
    [ownership.revision]: '1',
  }
  world.engine.containers.set('f', {
    id: 'f',
    name: 'f',
    labels,
    state: 'running',
    startedAtMs: 1,
    finishedAtMs: null,
    exitCode: null,
    oomKilled: false,
    error: '',
    address: '',
    isDetached: false,
  })
  return world
}

t.test(
  'before the engine has told what there is, the agent does not say that this is all',
  async (t) => {
    const world = withStray()
    world.engine.down = true
    await world.start()
    await world.clock.pass(5000)
    world.welcome()
    await world.clock.pass(100)
    t.match(world.of('inventory'), [{ reports: [], isPartial: true }])
    new Assigner(world).full()
    await world.clock.pass(5000)
    world.engine.down = false
    await world.clock.pass(5000)
    world.welcome()
    await world.clock.pass(100)
    t.match(world.of('inventory')[1], { reports: [{ instance: id }] })
    t.equal(world.of('inventory')[1]?.isPartial, undefined, 'and begins anew when it has')
    await world.stop()
  },
)

/** The stray has been told of, by its labels. */
async function toldStray(): Promise<FakeWorld> {
  const world = withStray()
  await world.start()
  world.welcome()
  await world.clock.pass(100)
  return world
}

t.test('what is removed without a record of it is told of', async (t) => {
  const world = await toldStray()
  t.match(observed(world, id), { state: 'running' }, 'the control plane may have given it up')
  new Assigner(world).full()
  await world.clock.pass(100)
  t.equal(world.engine.running().length, 0)
  t.match(observed(world, id), { state: 'stopped', reason: /no assignment accounts for it/ })
  await world.stop()
})

t.test('… though it ended between what was told and what is to be', async (t) => {
  const world = await toldStray()
  world.engine.crash('f', 137)
  await world.clock.pass(100)
  new Assigner(world).full()
  await world.clock.pass(100)
  t.equal(world.engine.containers.size, 0)
  t.match(observed(world, id), { state: 'stopped', reason: /no assignment accounts for it/ })
  await world.stop()
})

t.test('… once nothing bears its instance any more', async (t) => {
  const world = withStray()
  const { engine } = world
  const stray = engine.containers.get('f')
  if (!stray) throw new Error('it is there')
  engine.containers.set('g', { ...stray, id: 'g', name: 'g', state: 'exited' })
  const remove = engine.remove.bind(engine)
  let isStuck = true
  engine.remove = async (containerId) => {
    if (isStuck && containerId === 'f') throw new EngineError('refused', 'device or resource busy')
    await remove(containerId)
  }
  await world.start()
  world.welcome()
  new Assigner(world).full()
  await world.clock.pass(1000)
  t.equal(engine.running().length, 1)
  t.match(observed(world, id), { state: 'running' }, 'another container of it runs on')
  isStuck = false
  await world.clock.pass(20_000)
  t.match(observed(world, id), { state: 'stopped' })
  await world.stop()
})

t.test('… or was gone by then', async (t) => {
  const world = await toldStray()
  world.engine.vanish('f')
  await world.clock.pass(100)
  new Assigner(world).full()
  await world.clock.pass(100)
  t.match(observed(world, id), { state: 'stopped', reason: /went without a record/ })
  const ends = world.of('status').flatMap(({ reports }) => reports)
  t.equal(ends.length, 1, 'which is told once')
  await world.stop()
})

t.test('what no record accounts for is removed, however often the engine refuses', async (t) => {
  const world = withStray()
  const refused = new EngineError('refused', 'device or resource busy')
  world.engine.fail('remove', refused, refused, refused)
  await world.start()
  world.welcome()
  new Assigner(world).full()
  await world.clock.pass(100)
  t.equal(world.engine.containers.size, 1)
  await world.clock.pass(20_000)
  t.equal(world.engine.containers.size, 0)
  await world.stop()
})
