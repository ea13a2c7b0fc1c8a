import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { BulkheadError } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'

/** Where the control plane is and who is asking; what a context file holds. */
export interface Context {
  readonly server: string
  readonly token: string
  /** Null: none is preferred. */
  readonly environment: string | null
}

const known = ['server', 'token', 'environment']

function fileOf(flag: string | undefined, env: Cli['env']): string {
  if (flag !== undefined) return flag
  const named = env['BULKHEAD_CONTEXT'] ?? ''
  if (named !== '') return named
  const folder = env['XDG_CONFIG_HOME'] || join(env['HOME'] ?? '', '.config')
  const file = join(folder, 'bulkhead', 'context.yaml')
  if (existsSync(file)) return file
  throw new BulkheadError(
    'bad-usage',
    `no context: neither --context nor $BULKHEAD_CONTEXT is given, and there is no ${file}`,
    "use the admin.yaml in the control plane's data directory",
  )
}

/** Plain `key: value` lines, as they are written for us; null for any other YAML. */
function readLines(text: string): Record<string, unknown> | null {
  const values: Record<string, unknown> = {}
  for (const line of text.split('\n')) {
    if (/^\s*(#.*)?$/.test(line)) continue
    const [, key, value] = /^([a-z]+):\s+([^\s"'#&*!|>{}[\]%@`][^\s#]*)\s*$/.exec(line) ?? []
    if (key === undefined || value === undefined || value.endsWith(':')) return null
    values[key] = value
  }
  return values
}

async function readYaml(text: string): Promise<unknown> {
  const { parseYaml } = await import('../output/yaml.ts')
  // Warnings would be printed by Node.js, in its own words.
  return parseYaml(text, { logLevel: 'error', stringKeys: true })
}

function textOf(values: Readonly<Record<string, unknown>>, key: string): string | null {
  const value = values[key]
  if (value === undefined || value === null) return null
  if (typeof value === 'string') return value
  throw new Error(`${key} must be text`)
}

function checked(values: unknown): Context {
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw new Error('it must have the keys server and token')
  }
  const fields = values as Readonly<Record<string, unknown>>
  const unknown = Object.keys(fields).find((key) => !known.includes(key))
  if (unknown !== undefined) throw new Error(`unknown key ${unknown}`)
  const server = textOf(fields, 'server')
  if (server === null) throw new Error('the key server is missing')
  if (!/^https?:\/\/[^/\s]+\/?$/.test(server)) throw new Error(`server ${server} is no URL`)
  return {
    server,
    token: textOf(fields, 'token') ?? '',
    environment: textOf(fields, 'environment'),
  }
}

/** Throws BulkheadError `bad-usage` with the file's name and what is wrong with it. */
export async function readContext(flag: string | undefined, env: Cli['env']): Promise<Context> {
  const file = fileOf(flag, env)
  try {
    const text = readFileSync(file, 'utf8')
    return checked(readLines(text) ?? (await readYaml(text)))
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'ENOENT' ? 'there is no such file' : message.split('\n')[0]
    const advice = 'a context file has the keys server and token, and perhaps environment'
    throw new BulkheadError('bad-usage', `context ${file}: ${why}`, advice)
  }
}
