import { defineAgent } from './commands/agent.ts'
import { defineApply } from './commands/apply.ts'
import { defineBackup } from './commands/backup.ts'
import { defineCompletion } from './commands/completion.ts'
import { defineControlPlane } from './commands/controlplane.ts'
import { defineDelete } from './commands/delete.ts'
import { defineDescribe } from './commands/describe.ts'
import { defineDiff } from './commands/diff.ts'
import { defineEvents } from './commands/events.ts'
import { defineExec } from './commands/exec.ts'
import { defineExplain } from './commands/explain.ts'
import { defineGet } from './commands/get.ts'
import { defineLogs } from './commands/logs.ts'
import { defineNode } from './commands/node.ts'
import { definePlan } from './commands/plan.ts'
import { defineResolve } from './commands/resolve.ts'
import { defineRestart } from './commands/restart.ts'
import { defineRestore } from './commands/restore.ts'
import { defineRollout } from './commands/rollout.ts'
import { defineScale } from './commands/scale.ts'
import { defineSchema } from './commands/schema.ts'
import { defineSecret } from './commands/secret.ts'
import { defineToken } from './commands/token.ts'
import { defineTop } from './commands/top.ts'
import { defineValidate } from './commands/validate.ts'
import { defineVersion } from './commands/version.ts'
import type { DefineCommand } from './toolkit.ts'

export interface CommandEntry {
  readonly name: string
  readonly summary: string
  readonly define: DefineCommand
}

export interface CommandGroup {
  readonly title: string
  readonly commands: readonly CommandEntry[]
}

/**
 * All commands, in the order in which the help shows them. They are imported at once, because a bundle of one
 * file starts faster than one of many; what is large (YAML, schemas, control plane, agent) they load when run.
 */
export const catalogue: readonly CommandGroup[] = [
  {
    title: 'Deploy:',
    commands: [
      {
        name: 'validate',
        summary: 'Check documents, offline',
        define: defineValidate,
      },
      {
        name: 'diff',
        summary: 'Show what an apply would change',
        define: defineDiff,
      },
      {
        name: 'plan',
        summary: 'Show what an apply would place, replace and refuse',
        define: definePlan,
      },
      {
        name: 'apply',
        summary: 'Make the cluster be as documents say',
        define: defineApply,
      },
      {
        name: 'scale',
        summary: 'Change the number of replicas',
        define: defineScale,
      },
      {
        name: 'restart',
        summary: 'Replace all instances of a service, as an update does',
        define: defineRestart,
      },
      {
        name: 'rollout',
        summary: 'Follow, pause, resume or undo a rollout',
        define: defineRollout,
      },
      {
        name: 'delete',
        summary: 'Delete a service, or remove a node',
        define: defineDelete,
      },
    ],
  },
  {
    title: 'Look:',
    commands: [
      {
        name: 'get',
        summary: 'List services, instances, nodes and more',
        define: defineGet,
      },
      {
        name: 'describe',
        summary: 'Show everything about one thing',
        define: defineDescribe,
      },
      {
        name: 'explain',
        summary: 'Say why something is where it is, or is nowhere',
        define: defineExplain,
      },
      {
        name: 'events',
        summary: 'Show what happened, and why',
        define: defineEvents,
      },
      {
        name: 'logs',
        summary: 'Show what instances print',
        define: defineLogs,
      },
      {
        name: 'top',
        summary: 'Show what nodes or instances use',
        define: defineTop,
      },
      {
        name: 'resolve',
        summary: 'Show the addresses of a service, as a client sees them',
        define: defineResolve,
      },
      {
        name: 'exec',
        summary: 'Run a command in an instance',
        define: defineExec,
      },
    ],
  },
  {
    title: 'Operate:',
    commands: [
      {
        name: 'node',
        summary: 'Cordon, drain, label or remove a node',
        define: defineNode,
      },
      {
        name: 'token',
        summary: 'Create tokens with which nodes join',
        define: defineToken,
      },
      {
        name: 'secret',
        summary: 'Set, list and delete secrets',
        define: defineSecret,
      },
      {
        name: 'backup',
        summary: "Save the control plane's state to a file",
        define: defineBackup,
      },
      {
        name: 'restore',
        summary: 'Put a backup into a data directory, offline',
        define: defineRestore,
      },
      {
        name: 'controlplane',
        summary: 'Run a control plane',
        define: defineControlPlane,
      },
      {
        name: 'agent',
        summary: "Run the agent of this machine's engine",
        define: defineAgent,
      },
    ],
  },
  {
    title: 'Other:',
    commands: [
      {
        name: 'schema',
        summary: 'Print the JSON Schema of a kind of document',
        define: defineSchema,
      },
      {
        name: 'completion',
        summary: 'Print the completion script for a shell',
        define: defineCompletion,
      },
      {
        name: 'version',
        summary: 'Show the versions of this program and of the control plane',
        define: defineVersion,
      },
    ],
  },
]

export const commandEntries: readonly CommandEntry[] = catalogue.flatMap(({ commands }) => commands)
