import { Command } from 'commander'

import type { CommandEntry } from './catalogue.ts'
import type { Cli } from './cli.ts'
import { styleHelp } from './help.ts'
import { makeToolkit, type Outcome } from './toolkit.ts'
import { version } from './version.ts'

/** The program with what works for every command, and no command yet. */
export function makeProgram(cli: Cli): Command {
  const program = new Command('bulkhead')
    .description('Runs containers on your own Docker hosts, placed by policy.')
    .usage('COMMAND [OPTIONS]')
    .option('--context <file>', 'context file (default: $BULKHEAD_CONTEXT)')
    .version(`bulkhead ${version}`, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .exitOverride()
  return styleHelp(program, cli)
}

/** The command with all its parts; used for running it and for completing it. */
export function addCommand(
  entry: CommandEntry,
  program: Command,
  cli: Cli,
  outcome: Outcome,
): Command {
  const command = program
    .command(entry.name)
    .summary(entry.summary)
    .description(`${entry.summary}.`)
    .helpCommand(false)
  const contextFile = (): string | undefined => program.opts<{ context?: string }>().context
  entry.define(command, makeToolkit(cli, contextFile, outcome))
  return command
}
