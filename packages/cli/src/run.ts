import { BulkheadError } from '@bulkhead/shared/client'
import { type Command, CommanderError } from 'commander'

import { catalogue, commandEntries } from './catalogue.ts'
import type { Cli } from './cli.ts'
import { complete } from './completion/complete.ts'
import { meant } from './errors/nearest.ts'
import { reportError } from './errors/report.ts'
import { usageError } from './errors/usage-error.ts'
import { addCommand, makeProgram } from './program.ts'
import type { Outcome } from './toolkit.ts'

/** The word that names the command; null when there is none before the options end. */
function commandWord(argv: readonly string[]): string | null {
  for (let index = 0; index < argv.length; index++) {
    const word = argv[index] ?? ''
    if (word === '--') return null
    if (word === '--context') index += 1
    else if (!word.startsWith('-')) return word
  }
  return null
}

function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  const own = end < 0 ? argv : argv.slice(0, end)
  return own.some((word, index) => {
    if (word === '-ojson' || word === '--output=json' || word === '-o=json') return true
    return (word === '-o' || word === '--output') && own[index + 1] === 'json'
  })
}

function unknownCommand(word: string): BulkheadError {
  const names = commandEntries.map(({ name }) => name)
  return new BulkheadError(
    'bad-usage',
    `${word}: there is no such command`,
    meant(word, names, 'see bulkhead --help'),
  )
}

/** The command that is meant with its subcommand, as far as there are such. */
function pathOf(program: Command, words: readonly string[]): string {
  const names: string[] = []
  let command: Command | undefined = program
  for (const word of words) {
    const found: Command | undefined = command.commands.find((one) => one.name() === word)
    if (found === undefined) continue
    names.push(word)
    command = found
  }
  return names.join(' ')
}

function showHelp(program: Command, isAsked: boolean): number {
  for (const { title, commands } of catalogue) {
    for (const { name, summary } of commands)
      program.command(name).summary(summary).helpGroup(title)
  }
  program.addHelpText('after', '\nSee bulkhead COMMAND --help for more about a command.')
  program.outputHelp({ error: !isAsked })
  return isAsked ? 0 : 2
}

async function parse(argv: readonly string[], cli: Cli): Promise<number> {
  const isHelpCommand = argv[0] === 'help'
  const words = isHelpCommand ? [...argv.slice(1), '--help'] : argv
  const program = makeProgram(cli)
  const word = commandWord(words)
  if (word === '__complete') {
    return complete(words.slice(words.indexOf(word) + 1), cli, makeProgram(cli))
  }
  const outcome: Outcome = { exitCode: 0 }
  if (word === null) {
    const isAsked = words.some((option) => option === '-h' || option === '--help')
    if (isAsked || words.length === 0) return showHelp(program, isAsked)
    program.action(() => {
      throw new BulkheadError('bad-usage', 'no command is given', 'see bulkhead --help')
    })
  } else {
    const entry = commandEntries.find(({ name }) => name === word)
    if (entry === undefined) throw unknownCommand(word)
    addCommand(entry, program, cli, outcome)
  }
  try {
    await program.parseAsync(words, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return 0
    if (error.code === 'commander.help') return 2
    throw usageError(error, pathOf(program, words))
  }
  return outcome.exitCode
}

/** Runs one command line to its end; the exit code is the result, and nothing is thrown. */
export async function run(argv: readonly string[], cli: Cli): Promise<number> {
  try {
    return await parse(argv, cli)
  } catch (error) {
    return reportError(error, cli, wantsJson(argv))
  }
}
