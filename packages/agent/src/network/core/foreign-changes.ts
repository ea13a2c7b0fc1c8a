/** `# new generation 8 by process 29006 (nft)`: what comes before it was one transaction of that process. */
const generation = /^# new generation \d+ by process (\d+)/
/** The lease, which is written with every heartbeat, and whose elements go by themselves. */
const ofLease = / element \S+ \S+ (beat\d|lease) /

/**
 * Reads what `nft monitor` prints, line by line, and calls back for each transaction of another process that has
 * touched the table, or may have: of networks in sets, and of sets that it does not know, it says little or nothing.
 */
export function foreignChanges(
  table: string,
  isOwn: (pid: number) => boolean,
  onChange: () => void,
): (line: string) => void {
  let isTouched = false
  let isSilent = true
  return (line) => {
    const [, pid] = generation.exec(line) ?? []
    if (pid === undefined) {
      const isNamed = `${line} `.includes(` ${table} `) && !ofLease.test(line)
      isTouched ||= isNamed || line.startsWith('W:')
      isSilent = false
      return
    }
    if ((isTouched || isSilent) && !isOwn(Number(pid))) onChange()
    isTouched = false
    isSilent = true
  }
}
