import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import fc from 'fast-check'

import { commandLine, contextFile, servers } from '../data/command-lines.ts'
import { mutatedText } from '../data/mutate.ts'
import type { Mood } from '../run/pretend-api.ts'
import type { Target } from '../run/target.ts'
import { expect } from '../run/target.ts'
import { checkErrors, tryCommand } from '../run/try-command.ts'

const launcher = fileURLToPath(new URL('../../../bulkhead', import.meta.url))
const spec =
  'apiVersion: bulkhead/v1\nkind: Service\nname: web\nenvironment: prod\nzone: data\nimage: demo:1\n'
/** A process that is still there then is told to end, and after as long again is not asked. */
const processMs = 4000

const moods = fc.constantFrom<Mood>('well', 'well', 'well', 'refusing', 'garbled', 'absent')
const tried = fc.record({
  argv: commandLine,
  context: contextFile,
  stdin: fc.oneof(fc.constant(spec), mutatedText(fc.constant(spec))),
  mood: moods,
  salt: fc.nat({ max: 11 }),
})

interface Ended {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

async function runProcess(cwd: string, argv: readonly string[]): Promise<Ended> {
  const env = { PATH: process.env['PATH'], HOME: cwd, BULKHEAD_CONTEXT: join(cwd, 'context.yaml') }
  const child = spawn(launcher, argv, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on(
    'data',
    (data: Buffer) => (stderr = `${stderr}${data.toString()}`.slice(0, 100_000)),
  )
  const timers = [
    setTimeout(() => child.kill('SIGTERM'), processMs),
    setTimeout(() => child.kill('SIGKILL'), 2 * processMs),
  ]
  const [exitCode, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  for (const timer of timers) clearTimeout(timer)
  return { exitCode, signal, stderr }
}

/** What a server writes is its log, so that only the way it ends is looked at. */
function serverLine(argv: readonly string[]): readonly string[] | null {
  const verb = argv.find((word) => servers.includes(word))
  if (verb === 'controlplane') return [...argv, '--listen', '127.0.0.1:0']
  return verb === 'agent' ? [...argv, '--docker', 'unix:///nonexistent.sock'] : null
}

const server = fc
  .tuple(
    fc.constantFrom(...servers),
    fc.array(
      fc.constantFrom(
        '--data',
        'd',
        '--server',
        'http://127.0.0.1:1',
        '--token',
        't',
        '--name',
        'n',
        '--zone',
        '--config',
        'bad.yaml',
        'spec.yaml',
        '--label',
        'a=b',
        '--store',
        'sqlite',
        'etcd://x',
        '--nope',
      ),
      { maxLength: 8 },
    ),
  )
  .map(([verb, rest]) => [verb, ...rest])

/** The command line: most of it in this process, some of it as the built program. */
export async function openCli(): Promise<Target> {
  const directory = mkdtempSync(join(tmpdir(), 'bulkhead-fuzz-cli-'))
  const before = process.cwd()
  process.chdir(directory)
  writeFileSync('spec.yaml', spec)
  writeFileSync('bad.yaml', 'kind: Service\nreplica: [\n')
  const inProcess = fc.asyncProperty(tried, tryCommand)
  const asProcess = fc.asyncProperty(
    fc.oneof({ weight: 3, arbitrary: commandLine }, { weight: 1, arbitrary: server }),
    contextFile,
    async (argv, context) => {
      writeFileSync('context.yaml', context)
      const line = serverLine(argv)
      const { exitCode, signal, stderr } = await runProcess(directory, line ?? argv)
      expect(signal !== 'SIGKILL', 'it did not end when it was told to')
      const isInterrupted = exitCode === 143 || signal === 'SIGTERM'
      if (isInterrupted) return
      expect(exitCode !== null, `it ended by ${signal}`)
      checkErrors(exitCode, stderr, false)
    },
  )
  return {
    name: 'cli',
    checks: [
      { name: 'command lines', runs: 150, property: inProcess },
      { name: 'the built program', runs: 3, property: asProcess },
    ],
    inspect: async () => {},
    async [Symbol.asyncDispose]() {
      process.chdir(before)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
