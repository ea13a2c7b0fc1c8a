import { BulkheadError } from '@bulkhead/shared/client'
import type { CommanderError } from 'commander'

/** What the parser says, and how we say it. */
const wordings: readonly (readonly [RegExp, string])[] = [
  [/^required option '(.+)' not specified$/, "option '$1' is required"],
  [/^option '(.+)' argument missing$/, "option '$1' needs a value"],
  [/^missing required argument '(.+)'$/, "argument '$1' is missing"],
  [
    /^too many arguments(?: for '.+')?\. Expected (\d+) arguments? but got (\d+): /,
    'too many arguments: $1 expected, $2 given: ',
  ],
  [
    /^command-argument value '(.*)' is invalid for argument '(.+)'\. Allowed choices are /,
    "argument '$2' is '$1': it must be one of ",
  ],
  [
    /^option '(.+)' argument '(.*)' is invalid\. Allowed choices are /,
    "option '$1' is '$2': it must be one of ",
  ],
  [/^option '(.+)' argument '(.*)' is invalid\. It must /, "option '$1' is '$2': it must "],
]

/** An error of the parser in our words: `COMMAND: why; what to do`. */
export function usageError(error: CommanderError, path: string): BulkheadError {
  const [first = '', suggestion = ''] = error.message.split('\n')
  const said = first.replace(/^error: /, '').replace(/\.$/, '')
  const why = wordings.reduce((text, [pattern, words]) => text.replace(pattern, words), said)
  const format = /^unknown option '--(json|yaml|wide)'$/.exec(why)?.[1]
  const meant = format === undefined ? undefined : `-o ${format}`
  const near = /\(Did you mean (.*)\?\)/.exec(suggestion)?.[1] ?? meant
  const hint = near === undefined ? '' : `did you mean ${near}? `
  const command = path === '' ? 'bulkhead' : `bulkhead ${path}`
  const message = `${path === '' ? 'bulkhead' : path}: ${why}`
  return new BulkheadError('bad-usage', message, `${hint}see ${command} --help`)
}
