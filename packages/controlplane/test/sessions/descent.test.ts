import { successorInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { Descent } from '../../src/sessions/core/descent.ts'

t.test(
  'for one message so many links are walked along, and what is told beyond is not believed',
  (t) => {
    const origin = 'web-0-aaaaaaaa'
    let last = origin
    for (let link = 0; link < 5000; link++) last = successorInstanceId(last)
    const descent = new Descent()
    let believed = 0
    let walked = 0
    while (believed < 1000 && descent.has(last, origin)) {
      believed += 1
      for (const link of descent.between(origin, last)) walked += link === '' ? 0 : 1
    }
    t.equal(believed, 200)
    t.ok(walked < 1_000_000)
    t.ok(new Descent().has(last, origin), 'the next message is another one')
    t.end()
  },
)
