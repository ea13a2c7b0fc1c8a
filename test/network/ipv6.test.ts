import { type Test, t as tap, test } from 'tap'

import { startCluster, waitConverged } from '../cluster/cluster.ts'
import type { Host } from '../engines/host.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { hostPort, placeOf, serviceTargets } from './places.ts'
import {
  probeFromContainer,
  probeFromHost,
  probeFromOutside,
  serveOn,
  type Target,
} from './probe.ts'

const skip = whyNotEngines() ?? false
const timeout = 120_000
tap.setTimeout(2 * timeout)

/** 10.99.NUMBER.INDEX → fd00:99:NUMBER::INDEX */
function addressOf({ address }: Pick<Host, 'address'>): string {
  const [, , number = '', index = ''] = address.split('.')
  return `fd00:99:${number}::${index}`
}

const zoneOf = { web: 'presentation', api: 'application', db: 'data' } as const
const reaches: Readonly<Record<string, readonly string[]>> = {
  presentation: ['web', 'api'],
  application: ['api', 'db'],
  data: ['db'],
}

const spec = (name: keyof typeof zoneOf, image: string): string => `
apiVersion: bulkhead/v1
kind: Service
name: ${name}
zone: ${zoneOf[name]}
image: ${image}
ports: { http: 8080 }
resources: { cpu: 0.2, memory: 32Mi }
health: { readiness: { http: { port: http, path: /healthz }, interval: 500ms } }
update: { minHealthyTime: 100ms }
`

/** On a busy machine an answer may come too late for a look; one that should not be there is one too many. */
async function reachesExactly(
  t: Test,
  look: () => Promise<readonly string[]>,
  expected: readonly string[],
  what: string,
): Promise<void> {
  let found: readonly string[] = []
  for (let tries = 0; tries < 5; tries++) {
    found = await look()
    if (found.length >= expected.length || found.some((name) => !expected.includes(name))) break
  }
  t.same(found, expected.toSorted(), what)
}

const engines: Readonly<Record<string, readonly string[]>> = {
  'through proxies of the engine': ['--userland-proxy=true'],
  'translated by the kernel': ['--userland-proxy=false', '--experimental', '--ip6tables=true'],
}

for (const [how, engineArguments] of Object.entries(engines)) {
  void test(
    `ports that nodes publish at addresses of IPv6, ${how}`,
    { skip, timeout },
    async (t) => {
      const zones = Object.values(zoneOf)
      const agents = zones.map((zone) => ({ zones: [zone], address: addressOf }))
      await using cluster = await startCluster({ agents, engineArguments })
      const { hosts, bridge } = cluster.hosts
      const wire = [
        'ip',
        '-6',
        'addr',
        'add',
        `${addressOf(cluster.hosts)}/64`,
        'dev',
        bridge,
        'nodad',
      ]
      await cluster.hosts.exec(wire).exited
      for (const host of hosts) {
        await host.run(['ip', '-6', 'addr', 'add', `${addressOf(host)}/64`, 'dev', 'eth0', 'nodad'])
      }
      const [image] = cluster.hosts.images.serve
      const documents = [spec('web', image), spec('api', image), spec('db', image)]
      await cluster.run(['apply', '-f', '-', '--wait'], documents.join('---\n'))
      await waitConverged(cluster, 30_000)
      const places = await Promise.all(
        (await cluster.instances()).map((one) => placeOf(cluster, one)),
      )
      const targets = places.map(({ instance, published }): Target => ({
        name: instance.service,
        url: `http://${published}/healthz`,
      }))
      t.ok(
        targets.every(({ url }) => url.startsWith('http://[fd00:99:')),
        targets.map(({ url }) => url).join(),
      )

      const bound = await hosts[0]?.run(['ss', '-Hltn'])
      t.notMatch(
        bound,
        /(\*|0\.0\.0\.0|\[::\]):2\d{4}\b/,
        'bound to the address of the node, not to all',
      )

      for (const [index, zone] of zones.entries()) {
        const host = cluster.hosts.host(index + 1)
        const look = () => probeFromHost(host, targets)
        await reachesExactly(t, look, reaches[zone] ?? [], `from the node of ${zone}`)
      }
      await serveOn(hosts[0] ?? cluster.hosts, hostPort)
      const open = {
        name: 'a host of the cluster',
        url: `http://[${addressOf(cluster.hosts.host(1))}]:${hostPort}/`,
      }
      const look = () => probeFromOutside([...targets, open])
      await reachesExactly(t, look, [open.name], 'from outside')

      const hasProxy = (await cluster.nodes()).every(({ network }) => network.proxy !== null)
      if (!hasProxy) return t.comment('there is no HAProxy for the addresses of services')
      for (const { host, instance } of places) {
        const ofServices = (reaches[instance.zone] ?? []).flatMap((service) =>
          ['ipv4', 'ipv6'].map((family) => `${service} at its address, ${family}`),
        )
        const id = instance.containerId ?? ''
        const look = () => probeFromContainer(host, id, serviceTargets())
        await reachesExactly(t, look, ofServices, `from the container of ${instance.service}`)
        const others = targets.filter(({ name }) => !reaches[instance.zone]?.includes(name))
        t.same(await probeFromContainer(host, id, others), [], 'nothing else')
      }
    },
  )
}
