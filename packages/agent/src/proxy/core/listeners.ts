import type { Frontend } from './config.ts'

/** A TCP socket that waits for connections, from the kernel's tables. */
export interface Listener {
  /** As in the kernel's tables: hexadecimal, in the machine's byte order. */
  readonly address: string
  readonly port: number
  readonly inode: string
}

const listening = '0A'

/** From /proc/net/tcp or /proc/net/tcp6. */
export function parseListeners(table: string): Listener[] {
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[3] === listening)
    .map((fields) => {
      const [address = '', port = ''] = (fields[1] ?? '').split(':')
      return { address, port: Number.parseInt(port, 16), inode: fields[9] ?? '' }
    })
}

/** Frontends whose place is taken by a listener whose inode is none of ours. */
export function takenBySomebody(
  frontends: readonly Frontend[],
  listeners: readonly Listener[],
  ours: ReadonlySet<string>,
): readonly Frontend[] {
  const byPort = Map.groupBy(
    listeners.filter(({ inode }) => !ours.has(inode)),
    ({ port }) => port,
  )
  return frontends.filter(({ address, port }) => {
    const wanted = kernelForm(address)
    return (byPort.get(port) ?? []).some(
      (listener) => listener.address === wanted || isAny(listener.address) || isAny(wanted),
    )
  })
}

const isAny = (address: string): boolean => /^0+$/.test(address)

/** 32 bits at a time, each in the byte order of the machines that Bulkhead runs on. */
function kernelForm(address: string): string {
  const bytes = address.includes(':') ? bytes6(address) : address.split('.').map(Number)
  const words: string[] = []
  for (let at = 0; at < bytes.length; at += 4) {
    const word = bytes.slice(at, at + 4).toReversed()
    words.push(word.map((byte) => byte.toString(16).padStart(2, '0')).join(''))
  }
  return words.join('').toUpperCase()
}

const groups = (part: string): number[] =>
  part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16))

function bytes6(address: string): number[] {
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::')
  const before = groups(head)
  const after = groups(tail ?? '')
  const missing = Array.from({ length: 8 - before.length - after.length }, () => 0)
  return [...before, ...missing, ...after].flatMap((group) => [group >> 8, group & 255])
}
