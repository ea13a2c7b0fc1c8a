import { isLive } from '@bulkhead/shared'
import t from 'tap'

import { aNode } from '../support/records.ts'
import { brief, Scene } from '../support/scene.ts'

const separate = [{ from: 'self', by: 'node' }]

t.test('a suspect node changes nothing but the budget', async (t) => {
  const scene = new Scene('n1', 'n2', 'n3')
  scene.apply({ name: 'web', replicas: 2, update: { maxSurge: 0, maxUnavailable: 1 } })
  scene.rest()
  scene.node('n1', { liveness: 'suspect' })
  t.same(brief(scene.state, scene.settle()), [])
  t.same(
    [scene.service().status, scene.service().reason],
    ['degraded', '1 of 2 healthy; slot 0: node n1 is suspect'],
  )
  scene.apply({ name: 'web', image: 'registry.test/app:2' })
  t.same(brief(scene.state, scene.settle()), [], 'one is out of reach: no other one is taken down')
  scene.node('n1', { liveness: 'ready' })
  t.same(brief(scene.state, scene.settle()), ['stop 0'])
})

t.test('what is lost is given up only together with its replacement', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', replicas: 2, placement: { separate } })
  scene.rest()
  const { id } = scene.in(0)
  scene.node('n1', { liveness: 'lost' })
  t.same(brief(scene.state, scene.settle()), [])
  t.equal(scene.service().status, 'degraded')
  t.match(
    scene.service().reason,
    /slot 0: node n1 is lost with web-0-\w+; no node fits: 1 of 2 is lost/,
  )

  scene.state.putNode(aNode('n3'))
  t.same(brief(scene.state, scene.settle()), ['give-up 0', 'create 0 n3'])
  const lost = scene.state.instances.get(id)
  t.equal(lost?.lostAtMs, scene.state.nowMs)
  scene.rest()
  t.equal(scene.service().status, 'converged')

  scene.state.putNode(aNode('n4'))
  scene.apply({ name: 'web', replicas: 4 })
  scene.settle()
  t.equal(scene.in(3).node, null, 'the lost one still counts against separation')
  scene.node('n1', { liveness: 'ready' })
  scene.agents()
  t.same(brief(scene.state, scene.settle()), ['assign 3 n1'], 'until its node says that it is gone')
})

t.test('what was not given up is adopted when its node is back', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web' })
  scene.rest()
  scene.node('n1', { liveness: 'lost' })
  scene.settle()
  scene.node('n1', { liveness: 'ready' })
  t.same(brief(scene.state, scene.settle()), [])
  t.equal(scene.service().status, 'converged')
})

t.test('an exclusive instance is replaced only when its node is confirmed dead', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', exclusive: true })
  scene.rest()
  scene.node('n1', { liveness: 'lost' })
  t.same(brief(scene.state, scene.settle()), [])
  t.match(scene.service().reason, /node n1 is lost with web-0-\w+: the service is exclusive/)
  scene.node('n1', { confirmedDead: true })
  t.same(brief(scene.state, scene.settle()), ['give-up 0', 'create 0 n2'])
})

t.test('an exclusive instance is replaced when the lease of its lost node has ended', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', exclusive: true })
  scene.rest()
  const { nowMs } = scene.state
  scene.leaseEndsAtMs.set('n1', nowMs + 1000)
  scene.node('n1', { liveness: 'suspect' })
  t.same(brief(scene.state, scene.settle()), [], 'a node that is not lost may still be heard')
  scene.node('n1', { liveness: 'lost' })
  t.same(brief(scene.state, scene.settle()), [])
  t.equal(scene.dueAtMs, nowMs + 1000, 'it looks again when the lease ends')
  scene.wait(999)
  t.same(brief(scene.state, scene.settle()), [])
  scene.wait(1)
  t.same(brief(scene.state, scene.settle()), ['give-up 0', 'create 0 n2'])
  scene.rest()
  t.equal(scene.service().status, 'converged')
})

t.test('what stops on a lost node is waited for until the lease ends', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', exclusive: true })
  scene.rest()
  scene.apply({ name: 'web', image: 'registry.test/app:2' })
  t.same(brief(scene.state, scene.settle()), ['stop 0'])
  scene.leaseEndsAtMs.set('n1', scene.state.nowMs + 500)
  scene.node('n1', { liveness: 'lost' })
  t.same(brief(scene.state, scene.settle()), [])
  t.equal(scene.dueAtMs, scene.state.nowMs + 500)
  scene.wait(500)
  t.same(brief(scene.state, scene.settle()), ['create 0 n2'])
})

