/** Where names of others are looked up, as resolv.conf(5) says it. */
export interface Resolvers {
  /** Addresses, the first one first. */
  readonly servers: readonly string[]
  /** For one try at one server. */
  readonly timeoutMs: number
  /** Rounds over all servers. */
  readonly attempts: number
}

/** The C library's own limits and defaults. */
const maxServers = 3
const timeoutS = { usual: 5, max: 30 } as const
const attempts = { usual: 2, max: 5 } as const

/** Lines that say something else are skipped. `own` addresses are left out: asking oneself never ends. */
export function parseResolvConf(text: string, own: ReadonlySet<string>): Resolvers {
  const servers: string[] = []
  const options: Record<string, number> = {}
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/)
    if (keyword === 'nameserver' && values[0] !== undefined) servers.push(values[0])
    if (keyword !== 'options') continue
    for (const value of values) {
      const [name = '', number = ''] = value.split(':')
      if (/^[0-9]{1,5}$/.test(number)) options[name] = Number(number)
    }
  }
  const between = (value: number | undefined, { usual, max }: typeof timeoutS | typeof attempts) =>
    Math.min(Math.max(value ?? usual, 1), max)
  return {
    servers: servers.filter((server) => !own.has(server)).slice(0, maxServers),
    timeoutMs: between(options['timeout'], timeoutS) * 1000,
    attempts: between(options['attempts'], attempts),
  }
}
