import t from 'tap'

import type { Lineages } from '../../src/core/accept.ts'
import { ownership } from '../../src/core/ownership.ts'
import { rivalOf } from '../../src/core/rival.ts'
import { template } from '../support/templates.ts'
import { container, lineage } from '../support/views.ts'

const exclusive = template({ exclusive: true })
const [x, y] = ['db-0-x', 'db-0-y'].map((instance) =>
  lineage({ instance, service: 'default/db', template: exclusive }, { state: 'starting' }),
)

t.test(
  'of two that were both being started when an earlier process ended, one goes on',
  async (t) => {
    if (!x || !y) throw new Error('both are there')
    const lineages: Lineages = new Map([x, y].map((one) => [one.key, one]))
    const made = ['db-0-x', 'db-0-y'].map((instance) => {
      const labels = {
        [ownership.instance]: instance,
        [ownership.service]: 'default/db',
        [ownership.slot]: '0',
      }
      return container(instance, { state: 'created', labels })
    })
    const rivals = [x, y].map((one) => rivalOf(one, lineages, () => made))
    t.same(rivals.filter((rival) => rival === null).length, 1, JSON.stringify(rivals))
  },
)
