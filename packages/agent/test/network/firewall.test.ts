import { pino } from 'pino'
import t from 'tap'

import { Firewall } from '../../src/network/firewall.ts'
import type { Kernel } from '../../src/network/kernel.ts'
import { aPolicy } from '../support/endpoints.ts'
import { FakeClock } from '../support/fake-clock.ts'

t.test(
  'a table that somebody took away is made again with the next change, and told of',
  async (t) => {
    const kept = { isThere: false }
    const kernel: Kernel = {
      list: async () => null,
      follow: async () => {},
      run: async (script) => {
        if (script.includes('add table') || script.includes('table inet b {')) kept.isThere = true
        else if (!kept.isThere) throw new Error('No such file or directory')
      },
    }
    const told: string[] = []
    let fenced: string[] = []
    const firewall = new Firewall(
      {
        clock: new FakeClock(),
        logger: pino({ level: 'silent' }),
        kernel,
        isOn: () => true,
        onTrouble: () => {},
        surroundings: () => ({ bridges: [], publications: [], fenced }),
        onDrift: (reason) => told.push(reason),
        onInstalled: () => {},
      },
      'inet b',
    )
    const policy = aPolicy({ data: [] })
    await firewall.serve({ revision: 1, tables: new Map(), policy })
    t.ok(kept.isThere)
    t.strictSame(told, [], 'that it was made at first is nothing to tell')
    kept.isThere = false
    fenced = ['172.30.0.9']
    await firewall.sync()
    t.ok(kept.isThere)
    t.equal(told.length, 1)
    t.match(told[0], /were not as they were set, and were set again: a change was refused/)
  },
)
