import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'

import { mutations } from './all.ts'
import { applyTo, copySources } from './copy.ts'

/* Puts one deliberate bug after the other into a copy of the sources and counts the seeds until one finds it; a copy for each core. */

const mostSeeds = 200

interface Probed {
  readonly seeds: number
  readonly found: {
    readonly seed: number
    readonly invariant: string
    readonly text: string
  } | null
}

async function probe(copy: string, first: number): Promise<Probed> {
  const program = join(copy, 'test/simulation/mutations/probe.ts')
  const values = [program, first, mostSeeds, mostSeconds].map(String)
  const { stdout } = await promisify(execFile)(process.execPath, values, {
    cwd: copy,
    maxBuffer: 2 ** 24,
  })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Probed
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    from: { type: 'string' },
    part: { type: 'string' },
    seconds: { type: 'string' },
  },
})
const first = Number(values.from ?? 1)
/** Of a core, for each. */
const mostSeconds = Number(values.seconds ?? 100)
/** `--part 2/4`: every fourth of them, from the second on. */
const [part = 1, parts = 1] = (values.part ?? '1/1').split('/').map(Number)
const chosen = mutations
  .filter(({ name }) => name.includes(values.only ?? ''))
  .filter((_, index) => index % parts === part - 1)
const left = chosen.values()
let missed = 0

async function probeInTurn(): Promise<void> {
  const copy = await copySources()
  try {
    for (const mutation of left) {
      const undo = await applyTo(copy, mutation)
      const { seeds, found } = await probe(copy, first)
      await undo()
      if (found === null) missed += 1
      say(
        `| ${mutation.name} | ${found?.invariant ?? '**nothing**'} | ${seeds} | ${found?.seed ?? ''} |`,
      )
    }
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

say('| bug | found by | after seeds | seed |\n| --- | --- | --- | --- |')
await Promise.all(Array.from({ length: availableParallelism() }, probeInTurn))
say(
  `\n${chosen.length - missed} of ${chosen.length} found, each within ${mostSeeds} seeds and ${mostSeconds} s of a core`,
)
process.exitCode = missed === 0 ? 0 : 1
