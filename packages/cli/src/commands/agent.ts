import type { Command } from 'commander'

import { untilInterrupted } from '../errors/until-interrupted.ts'
import { collect, collectPair } from '../options.ts'
import type { Toolkit } from '../toolkit.ts'

interface AgentFlags {
  readonly data: string
  readonly server?: string
  readonly token?: string
  readonly name?: string
  readonly zone?: readonly string[]
  readonly environment?: readonly string[]
  readonly label?: Readonly<Record<string, string>>
  readonly provider?: string
  readonly site?: string
  readonly rack?: string
  readonly host?: string
  readonly docker?: string
  readonly address?: string
  readonly config?: string
  readonly leave?: boolean
}

/** The levels of the failure domain are labels; none at all means that those of the last start hold. */
function labelsOf({ label, provider, site, rack }: AgentFlags): Record<string, string> | undefined {
  const levels = Object.entries({ provider, site, rack }).flatMap(([level, name]) =>
    name === undefined ? [] : [[level, name] as const],
  )
  if (label === undefined && levels.length === 0) return undefined
  return { ...label, ...Object.fromEntries(levels) }
}

export function defineAgent(command: Command, { cli, action }: Toolkit): void {
  command
    .requiredOption(
      '--data <dir>',
      'where the agent keeps what it knows; made when it is not there',
    )
    .option('--server <url>', 'the control plane, such as http://10.0.0.1:7070')
    .option('--token <token>', 'from bulkhead token create --node; used once, to join')
    .option('--name <name>', 'what the node is called')
    .option('--zone <zone>', 'a zone that the node serves; may be repeated', collect)
    .option('--environment <env>', 'an environment that it serves; may be repeated', collect)
    .option('--label <key=value>', 'a label for placement; may be repeated', collectPair)
    .option('--provider <name>', 'failure domain: who runs the machine')
    .option('--site <name>', 'failure domain: where it stands')
    .option('--rack <name>', 'failure domain: in which rack')
    .option('--host <name>', 'failure domain: the physical machine under a virtual one')
    .option('--docker <url>', 'the engine (default: unix:///var/run/docker.sock)')
    .option('--address <ip>', 'the address at which other nodes reach this one')
    .option('--config <file>', 'settings in YAML; options win over it')
    .option(
      '--leave',
      'end the proxy and the name server that an agent has left running here, instead of starting one',
    )
    .addHelpText(
      'after',
      '\nA restarted agent needs only --data. Containers, the proxy and the name server run on when it ends.',
    )
    .action(
      action(async (flags: AgentFlags) => {
        const { leaveMachine, runAgent } = await import('@bulkhead/agent')
        if (flags.leave) return leaveMachine(flags.data)
        const { data, server, token, name, host, docker, address, config } = flags
        const lists = { zones: flags.zone, environments: flags.environment }
        const facts = { name, host, docker, address, labels: labelsOf(flags), ...lists }
        const options = { data, server, token, config, ...facts }
        await untilInterrupted(cli.signal, runAgent(options, cli.signal))
      }),
    )
}
