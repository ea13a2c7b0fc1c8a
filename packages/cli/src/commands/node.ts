import type { NodeView } from '@bulkhead/shared'
import { BulkheadError } from '@bulkhead/shared/client'
import type { Command } from 'commander'

import { shownLabels } from '../kinds/nodes.ts'
import { waitUntilDrained, warnOfSilence, warnOfStuck } from '../nodes/drained.ts'
import { nodePath, removeNode } from '../nodes/remove-node.ts'
import { addWait, durationOption, type WaitOptions } from '../options.ts'
import type { Toolkit } from '../toolkit.ts'

interface DrainOptions extends WaitOptions {
  readonly deadline?: number
}

/** `K=V` sets, `K-` removes. */
function labelChanges(words: readonly string[]) {
  const set: Record<string, string> = {}
  const remove: string[] = []
  for (const word of words) {
    const equals = word.indexOf('=')
    if (equals > 0) set[word.slice(0, equals)] = word.slice(equals + 1)
    else if (equals < 0 && word.length > 1 && word.endsWith('-')) remove.push(word.slice(0, -1))
    else {
      const advice = 'write KEY=VALUE to set it and KEY- to remove it'
      throw new BulkheadError('bad-usage', `node label: ${word} is no label`, advice)
    }
  }
  return { set, remove }
}

export function defineNode(command: Command, { cli, connect, action }: Toolkit): void {
  const { signal } = cli
  const sub = (name: string, summary: string): Command =>
    command.command(name).summary(summary).description(`${summary}.`).argument('<node>', 'its name')
  const post = async (name: string, path: string, body: unknown): Promise<NodeView> => {
    const { client } = await connect()
    return client.request<NodeView>('POST', nodePath(name, path), { body, signal })
  }
  const plain = (verb: string, summary: string, done: string): void => {
    sub(verb, summary).action(
      action(async (name: string) => {
        await post(name, `/${verb}`, {})
        cli.stdout.write(`node ${name}: ${done}\n`)
      }),
    )
  }
  plain('cordon', 'Place nothing more on a node', 'cordoned')
  plain('uncordon', 'Let a node be used again', 'uncordoned')
  addWait(
    sub('drain', 'Move everything off a node, within the update policies'),
    'nothing is left on it',
  )
    .option(
      '--deadline <duration>',
      'stop what is left after this time, replaced or not',
      durationOption,
    )
    .action(
      action(async (name: string, { deadline, wait, timeout }: DrainOptions) => {
        const node = await post(name, '/drain', deadline === undefined ? {} : { deadlineMs: deadline })
        cli.stdout.write(`node ${name}: draining\n`)
        warnOfSilence(node, cli)
        const { client } = await connect()
        const drain = { name, hasDeadline: deadline !== undefined }
        if (wait === true) await waitUntilDrained(drain, timeout, { client, cli })
        else await warnOfStuck(drain, { client, cli })
      }),
    )
  sub('remove', 'Forget a node and what was on it').action(
    action(async (name: string) => {
      const { client } = await connect()
      await removeNode(name, client, cli)
    }),
  )
  plain(
    'confirm-dead',
    'Vouch that a lost machine is off, so that it is replaced',
    'confirmed dead',
  )
  sub('label', "Set or remove a node's labels")
    .argument('<label...>', 'KEY=VALUE sets one, KEY- removes it')
    .action(
      action(async (name: string, words: readonly string[]) => {
        const node = await post(name, '/labels', labelChanges(words))
        cli.stdout.write(`node ${name}: ${shownLabels(node.labels) || 'no labels'}\n`)
      }),
    )
}
