import type { Command, Option } from 'commander'

import { commandEntries } from '../catalogue.ts'
import type { Cli } from '../cli.ts'
import { addCommand } from '../program.ts'
import { type Candidate, filesCandidate, namesFor } from './candidates.ts'

const fileOptions = ['--file', '--context', '--data', '--config']
const fileArguments = ['file']

interface Position {
  readonly command: Command
  /** Operands of the command before the current word. */
  readonly operands: readonly string[]
  /** The option whose value the current word is; null when it is none. */
  readonly option: Option | null
}

const optionNamed = (command: Command, word: string): Option | null =>
  [
    ...command.options,
    ...(command.parent?.options ?? []),
    ...(command.parent?.parent?.options ?? []),
  ].find((option) => option.short === word || option.long === word) ?? null

/** Walks down the words before the current one. */
function positionOf(start: Command, before: readonly string[]): Position {
  let command = start
  let operands: string[] = []
  let option: Option | null = null
  for (const word of before) {
    if (option !== null) {
      option = null
      continue
    }
    if (word.startsWith('-')) {
      const named = word.includes('=') ? null : optionNamed(command, word)
      option = named?.required === true ? named : null
      continue
    }
    const child =
      operands.length === 0 ? command.commands.find((one) => one.name() === word) : undefined
    if (child === undefined) operands = [...operands, word]
    else command = child
  }
  return { command, operands, option }
}

function optionsOf(command: Command): Candidate[] {
  const own = [...command.options, ...(command.parent?.options ?? [])]
  return own.map((option) => ({
    value: option.long ?? option.short ?? '',
    about: option.description,
  }))
}

async function candidatesAt(
  { command, operands, option }: Position,
  current: string,
  cli: Cli,
  contextFile: string | undefined,
) {
  if (option !== null) {
    if (option.argChoices !== undefined) return option.argChoices.map((value) => ({ value }))
    if (fileOptions.includes(option.long ?? '')) return [filesCandidate]
    return namesFor(option.attributeName(), operands, cli, contextFile)
  }
  if (current.startsWith('-')) return optionsOf(command)
  if (command.commands.length > 0 && operands.length === 0) {
    return command.commands.map((one) => ({ value: one.name(), about: one.summary() }))
  }
  const last = command.registeredArguments.at(-1)
  const argument =
    command.registeredArguments[operands.length] ?? (last?.variadic === true ? last : undefined)
  if (argument === undefined) return []
  if (argument.argChoices !== undefined) return argument.argChoices.map((value) => ({ value }))
  if (fileArguments.includes(argument.name())) return [filesCandidate]
  const what = `${command.name()} ${argument.name()}`
  const candidates = await namesFor(what, operands, cli, contextFile)
  // Several kinds at once: what stands before the last comma is kept.
  const before = what === 'get kind' ? current.slice(0, current.lastIndexOf(',') + 1) : ''
  return candidates.map((candidate) => ({ ...candidate, value: before + candidate.value }))
}

async function candidatesFor(words: readonly string[], cli: Cli, program: Command) {
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const contextAt = before.indexOf('--context')
  const contextFile = contextAt < 0 ? undefined : before[contextAt + 1]
  const names = before.filter(
    (_, index) => contextAt < 0 || index < contextAt || index > contextAt + 1,
  )
  const word = names.find((name) => !name.startsWith('-'))
  if (before.at(-1) === '--context') return [filesCandidate]
  if (word === undefined) {
    if (current.startsWith('-')) return optionsOf(program)
    return commandEntries.map(({ name, summary }) => ({ value: name, about: summary }))
  }
  const entry = commandEntries.find(({ name }) => name === word)
  if (entry === undefined) return []
  addCommand(entry, program, cli, { exitCode: 0 })
  return candidatesAt(positionOf(program, before), current, cli, contextFile)
}

/** Answers a completion script. Never fails: where nothing can be said, nothing is offered. */
export async function complete(
  given: readonly string[],
  cli: Cli,
  program: Command,
): Promise<number> {
  const words = given[0] === '--' ? given.slice(1) : given
  const current = words.at(-1) ?? ''
  try {
    const candidates: readonly Candidate[] = await candidatesFor(words, cli, program)
    for (const candidate of candidates) {
      const { value, about } = candidate
      if (candidate !== filesCandidate && !value.startsWith(current)) continue
      cli.stdout.write(about === undefined ? `${value}\n` : `${value}\t${about}\n`)
    }
  } catch {
    // A shell has no use for an error in the middle of a line.
  }
  return 0
}
