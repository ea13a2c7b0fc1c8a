import { Argument, type Command } from 'commander'

import { completionScripts, type Shell } from '../completion/scripts.ts'
import type { Toolkit } from '../toolkit.ts'

export function defineCompletion(command: Command, { cli, action }: Toolkit): void {
  command
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(completionScripts)))
    .addHelpText(
      'after',
      '\nbash, in ~/.bashrc:  source <(bulkhead completion bash)\n' +
        'zsh, in ~/.zshrc:    source <(bulkhead completion zsh)\n' +
        'fish, once:          bulkhead completion fish > ~/.config/fish/completions/bulkhead.fish',
    )
    .action(
      action(async (shell: Shell) => {
        cli.stdout.write(completionScripts[shell])
      }),
    )
}
