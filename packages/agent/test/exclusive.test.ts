import type { Assignment } from '@bulkhead/shared'
import t from 'tap'

import { FakeWorld } from './support/fake-agent.ts'
import { assignment, template } from './support/templates.ts'

const exclusive = template({ exclusive: true, stop: { drainMs: 0, graceMs: 1000 } })
const db = assignment({ instance: 'db-0-x', service: 'default/db', template: exclusive })
const web = assignment({ instance: 'web-0-x' })

/** The control plane's full set, which begins the session's assignments. */
function assign(world: FakeWorld, revision: number, ...upserts: readonly Assignment[]): void {
  world.send({ kind: 'assignments', from: null, revision, upserts: [...upserts], removes: [] })
}

async function begin() {
  const world = new FakeWorld()
  await world.start()
  world.welcome()
  assign(world, 1, db, web)
  await world.clock.pass(1000)
  const running = (): string[] =>
    world.engine
      .running()
      .map(({ labels }) => labels['bulkhead.service'] ?? '')
      .toSorted()
  return { world, running, clock: world.clock }
}

t.test('an exclusive instance is stopped before its lease ends, and nothing else is', async (t) => {
  const { world, running, clock } = await begin()
  t.same(running(), ['default/db', 'default/web'])
  await clock.pass(60_000)
  t.same(running(), ['default/db', 'default/web'], 'answers renew the lease')
  world.reachable = false
  await clock.pass(8900)
  t.same(running(), ['default/db', 'default/web'], 'a short outage changes nothing')
  await clock.pass(2200)
  t.same(running(), ['default/web'])
  t.notOk(world.engine.calls.includes('signal SIGKILL'), 'it was given time to end')
  await clock.pass(600_000)
  t.same(running(), ['default/web'], 'and is not started again')
  await world.stop()
})

t.test('it goes on when the control plane still wants it here', async (t) => {
  const { world, running, clock } = await begin()
  world.reachable = false
  await clock.pass(60_000)
  t.same(running(), ['default/web'])
  world.reachable = true
  await clock.pass(10_000)
  world.welcome()
  await clock.pass(3000)
  t.same(
    running(),
    ['default/web'],
    'being answered is not enough: the full set may have given it away',
  )
  assign(world, 2, db, web)
  await clock.pass(2000)
  t.same(running(), ['default/db', 'default/web'])
  await world.stop()
})

t.test('it stays away when it was given to another node meanwhile', async (t) => {
  const { world, running, clock } = await begin()
  world.reachable = false
  await clock.pass(60_000)
  world.reachable = true
  await clock.pass(10_000)
  world.welcome()
  assign(world, 2, web)
  await clock.pass(60_000)
  t.same(running(), ['default/web'])
  t.notOk(
    [...world.reports().values()].some(
      (report) =>
        report.service === 'default/db' &&
        report.observed.state === 'running' &&
        report.instance !== 'db-0-x',
    ),
  )
  await world.stop()
})

t.test('a crash while the lease is held is answered on the spot, after it not', async (t) => {
  const { world, running, clock } = await begin()
  const crash = (): void => {
    const container = world.engine
      .running()
      .find(({ labels }) => labels['bulkhead.service'] === 'default/db')
    if (container) world.engine.crash(container.id, 1)
  }
  crash()
  await clock.pass(1000)
  t.same(running(), ['default/db', 'default/web'])
  world.reachable = false
  await clock.pass(9500)
  crash()
  await clock.pass(5000)
  t.same(running(), ['default/web'])
  await world.stop()
})

t.test(
  'a new process that reaches nobody ends it after its grace, one that is told in time does not',
  async (t) => {
    const { world, running, clock } = await begin()
    await world.stop()
    world.reachable = false
    await world.start()
    await clock.pass(500)
    world.reachable = true
    await clock.pass(2000)
    t.same(running(), ['default/db', 'default/web'], 'a restart of the agent alone changes nothing')
    world.welcome()
    assign(world, 3, db, web)
    await clock.pass(60_000)
    t.same(running(), ['default/db', 'default/web'])
    await world.stop()
    world.reachable = false
    await world.start()
    await clock.pass(7000)
    t.same(running(), ['default/web'])
    await world.stop()
  },
)

t.test(
  'an agent that has lost its journal ends what is exclusive with the lease, too, by its labels',
  async (t) => {
    const { world, running, clock } = await begin()
    await world.stop()
    world.storage.data = null
    world.reachable = false
    await world.start()
    await clock.pass(4000)
    t.same(running(), ['default/db', 'default/web'], 'for a moment it may still be heard')
    await clock.pass(3000)
    t.same(running(), ['default/web'], 'what is not exclusive goes on')
    await world.stop()
  },
)

