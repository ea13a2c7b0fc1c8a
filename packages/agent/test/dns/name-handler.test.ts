import { rcode } from '@bulkhead/shared/dns'
import t from 'tap'

import {
  endpoint,
  question,
  readAnswer,
  services,
  table,
} from '../../../shared/test/dns/support.ts'
import type { NameState } from '../../src/dns/core/name-state.ts'
import { nameHandler } from '../../src/dns/name-handler.ts'

const bridge = (zone: string, number: number) => ({
  environment: 'prod',
  zone,
  gateway: `10.0.${number}.1`,
  gateways: [`10.0.${number}.1`],
  subnets: [`10.0.${number}.0/24`],
})

t.test('answers follow what is known at once, also those that were given before', async (t) => {
  let state: NameState = {
    bridges: [bridge('presentation', 1), bridge('data', 2)],
    directory: {
      revision: 1,
      tables: new Map([['prod/api', table('prod/api', { endpoints: [endpoint(1)] })]]),
      reaches: { presentation: ['application'], data: [] },
      addresses: null,
    },
    forwarding: false,
    resolvConf: '',
  }
  const handler = nameHandler({
    state: () => state,
    forwarder: null,
    onError: (error) => t.fail(String(error)),
  })
  const ask = async (from: string): Promise<string> => {
    const message = question('api.prod.bulkhead', 'A')
    const answer = readAnswer(await handler({ message, transport: 'udp', from }))
    return answer?.code === rcode.noError ? String(answer.answers[0]) : `code ${answer?.code}`
  }
  for (const time of ['made', 'kept']) {
    t.equal(await ask('10.0.1.7'), endpoint(1).address, time)
    t.equal(
      await ask('10.0.2.7'),
      `code ${rcode.nxDomain}`,
      'who may not know of it hears of it from nobody',
    )
    t.equal(await ask('10.9.9.9'), `code ${rcode.refused}`)
  }
  const directory = state.directory
  if (!directory) return
  const moved = table('prod/api', { endpoints: [endpoint(2)] })
  state = {
    ...state,
    directory: { ...directory, revision: 2, tables: new Map([['prod/api', moved]]) },
  }
  t.equal(await ask('10.0.1.7'), endpoint(2).address)
  state = { ...state, bridges: [bridge('data', 1)] }
  t.equal(await ask('10.0.1.7'), `code ${rcode.nxDomain}`, 'a bridge of another zone')
  state = {
    ...state,
    directory: { ...directory, addresses: services },
    bridges: [bridge('presentation', 1)],
  }
  t.match(await ask('10.0.1.7'), /^10\.231\./)
})
