/** What the clients told of one second; times are wall-clock milliseconds of this machine. */
export interface Second {
  readonly atMs: number
  readonly requests: Readonly<Record<string, number>>
  readonly versions: Readonly<Record<string, number>>
  readonly failures: readonly { readonly atMs: number; readonly kind: string; readonly why: string }[]
  readonly reconnects: number
  readonly slowestMs: number
}

export interface Sum {
  readonly requests: number
  readonly failures: readonly string[]
  readonly versions: Readonly<Record<string, number>>
  readonly slowestMs: number
}

/** Adds up seconds. */
export function sumOf(seconds: readonly Second[]): Sum {
  const versions: Record<string, number> = {}
  let requests = 0
  for (const second of seconds) {
    for (const count of Object.values(second.requests)) requests += count
    for (const [version, count] of Object.entries(second.versions)) {
      versions[version] = (versions[version] ?? 0) + count
    }
  }
  const failures = seconds.flatMap((second) =>
    second.failures.map(({ atMs, kind, why }) => `${new Date(atMs).toISOString()} ${kind}: ${why}`),
  )
  return { requests, failures, versions, slowestMs: Math.max(0, ...seconds.map(({ slowestMs }) => slowestMs)) }
}
