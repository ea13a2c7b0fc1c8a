import type { Offer } from './offered.ts'

/**
 * Lines of a hosts file, one for each instance: its address, its own name and its service's; behind the comment sign
 * where its ports are.
 */
export function hostsList(offers: readonly Offer[]): string {
  const lines = new Map<string, { readonly head: string; readonly ports: string[] }>()
  for (const { environment, service, port, endpoints } of offers) {
    const domain = `${service}.${environment}.bulkhead`
    for (const { instance, address, hostPort } of endpoints) {
      const head = `${address}\t${instance}.${domain} ${domain}`
      const line = lines.get(head) ?? { head, ports: [] }
      line.ports.push(`${port}=${hostPort}`)
      lines.set(head, line)
    }
  }
  return [...lines.values()].map(({ head, ports }) => `${head}\t# ${ports.join(' ')}\n`).join('')
}
