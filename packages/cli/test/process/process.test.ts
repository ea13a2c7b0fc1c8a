import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import t from 'tap'

import { type Answers, eventStream, startServer } from '../support/fake-server.ts'
import * as make from '../support/fixtures.ts'

const main = join(import.meta.dirname, '../../src/main.ts')

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the program as a process; `onOutput` sees what was written so far. */
function runProcess(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
  onOutput: (child: ReturnType<typeof spawn>, stdout: string) => void = () => {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...argv], {
      env: { ...process.env, NO_COLOR: '1', ...env },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString()
      onOutput(child, stdout)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, stdout, stderr }))
  })
}

const many = Array.from({ length: 3000 }, (_, index) => make.service({ name: `service-${index}` }))
const answers: Answers = {
  'GET /v1/services': make.list(make.service()),
  'GET /v1/services?watch=7': eventStream([]),
  'GET /v1/services?environment=many': make.list(...many),
}

t.test('the process', async (t) => {
  const server = await startServer(answers)
  t.teardown(() => server.close())
  const context = join(t.testdir(), 'context.yaml')
  writeFileSync(context, `server: ${server.url}\ntoken: x\n`)
  const env = { BULKHEAD_CONTEXT: context }

  const [version, table, usage, interrupted, closed] = await Promise.all([
    runProcess(['--version'], env),
    runProcess(['get', 'services'], env),
    runProcess(['gett'], env),
    runProcess(['get', 'services', '--watch'], env, (child, stdout) => {
      if (stdout.includes('converged')) child.kill('SIGINT')
    }),
    runProcess(['get', 'services', '-e', 'many'], env, (child) => child.stdout?.destroy()),
  ])
  t.match(version, { code: 0, stdout: /^bulkhead \d+\.\d+\.\d+\n$/, stderr: '' })
  t.match(table, { code: 0, stdout: /^NAME +ENV.*\nweb +prod.*\n$/, stderr: '' })
  t.match(usage, { code: 2, stdout: '', stderr: /^error: gett: / })
  t.match(interrupted, { code: 130, stderr: '' }, 'Ctrl-C ends it quietly')
  t.match(closed, { code: 0, stderr: '' }, 'a reader that leaves, as head does, is no error')
})
