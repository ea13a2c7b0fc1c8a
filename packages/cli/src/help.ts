import type { Command } from 'commander'

import type { Cli } from './cli.ts'
import { styleFor } from './output/style.ts'

/** What works with every command; the version is a matter of the program itself. */
const contextOnly = (program: Command) => program.options.filter(({ long }) => long === '--context')

/** How help looks; commands of the program inherit it. */
export function styleHelp(program: Command, cli: Cli): Command {
  const { bold, cyan } = styleFor(cli.stdout, cli.env)
  return program
    .configureOutput({
      writeOut: (text) => cli.stdout.write(text),
      // Errors are thrown and told in one place; what is left is help that was not asked for.
      writeErr: (text) => {
        if (!text.startsWith('error:')) cli.stderr.write(text)
      },
      getOutHelpWidth: () => Math.min(cli.stdout.columns, 100),
      getErrHelpWidth: () => Math.min(cli.stderr.columns, 100),
      getOutHasColors: () => true,
      getErrHasColors: () => true,
    })
    .configureHelp({
      showGlobalOptions: true,
      visibleGlobalOptions: (command) => (command === program ? [] : contextOnly(program)),
      sortSubcommands: false,
      styleTitle: bold,
      styleCommandText: cyan,
      styleSubcommandTerm: cyan,
      styleOptionTerm: cyan,
      styleArgumentTerm: cyan,
    })
}
