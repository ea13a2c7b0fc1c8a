import { Resolver } from 'node:dns/promises'
import { Agent, request } from 'node:http'

/*
 * Looks, as often as it can, at how a service resolves (as SRV) and which of its instances answers through the
 * proxy, and writes a line of JSON whenever that is another set than before: { atMs, by, instances }. SERVICE
 * (NAME.ENVIRONMENT) and PORT come from the environment.
 */

const { SERVICE = 'api.prod', PORT = '8080' } = process.env
const domain = `${SERVICE}.bulkhead`
const everyMs = 5
/** An instance counts as used by the proxy when it has answered one of so many requests in a row. */
const window = 12

const known = new Map<string, string>()

function tell(by: 'dns' | 'proxy', instances: readonly string[], atMs: number): void {
  const set = [...new Set(instances)].toSorted().join(' ')
  if (known.get(by) === set) return
  known.set(by, set)
  process.stdout.write(`${JSON.stringify({ atMs, by, instances: set.split(' ') })}\n`)
}

const resolver = new Resolver({ timeout: 1000, tries: 1 })

async function lookUp(): Promise<void> {
  const records = await resolver.resolveSrv(`_http._tcp.${domain}`).catch(() => [])
  tell('dns', records.map(({ name }) => name.split('.')[0] ?? ''), Date.now())
}

const agent = new Agent({ keepAlive: true })
const last: { instance: string; atMs: number }[] = []

function ask(): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => resolve()
    const outgoing = request({ host: domain, port: PORT, path: '/', agent, timeout: 2000 }, (response) => {
      last.push({ instance: String(response.headers['x-instance'] ?? ''), atMs: Date.now() })
      if (last.length > window) last.shift()
      response.resume().on('end', done).on('error', done)
    })
    outgoing.on('timeout', () => outgoing.destroy())
    outgoing.on('error', done)
    outgoing.end()
  })
}

/** The time of a set that shrinks is that of the last answer of who is missing. */
function tellProxy(): void {
  if (last.length < window) return
  const instances = [...new Set(last.map(({ instance }) => instance))]
  const before = new Set(known.get('proxy')?.split(' '))
  const isNew = instances.some((instance) => !before.has(instance))
  tell('proxy', instances, isNew ? (last.at(-1)?.atMs ?? 0) : (last[0]?.atMs ?? 0))
}

async function forEver(look: () => Promise<void>): Promise<never> {
  for (;;) {
    await look()
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

process.on('SIGTERM', () => process.exit(0))
void forEver(lookUp)
void forEver(async () => {
  await ask()
  tellProxy()
})