t.test('the end of a lease says nothing of a service that is not exclusive', async (t) => {
  const scene = new Scene(aNode('n1', { domain: { host: 'h1' } }), 'n2')
  scene.apply({ name: 'web', replicas: 2, placement: { separate: [{ from: 'self', by: 'host' }] } })
  scene.rest()
  scene.state.putNode(aNode('n3', { domain: { host: 'h1' } }))
  scene.leaseEndsAtMs.set('n1', 0)
  scene.node('n1', { liveness: 'lost' })
  t.same(brief(scene.state, scene.settle()), [], 'it may still run on that host')
})

t.test('an exclusive instance that stops on a lost node is waited for', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', exclusive: true })
  scene.rest()
  scene.apply({ name: 'web', image: 'registry.test/app:2' })
  t.same(brief(scene.state, scene.settle()), ['stop 0'])
  scene.node('n1', { liveness: 'lost' })
  t.same(brief(scene.state, scene.settle()), [])
  t.match(
    scene.service().reason,
    /waits until web-0-\w+ is gone for certain on node n1, which is lost/,
  )
  scene.node('n1', { liveness: 'ready' })
  scene.agents()
  t.same(
    brief(scene.state, scene.settle()).map((step) => step.slice(0, 8)),
    ['create 0'],
  )
})

t.test('a confirmed death ends what stood against separation', async (t) => {
  const scene = new Scene(aNode('n1', { domain: { host: 'h1' } }), 'n2')
  scene.apply({ name: 'web', replicas: 2, placement: { separate: [{ from: 'self', by: 'host' }] } })
  scene.rest()
  scene.state.putNode(aNode('n3', { domain: { host: 'h1' } }))
  scene.node('n1', { liveness: 'lost' })
  t.same(brief(scene.state, scene.settle()), [], 'it may still run on that host')
  scene.node('n1', { confirmedDead: true })
  t.same(brief(scene.state, scene.settle()), ['give-up 0', 'create 0 n3'])
})

t.test('a drain moves, start before stop', async (t) => {
  const scene = new Scene('n1', 'n2', 'n3')
  scene.apply({ name: 'web', replicas: 2 })
  scene.rest()
  scene.node('n1', { admittance: 'draining' })
  t.same(brief(scene.state, scene.settle()), ['create 0 n3'])
  scene.agents()
  t.same(brief(scene.state, scene.settle()), [], 'it has to prove itself first')
  t.equal(scene.dueAtMs, scene.state.nowMs + 5000)
  scene.wait(5000)
  t.same(brief(scene.state, scene.settle()), ['stop 0'])
  scene.rest()
  t.equal(scene.service().status, 'converged')
  t.same(
    scene.live().map(({ node }) => node),
    ['n3', 'n2'],
  )
})

t.test('slots that a drain cannot move for the same reason are told together', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', replicas: 2 })
  scene.rest()
  scene.node('n1', { admittance: 'draining' })
  scene.settle()
  t.match(scene.service().reason, /; slots 0, 1: must move, as node n1 is drained: [^;]*; [^;]*$/)
})

t.test('a drain that may not take anything down is blocked, until its deadline', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', replicas: 2, placement: { separate } })
  scene.rest()
  scene.node('n1', { admittance: 'draining', drainDueAtMs: scene.state.nowMs + 60_000 })
  t.same(brief(scene.state, scene.settle()), [])
  t.equal(scene.service().status, 'blocked')
  t.match(
    scene.service().reason,
    /slot 0: must move, as node n1 is drained: no node fits: .* and 2 of 2 must stay available/,
  )
  t.equal(scene.dueAtMs, scene.state.nowMs + 60_000)
  scene.wait(60_000)
  t.same(brief(scene.state, scene.settle()), ['stop 0'])
  t.match(scene.service().reason, /slot 0: waits until web-0-\w+ is gone: no node fits/)
  scene.agents()
  t.same(brief(scene.state, scene.settle()), ['create 0 -'])
})

