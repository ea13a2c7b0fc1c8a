import { type Client, createClient } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import { type Context, readContext } from './api/context.ts'
import type { Cli } from './cli.ts'

/** A control plane to talk to. */
export interface Connection {
  readonly client: Client
  readonly context: Context
}

/** What a command is given to define and to run itself. */
export interface Toolkit {
  readonly cli: Cli
  readonly connect: () => Promise<Connection>
  /** Wraps what a command does; it returns an exit code when that is not 0. */
  readonly action: <A extends unknown[]>(
    run: (...given: A) => Promise<number | void>,
  ) => (...given: A) => Promise<void>
}

/** What each module in `commands/` exports: gives a command its arguments, options and action. */
export type DefineCommand = (command: Command, toolkit: Toolkit) => void

export interface Outcome {
  exitCode: number
}

export function makeToolkit(
  cli: Cli,
  contextFile: () => string | undefined,
  outcome: Outcome,
): Toolkit {
  return {
    cli,
    async connect() {
      const context = await readContext(contextFile(), cli.env)
      const { server, token } = context
      const { transport, clock } = cli
      return { client: createClient({ server, token, transport, clock }), context }
    },
    action:
      (run) =>
      async (...given) => {
        outcome.exitCode = (await run(...given)) ?? 0
      },
  }
}
