import type { Node, Placement } from '@bulkhead/shared'
import t from 'tap'

import { lastingFilters } from '../../src/placement/core/filters/pipeline.ts'
import { groupNodes, type Group } from '../../src/placement/core/groups.ts'
import { preferenceOf } from '../../src/placement/core/scores.ts'
import { NodeIndex } from '../../src/state/indexes/node-index.ts'
import { aNode } from '../support/records.ts'

const rulesOf = (rules: Partial<Placement>): Placement => ({
  require: [],
  prefer: [],
  separate: [],
  spread: [],
  ...rules,
})

function groupsOf(nodes: readonly Node[], change: Partial<Placement> = {}): Group {
  const rules = rulesOf(change)
  return groupNodes(nodes, {
    rules,
    filters: lastingFilters({ rules }),
    prefer: preferenceOf({ rules }),
  })
}

const namesIn = (group: Group): readonly string[] => [
  ...group.nodes.map(({ name }) => name),
  ...group.groups.flatMap(namesIn),
]

const inRack = (name: string, rack: string | null, labels: Node['labels'] = {}): Node =>
  aNode(name, { domain: { rack }, labels })

t.test('nodes by preference and then by domain', async (t) => {
  const nodes = [
    inRack('n1', 'a'),
    inRack('n2', 'b', { disk: 'ssd' }),
    inRack('n3', 'a'),
    inRack('n4', null),
  ]
  const all = groupsOf(nodes, { spread: ['rack'], prefer: [{ match: 'disk=ssd', weight: 3 }] })
  t.strictSame(
    all.groups.map(({ kind, rank, groups }) => ({
      kind,
      rank,
      below: groups.map((one) => [one.isKnown, namesIn(one)]),
    })),
    [
      {
        kind: 'preference',
        rank: -0,
        below: [
          [true, ['n1', 'n3']],
          [false, ['n4']],
        ],
      },
      { kind: 'preference', rank: -3, below: [[true, ['n2']]] },
    ],
  )
})

t.test('made once for equal rules of one list, and apart for others', async (t) => {
  const nodes = [aNode('n1'), aNode('n2', { labels: { disk: 'ssd' } })]
  t.equal(groupsOf(nodes), groupsOf(nodes))
  t.strictSame(namesIn(groupsOf(nodes, { require: ['disk=ssd'] })), ['n2'])
  t.strictSame(namesIn(groupsOf(nodes)), ['n1', 'n2'])
  t.strictSame(namesIn(groupsOf([...nodes])), ['n1', 'n2'])
})

t.test('the oldest of many rules is made anew, and right', async (t) => {
  const nodes = [aNode('n1', { labels: { part: 'p3' } })]
  for (let round = 0; round < 2; round++) {
    for (let part = 0; part < 40; part++) {
      t.strictSame(
        namesIn(groupsOf(nodes, { require: [`part=p${part}`] })),
        part === 3 ? ['n1'] : [],
      )
    }
  }
})

t.test('a node that changes, comes or goes makes another list', async (t) => {
  const index = new NodeIndex()
  const [first, second] = [aNode('n1'), aNode('n2')]
  const [zone] = first.facts.zones
  const now = (): readonly string[] => namesIn(groupsOf(index.nodesIn('default', zone ?? '')))
  index.add(first)
  t.strictSame(now(), ['n1'])
  index.add(second)
  t.strictSame(now(), ['n1', 'n2'])
  index.remove(first)
  index.add({ ...first, admittance: 'cordoned' })
  t.strictSame(now(), ['n2'])
  index.remove({ ...first, admittance: 'cordoned' })
  index.add(first)
  t.strictSame(now(), ['n1', 'n2'])
  index.remove(second)
  t.strictSame(now(), ['n1'])
})
