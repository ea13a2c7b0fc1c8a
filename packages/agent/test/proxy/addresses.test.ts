import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

import { t as tap, test } from 'tap'

import { skip } from './support/real-proxy.ts'

tap.setTimeout(120_000)

const script = fileURLToPath(new URL('support/in-namespace.ts', import.meta.url))

void test(
  'services are reached at their addresses of IPv4 and IPv6',
  { skip, timeout: 60_000 },
  async (t) => {
    const inside = 'ip link set lo up && exec "$0" "$1"'
    const argv = ['--net', 'sh', '-c', inside, process.execPath, script]
    const seen = JSON.parse(
      execFileSync('unshare', argv, { encoding: 'utf8', timeout: 50_000 }),
    ) as Record<string, unknown>
    t.ok(seen['isServing'])
    t.match(seen['routes'], /local 10\.231\.0\.0\/16 dev lo/)
    t.match(seen['routes'], /local fd62:756c:6b00::\/96 dev lo/)
    t.strictSame(seen['four'], ['api-0', '10.231.1.44', 'api-1', '10.231.1.44'])
    t.strictSame(seen['six'], ['api-0', 'fd62:756c:6b00::ae7:0', 'api-1', 'fd62:756c:6b00::ae7:0'])
    t.notMatch(seen['routesAfter'], /10\.231|fd62/, 'nothing is left')
    t.notMatch(seen['addressesAfter'], /fd62/)
  },
)
