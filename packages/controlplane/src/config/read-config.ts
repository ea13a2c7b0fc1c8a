import { readFileSync } from 'node:fs'

import { BulkheadError } from '@bulkhead/shared'
import { Compile } from 'typebox/compile'
import { LineCounter, isMap, isNode, parseDocument } from 'yaml'

import { ConfigProblem, makeConfig, type Config } from './config.ts'
import { ConfigSource } from './schema.ts'

const advice = 'correct the file, or leave the key out for its default'

function parse(file: string): ConfigSource {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new BulkheadError('bad-usage', `the configuration ${file} cannot be read: ${(error as Error).message}`, 'check --config')
  }
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const [first] = document.errors
  if (first) throw new BulkheadError('bad-usage', `${place(first.pos[0])}: ${first.message.split('\n')[0]}`, advice)
  const source: unknown = document.toJS() ?? {}
  const check = Compile(ConfigSource)
  if (check.Check(source)) return source
  const problems = check.Errors(source)
  const problem = problems.find(({ keyword }) => keyword === 'additionalProperties') ?? problems[0]
  const path = (problem?.instancePath ?? '').split('/').slice(1)
  const params = (problem?.params ?? {}) as { additionalProperties?: string[] }
  const unknownKey = params.additionalProperties?.[0]
  const parent = path.length === 0 ? document.contents : document.getIn(path, true)
  const pair = isMap(parent) ? parent.items.find((item) => String(item.key) === unknownKey) : undefined
  const at = pair && isNode(pair.key) ? pair.key : parent
  const offset = isNode(at) ? (at.range?.[0] ?? 0) : 0
  const name = [...path, ...(unknownKey === undefined ? [] : [unknownKey])].join('.')
  const what = unknownKey === undefined ? (problem?.message ?? 'is not valid') : 'is not a known key'
  throw new BulkheadError('bad-usage', `${place(offset)}: ${name || 'the file'} ${what}`, advice)
}

/** Reads and checks the configuration; flags win over the file. Throws BulkheadError with the position. */
export function readConfig(file: string | undefined, flags: { readonly listen?: string }): Config {
  const source = file === undefined ? {} : parse(file)
  try {
    return makeConfig(source, flags)
  } catch (error) {
    if (!(error instanceof ConfigProblem)) throw error
    throw new BulkheadError('bad-usage', error.message, advice)
  }
}
