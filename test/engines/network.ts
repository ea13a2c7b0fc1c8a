import { addressOf, type Claim, linkOf } from './claim.ts'
import { run } from './command.ts'
import type { Machine } from './machine.ts'

/** The number of the bridge's own address, where control plane and registry are. */
export const outsideIndex = 254

const faultTable = 'inet bulkhead_test_faults'

function forwardRule(claim: Claim): readonly string[] {
  // Bridged frames pass iptables too, where Docker's policy would drop them.
  const comment = ['-m', 'comment', '--comment', claim.bridge]
  return ['FORWARD', '-i', claim.bridge, '-o', claim.bridge, ...comment, '-j', 'ACCEPT']
}

/** Makes the bridge that connects the hosts of a run with each other and with us. */
export async function createBridge(claim: Claim): Promise<void> {
  const { bridge } = claim
  const commands = [
    `link add ${bridge} type bridge forward_delay 0`,
    `addr add ${addressOf(claim, outsideIndex)}/24 dev ${bridge}`,
    `link set ${bridge} up`,
  ]
  await run(['ip', '-batch', '-'], { input: commands.join('\n') })
  await run(['iptables', '-w', '10', '-I', ...forwardRule(claim)])
}

/** Removes the bridge of a run, and its rule, where they exist. */
export async function removeBridge(claim: Claim): Promise<void> {
  const rule = forwardRule(claim)
  const exists = await run(['iptables', '-w', '10', '-C', ...rule]).then(
    () => true,
    () => false,
  )
  if (exists) await run(['iptables', '-w', '10', '-D', ...rule])
  if (await isLink(claim.bridge)) await run(['ip', 'link', 'del', claim.bridge])
  await clearDropsOutside(claim)
}

/** Whether a network interface with that name exists here. */
export async function isLink(name: string): Promise<boolean> {
  const links = await run(['ip', '-o', 'link', 'show'])
  return new RegExp(String.raw`^\d+: ${name}[@:]`, 'm').test(links)
}

/** Connects a machine to the bridge, as a host with the given number. */
export async function connect(claim: Claim, index: number, machine: Machine): Promise<void> {
  const link = linkOf(claim, index)
  const mac = [0x02, 0x62, 0x68, 0, claim.number, index]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join(':')
  const outside = [
    `link add ${link} type veth peer name eth0 address ${mac} netns ${machine.pid}`,
    `link set ${link} master ${claim.bridge} up`,
  ]
  // After a power failure the old cable may outlive the machine for a moment.
  if (await isLink(link)) await run(['ip', 'link', 'delete', link]).catch(() => '')
  await run(['ip', '-batch', '-'], { input: outside.join('\n') })
  const inside = [
    'link set lo up',
    `addr add ${addressOf(claim, index)}/24 dev eth0`,
    'link set eth0 up',
    `route add default via ${addressOf(claim, outsideIndex)}`,
  ]
  await run(machine.enterNetwork(['ip', '-batch', '-']), { input: inside.join('\n') })
}

/** Plugs a host's cable in or out. */
export async function setLink(claim: Claim, index: number, state: 'up' | 'down'): Promise<void> {
  await run(['ip', 'link', 'set', linkOf(claim, index), state])
}

/** Drops what comes from an address, or that share of it, before anything else sees it. */
export async function addDrop(machine: Machine, address: string, percent: number): Promise<void> {
  const share = percent === 100 ? '' : `numgen random mod 100 < ${percent}`
  const rules = [
    `add table ${faultTable}`,
    `add chain ${faultTable} drops { type filter hook prerouting priority -400; }`,
    `add rule ${faultTable} drops ip saddr ${address} ${share} drop`,
  ]
  await run(machine.enterNetwork(['nft', '-f', '-']), { input: rules.join('\n') })
}

const outsideTable = (claim: Claim): string => `inet bulkhead_test_${claim.number}`

/** Drops what a host sends to the outside, or that share of it, once it has left the host. */
export async function addDropOutside(claim: Claim, index: number, percent: number): Promise<void> {
  const share = percent === 100 ? '' : `numgen random mod 100 < ${percent}`
  const table = outsideTable(claim)
  const way = `ip saddr ${addressOf(claim, index)} ip daddr ${addressOf(claim, outsideIndex)}`
  const rules = [
    `add table ${table}`,
    `add chain ${table} host${index} { type filter hook prerouting priority -400; }`,
    `add rule ${table} host${index} ${way} ${share} drop`,
  ]
  await run(['nft', '-f', '-'], { input: rules.join('\n') })
}

/** Removes everything that {@link addDropOutside} added for a host, or for all. */
export async function clearDropsOutside(claim: Claim, index?: number): Promise<void> {
  const table = outsideTable(claim)
  const chain = `chain ${table} host${index}`
  const rules = [`add table ${table}`, ...(index === undefined ? [`delete table ${table}`] : [`add ${chain}`, `delete ${chain}`])]
  await run(['nft', '-f', '-'], { input: rules.join('\n') })
}

/** Removes everything that {@link addDrop} added. */
export async function clearDrops(machine: Machine): Promise<void> {
  const rules = `add table ${faultTable}\ndelete table ${faultTable}\n`
  await run(machine.enterNetwork(['nft', '-f', '-']), { input: rules })
}
