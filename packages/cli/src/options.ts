import { type Command, InvalidArgumentError, Option } from 'commander'

import { isName, wordsOfName } from './names/check-name.ts'
import { parseDuration } from './output/quantity.ts'

/** Options that several commands share, so that they read and mean the same everywhere. */

export function addEnvironment(command: Command): Command {
  return command.option('-e, --environment <env>', 'environment of the service', environmentOption)
}

export function addOutput(command: Command, formats: readonly string[]): Command {
  const option = new Option('-o, --output <format>', 'output format')
  return command.addOption(option.choices(formats).default(formats[0]))
}

export function addFiles(command: Command): Command {
  const file = new Option('-f, --file <path>', 'file, directory of files, or - for standard input')
  return command.addOption(file.argParser(collect).makeOptionMandatory().default(undefined))
}

export interface WaitOptions {
  readonly wait?: boolean
  readonly timeout: number
}

export function addWait(command: Command, until: string): Command {
  const timeout = new Option('--timeout <duration>', 'how long to wait')
  return command
    .option('--wait', `wait until ${until}`)
    .addOption(timeout.argParser(durationOption).default(60_000, '60s'))
}

export function environmentOption(text: string): string {
  if (isName('environment', text)) return text
  throw new InvalidArgumentError(`It must be ${wordsOfName('environment')}.`)
}

export function durationOption(text: string): number {
  const ms = parseDuration(text)
  if (ms === null)
    throw new InvalidArgumentError('It must be a duration such as 500ms, 90s, 5m or 1h.')
  return ms
}

export function countOption(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return Number(text)
}

export const collect = (
  value: string,
  before: readonly string[] | undefined,
): readonly string[] => [...(before ?? []), value]

/** `K=V` into pairs. */
export function collectPair(
  text: string,
  before: Readonly<Record<string, string>> | undefined,
): Record<string, string> {
  const equals = text.indexOf('=')
  if (equals < 1) throw new InvalidArgumentError('It must be KEY=VALUE.')
  return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) }
}