t.test(
  'a drain stops first within maxUnavailable, and only when there is a place then',
  async (t) => {
    const port = { ports: { http: { port: 80, host: 8080 } } }
    const scene = new Scene('n1', 'n2')
    const update = { maxSurge: 1, maxUnavailable: 1 }
    scene.apply({ name: 'web', replicas: 2, update, ...port })
    scene.rest()
    scene.node('n1', { admittance: 'draining' })
    t.same(brief(scene.state, scene.settle()), [], 'n2 has the port taken, with or without it')
    t.equal(scene.service().status, 'blocked')
    scene.apply({ name: 'web', update: { maxSurge: 0, maxUnavailable: 1 } })
    scene.state.putNode(aNode('n3'))
    t.same(brief(scene.state, scene.settle()), ['stop 0'])
    scene.agents()
    t.same(brief(scene.state, scene.settle()), ['create 0 n3'])
  },
)

t.test(
  'a drain that is blocked for good says what would help, and its deadline ends it',
  async (t) => {
    const scene = new Scene('n1', 'n2')
    const byHost = { separate: [{ from: 'self', by: 'host' }] }
    scene.apply({ name: 'web', replicas: 2, placement: byHost, update: { maxUnavailable: 0 } })
    scene.rest()
    scene.node('n1', { admittance: 'draining' })
    for (let count = 0; count < 5; count++) {
      t.same(brief(scene.state, scene.settle()), [])
      scene.wait(3_600_000)
    }
    t.match(
      scene.service().reason,
      /add a node that fits, let update\.maxUnavailable be at least 1 or drain with a --deadline$/,
    )
    const drainDueAtMs = scene.state.nowMs + 60_000
    scene.node('n1', { drainDueAtMs })
    t.same(brief(scene.state, scene.settle()), [])
    t.match(scene.service().reason, /it is stopped at 1970-01-01T\d\d:\d\d:\d\dZ in any case/)
    t.equal(scene.dueAtMs, drainDueAtMs)
    scene.wait(60_000)
    t.same(brief(scene.state, scene.settle()), ['stop 0'])
    t.equal(
      scene.state.instancesOn('n1')[0]?.cause,
      'the deadline of the drain of node n1 has passed',
    )
    scene.agents()
    t.same(brief(scene.state, scene.settle()), ['create 0 -'])
    t.same(scene.state.instancesOn('n1').filter(isLive), [], 'the node is empty')
    t.equal(scene.service().status, 'blocked')
    scene.node('n1', { admittance: 'open', drainDueAtMs: null })
    t.same(
      brief(scene.state, scene.settle()),
      ['assign 0 n1'],
      'and takes it back when it is open again',
    )
  },
)

t.test('where not even a gap would make room, only a node or the deadline helps', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', update: { maxUnavailable: 1 } })
  scene.rest()
  scene.node('n1', { admittance: 'draining' })
  t.same(brief(scene.state, scene.settle()), [])
  t.match(
    scene.service().reason,
    /no node fits.*; add a node that fits or drain with a --deadline$/,
  )
})

t.test('the deadline of a drain stops everything, whatever the policy says', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', replicas: 3 })
  scene.apply({ name: 'db', exclusive: true })
  scene.rest('web', 'db')
  scene.node('n1', { admittance: 'draining', drainDueAtMs: scene.state.nowMs })
  t.same(brief(scene.state, scene.settle('web')), ['stop 0', 'stop 1', 'stop 2'])
  t.same(brief(scene.state, scene.settle('db')), ['stop 0'])
})

t.test(
  'what is on a silent node is stopped for an overdue drain when it is heard again',
  async (t) => {
    const scene = new Scene('n1')
    scene.apply({ name: 'web' })
    scene.rest()
    const drainDueAtMs = scene.state.nowMs + 1000
    scene.node('n1', { admittance: 'draining', drainDueAtMs, liveness: 'suspect' })
    scene.wait(2000)
    t.same(brief(scene.state, scene.settle()), [])
    scene.node('n1', { liveness: 'ready' })
    t.same(brief(scene.state, scene.settle()), ['stop 0'])
  },
)

t.test('a drain of an exclusive service stops first', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', exclusive: true })
  scene.rest()
  scene.node('n1', { admittance: 'draining' })
  t.same(brief(scene.state, scene.settle()), ['stop 0'])
  t.same(brief(scene.state, scene.settle()), [])
  scene.agents()
  t.same(brief(scene.state, scene.settle()), ['create 0 n2'])
})

