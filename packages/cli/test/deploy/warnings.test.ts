import type { ObjectChange } from '@bulkhead/shared'
import t from 'tap'

import { warningTexts } from '../../src/deploy/warnings.ts'
import * as make from '../support/fixtures.ts'

const text = 'expose is stored, but nothing is exposed yet.'
const change = (name: string, ...warnings: readonly string[]) =>
  make.change({ name, action: 'create', warnings })
const textsOf = (...objects: readonly ObjectChange[]) => warningTexts({ revision: 1, objects })

t.test('what several services are warned of is said once', async (t) => {
  t.strictSame(textsOf(change('a')), [])
  t.strictSame(textsOf(change('a', text)), [`Service a.prod: ${text}`])
  t.strictSame(textsOf(change('a', text), change('b', 'Other.', text), change('c')), [
    `2 services (a.prod, b.prod): ${text}`,
    'Service b.prod: Other.',
  ])
  const many = Array.from({ length: 30 }, (_, index) => change(`s${index}`, text))
  const names = 's0.prod, s1.prod, s2.prod, s3.prod, s4.prod and 25 more'
  t.strictSame(textsOf(...many), [`30 services (${names}): ${text}`])
})