t.test('an agent that has lost its journal and is answered in time ends nothing', async (t) => {
  const { world, running, clock } = await begin()
  await world.stop()
  world.storage.data = null
  await world.start()
  world.welcome()
  assign(world, 2, db, web)
  await clock.pass(60_000)
  t.same(running(), ['default/db', 'default/web'])
  await world.stop()
})

/** An agent without a journal is in session again; the container of `db` is about to be removed. */
async function removeWithoutRecord() {
  const began = await begin()
  const { world, clock } = began
  const { engine } = world
  await world.stop()
  world.storage.data = null
  world.reachable = false
  const removal = Promise.withResolvers<void>()
  const remove = engine.remove.bind(engine)
  engine.remove = async (containerId) => {
    await removal.promise
    await remove(containerId)
  }
  await world.start()
  await clock.pass(7000)
  world.reachable = true
  await clock.pass(10_000)
  world.welcome()
  return { ...began, removal }
}

t.test(
  'what the control plane wants again after it was told of its removal stays removed',
  async (t) => {
    const { world, running, clock, removal } = await removeWithoutRecord()
    world.acknowledges = false
    removal.resolve()
    await clock.pass(100)
    assign(world, 2, db, web)
    await clock.pass(1000)
    t.same(running(), ['default/web'], 'by now another may have its slot')
    t.equal(world.reports().get(db.instance)?.observed.state, 'stopped')
    await world.stop()
  },
)

t.test(
  'what the control plane wants again while it is being removed is told of by its record alone',
  async (t) => {
    const { world, clock, removal } = await removeWithoutRecord()
    const before = world.of('status').length
    assign(world, 2, db, web)
    removal.resolve()
    await clock.pass(1000)
    const told = world
      .of('status')
      .slice(before)
      .flatMap(({ reports }) => reports.filter(({ instance }) => instance === db.instance))
    t.ok(told.length > 0)
    t.notOk(
      told.some(({ observed }) => observed.state === 'stopped'),
      'its slot is not free: it goes on here',
    )
    await world.stop()
  },
)

t.test('two of a slot do not run here at a time, whatever the control plane says', async (t) => {
  const { world, running, clock } = await begin()
  const { engine } = world
  engine.obeys = false
  const second = { ...db, instance: 'db-0-y' }
  assign(world, 2, second, web)
  const instances = (): (string | undefined)[] =>
    engine
      .running()
      .map(({ labels }) => labels['bulkhead.instance'])
      .filter((id) => id?.startsWith('db'))
  await clock.pass(800)
  t.same(instances(), ['db-0-x'], 'the first has its grace to end')
  t.match(
    world.reports().get('db-0-y')?.observed.reason,
    /waits until db-0-x of the same slot has ended/,
  )
  await clock.pass(1000)
  t.same(instances(), ['db-0-y'])
  t.same(running(), ['default/db', 'default/web'])
  await world.stop()
})

const leaseOf = (world: FakeWorld): string | undefined =>
  String(world.storage.data)
    .split('\n')
    .findLast((line) => line.includes('["lease"'))

t.test('what was given away and cannot be ended does not get its network back', async (t) => {
  const { world, running, clock } = await begin()
  const { engine } = world
  world.reachable = false
  engine.down = true
  await clock.pass(30_000)
  world.reachable = true
  await clock.pass(10_000)
  world.welcome()
  const before = leaseOf(world)
  assign(world, 2, web)
  await clock.pass(20_000)
  t.same(running(), ['default/db', 'default/web'], 'without its engine nobody can end it')
  t.equal(leaseOf(world), before, 'so the lease, by which the kernel goes, is not renewed')
  engine.down = false
  await clock.pass(5000)
  t.same(running(), ['default/web'])
  await world.stop()
})

t.test(
  '… nor when the agent has begun anew before its engine has told what there is',
  async (t) => {
    const { world, running, clock } = await begin()
    world.reachable = false
    await world.stop()
    world.engine.down = true
    await clock.pass(30_000)
    await world.start()
    await clock.pass(5000)
    world.reachable = true
    await clock.pass(10_000)
    world.welcome()
    const before = leaseOf(world)
    assign(world, 2, web)
    await clock.pass(20_000)
    t.equal(leaseOf(world), before)
    t.same(running(), ['default/db', 'default/web'])
    await world.stop()
  },
)

t.test('what still belongs here keeps its lease, though its engine does not answer', async (t) => {
  const { world, clock } = await begin()
  const before = leaseOf(world)
  world.engine.down = true
  await clock.pass(20_000)
  t.not(leaseOf(world), before)
  await world.stop()
})