t.test('a move goes on after the node is opened again, and comes to one instance', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web' })
  scene.rest()
  scene.node('n1', { admittance: 'draining' })
  scene.settle()
  scene.node('n1', { admittance: 'open' })
  scene.rest()
  t.same(
    scene.live().map(({ node }) => node),
    ['n2'],
  )
})

t.test('a move that fails is tried again, later and elsewhere', async (t) => {
  const scene = new Scene('n1', 'n2', 'n3')
  scene.apply({ name: 'web' })
  scene.rest()
  scene.node('n1', { admittance: 'draining' })
  scene.settle()
  const moved = scene.live().find(({ node }) => node !== 'n1')
  scene.failed(moved?.id ?? '', { neverStarted: true })
  t.same(brief(scene.state, scene.settle()), ['create 0 n3'])
  t.equal(scene.live().at(-1)?.attempt, 1)
})

t.test('an instance moves away from where a rule no longer lets it be', async (t) => {
  const ssd = aNode('n1', { labels: { disk: 'ssd' } })
  const scene = new Scene(ssd, aNode('n2', { labels: { disk: 'ssd' } }))
  scene.apply({ name: 'web', placement: { require: ['disk=ssd'] } })
  scene.rest()
  scene.node('n1', { labels: {} })
  t.same(brief(scene.state, scene.settle()), ['create 0 n2'])
  scene.rest()
  t.same(
    scene.live().map(({ node }) => node),
    ['n2'],
  )

  scene.node('n1', { labels: { disk: 'ssd' } })
  scene.node('n2', { facts: { ...ssd.facts, zones: ['data'] } })
  t.same(brief(scene.state, scene.settle()), ['create 0 n1'], 'the zone counts as well')
})

t.test('of two that must no longer meet, the higher slot moves', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', replicas: 2 })
  scene.rest()
  scene.state.putNode(aNode('n2'))
  scene.apply({ name: 'web', placement: { separate } })
  t.same(brief(scene.state, scene.settle()), ['create 1 n2'])
  scene.rest()
  t.equal(scene.service().status, 'converged')
})

t.test('between services, whose rule it is moves', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'api' })
  scene.apply({ name: 'web' })
  scene.rest('api', 'web')
  scene.state.putNode(aNode('n2'))
  scene.apply({ name: 'api', placement: { separate: [{ from: 'web', by: 'node' }] } })
  t.same(brief(scene.state, scene.settle('web')), [])
  t.same(brief(scene.state, scene.settle('api')), ['create 0 n2'])
  scene.rest('api', 'web')
  t.same([scene.in(0, 'api').node, scene.in(0, 'web').node], ['n2', 'n1'])
})

t.test('a violation that cannot be mended is told', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web' })
  scene.rest()
  scene.apply({ name: 'web', placement: { require: ['disk=ssd'] } })
  t.same(brief(scene.state, scene.settle()), [])
  t.equal(scene.service().status, 'blocked')
  t.match(
    scene.service().reason,
    /^1 of 1 healthy; slot 0: must move, as n1 lacks disk=ssd: no node fits/,
  )
})

t.test('what another service is to be kept apart from goes where that can be proved, if it can', async (t) => {
  const scene = new Scene('n0', aNode('n1', { domain: { rack: 'a' } }), aNode('n2', { domain: { rack: 'b' } }))
  scene.apply({ name: 'web', placement: { separate: [{ from: 'billing', by: 'rack' }] } })
  scene.apply({ name: 'billing' })
  scene.round('billing')
  scene.round('web')
  const places = [...scene.state.instances.values()].map(({ service, node }) => [service, node])
  t.same(places, [
    ['default/billing', 'n1'],
    ['default/web', 'n2'],
  ])
  scene.apply({ name: 'ledger', replicas: 2, placement: { require: ['node=n0'] } })
  scene.apply({ name: 'audit', replicas: 0, placement: { separate: [{ from: 'ledger', by: 'rack' }] } })
  scene.round('ledger')
  const ledgers = scene.state.instancesOf('default/ledger').map(({ node }) => node)
  t.same(ledgers, ['n0', 'n0'], 'and elsewhere when it cannot')
})
