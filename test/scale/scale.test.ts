import t from 'tap'

import { measureAgents } from './agents.ts'
import { drawPictures } from './pictures.ts'
import { measurePlacements } from './placements.ts'
import { fillTables } from './tables.ts'

t.setTimeout(120_000)
// The control plane's own timers do not keep a process alive.
const alive = setInterval(() => {}, 60_000)
t.teardown(() => clearInterval(alive))

t.test('a small cluster is filled, started, changed and loaded again', async (t) => {
  const figures = await measurePlacements({ instances: 400, nodes: 30 })
  t.ok(figures.services > 5)
  t.ok(figures.placementsPerS > 0)
  t.ok(figures.databaseMB >= 0)
})

t.test('sessions, load, and nodes that fall silent', async (t) => {
  const figures = await measureAgents(
    { agents: 40, instances: 200, environments: 1, rates: [50], forS: 1 },
    { heartbeat: '100ms', suspectAfter: '500ms', lostAfter: '1s', massLossHold: '2s' },
  )
  t.equal(figures.rows.length, 1)
  t.ok(figures.rows[0]?.samples, 'watchers have seen changes')
  t.equal(figures.loss.nodes, 8)
  t.ok(figures.loss.replacements > 0, 'what was lost is replaced')
  const results = { machine: '', date: '', placements: [], agents: [figures] }
  const pictures = drawPictures(results)
  t.match(pictures['mass-loss.svg'], /<svg .*<\/svg>/s)
  const filled = fillTables('# Loss\n\n<!-- figures: loss -->\nold\n<!-- end -->\n', results)
  t.match(filled, /^# Loss\n\n<!-- figures: loss -->\n\n\| nodes lost .*\n\| 8 \| .*\n\n<!-- end -->\n$/s)
  t.equal(fillTables(filled, results), filled, 'filled in again it is the same')
})
