/** What the clients told of one second; times are wall-clock milliseconds of this machine. */
export interface Second {
  readonly atMs: number
  readonly requests: Readonly<Record<string, number>>
  readonly versions: Readonly<Record<string, number>>
  /** Of requests that are balanced one by one, errors too. */
  readonly shares: Readonly<Record<string, number>>
  readonly failures: readonly { readonly atMs: number; readonly kind: string; readonly why: string }[]
  readonly reconnects: number
  readonly slowestMs: number
}

export interface Sum {
  readonly requests: number
  readonly failures: readonly string[]
  readonly versions: Readonly<Record<string, number>>
  readonly shares: Readonly<Record<string, number>>
  readonly slowestMs: number
}

const addUp = (counts: readonly Readonly<Record<string, number>>[]): Record<string, number> => {
  const sum: Record<string, number> = {}
  for (const [version, count] of counts.flatMap((one) => Object.entries(one))) {
    sum[version] = (sum[version] ?? 0) + count
  }
  return sum
}

/** Adds up seconds. */
export function sumOf(seconds: readonly Second[]): Sum {
  let requests = 0
  for (const second of seconds) {
    for (const count of Object.values(second.requests)) requests += count
  }
  const failures = seconds.flatMap((second) =>
    second.failures.map(({ atMs, kind, why }) => `${new Date(atMs).toISOString()} ${kind}: ${why}`),
  )
  const versions = addUp(seconds.map((second) => second.versions))
  const shares = addUp(seconds.map((second) => second.shares))
  return { requests, failures, versions, shares, slowestMs: Math.max(0, ...seconds.map(({ slowestMs }) => slowestMs)) }
}
