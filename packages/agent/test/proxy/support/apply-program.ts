import { systemClock } from '@bulkhead/shared'
import { pino } from 'pino'

import type { ProxyConfig } from '../../../src/proxy/core/config.ts'
import { Haproxy, type HaproxySettings } from '../../../src/proxy/haproxy.ts'

/* An agent that does nothing but bring its proxy to a configuration: made to be killed half-way. */

interface Order {
  readonly settings: HaproxySettings
  readonly config: ProxyConfig
}

const { settings, config } = JSON.parse(process.argv[2] ?? '') as Order
const proxy = new Haproxy({ clock: systemClock, logger: pino({ level: 'silent' }) }, settings)
// Timers of the clock keep no process alive by themselves.
const awake = setInterval(() => undefined, 1000)
process.stdout.write('begun\n')
await proxy.apply(config)
clearInterval(awake)
