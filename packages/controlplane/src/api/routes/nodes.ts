import { BulkheadError, counted, formatDuration, isGone, type Node, type NodeView, type ZoneView } from '@bulkhead/shared'
import type { FastifyInstance } from 'fastify'

import type { ClusterView, Transaction } from '../../state/view.ts'
import { actorOf } from '../actor.ts'
import type { ApiDeps } from '../deps.ts'
import { nodeView } from '../views/node-view.ts'
import { listSchema } from '../query.ts'
import { listOrWatch } from '../watch.ts'

const read = { config: { permission: 'read' as const } }
const write = { config: { permission: 'write' as const } }
const labelKey = '^([a-z0-9]([a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$'
/** Facts, not names: separation relies on them. */
const fixedLabels = ['node', 'host', 'os', 'arch']
const labelValue = '^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$'

function findNode(view: ClusterView, name: string): Node {
  const node = view.nodes.get(name)
  if (node) return node
  throw new BulkheadError('not-found', `there is no node ${name}`, 'see `bulkhead get nodes`')
}

function zoneViews(view: ClusterView): ZoneView[] {
  return Object.entries(view.zones.zones).map(([name, zone]) => ({
    name,
    ...zone,
    nodes: [...view.nodes.values()].filter(({ facts }) => facts.zones.includes(name)).length,
    services: [...view.services.values()].filter(
      ({ key, revision }) => view.revisionOf(key, revision)?.spec.zone === name,
    ).length,
  }))
}

function readRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const { state, monitor } = deps
  const { view } = state
  const show = (node: Node): NodeView => nodeView(view, node, monitor.heardAtMs(node.name))
  app.get('/v1/nodes', { ...read, schema: listSchema() }, (request, reply) =>
    listOrWatch<NodeView>(deps, request, reply, {
      list: () => [...view.nodes.values()].map((node) => show(node)),
      *changes(commit) {
        for (const change of commit.changes) {
          const node = change.kind === 'node' ? (change.after ?? change.before) : undefined
          if (change.kind === 'node' && node) yield { type: change.after ? 'put' : 'delete', item: show(node) }
        }
      },
    }),
  )
  app.get<{ Params: { node: string } }>('/v1/nodes/:node', read, (request): Promise<NodeView> =>
    state.read(() => show(findNode(view, request.params.node))),
  )
  app.get('/v1/zones', { ...read, schema: listSchema() }, (request, reply) => {
    return listOrWatch<ZoneView>(deps, request, reply, {
      list: () => zoneViews(view),
      *changes(commit) {
        if (!commit.changes.some(({ kind }) => kind === 'zones')) return
        for (const item of zoneViews(view)) yield { type: 'put', item }
      },
    })
  })
}

/** Forgets the node and everything on it. Refused while its agent is connected and it still runs something. */
interface Ties {
  readonly connected: boolean
  /** Wall-clock time until which its agent may keep exclusive instances. */
  readonly leaseEndsAtMs: number
}

/** With the records of exclusive instances goes what keeps their slots from being filled elsewhere. */
function refuseWithinLease(tx: Transaction, node: Node, leaseEndsAtMs: number): void {
  const restMs = leaseEndsAtMs - tx.nowMs
  if (node.confirmedDead || restMs <= 0) return
  const exclusive = tx.instancesOn(node.name).filter(
    (one) => !isGone(one) && tx.revisionOf(one.service, one.revision)?.template.exclusive === true,
  )
  if (exclusive.length === 0) return
  throw new BulkheadError(
    'conflict',
    `node ${node.name} may still run ${counted(exclusive.length, 'exclusive instance')}: its lease ends in ${formatDuration(Math.ceil(restMs / 1000) * 1000)}`,
    `try again then; or turn the machine off, and: bulkhead node confirm-dead ${node.name}`,
  )
}

function removeNode(tx: Transaction, node: Node, { connected, leaseEndsAtMs }: Ties): void {
  const instances = tx.instancesOn(node.name)
  const live = instances.filter((instance) => !isGone(instance) && instance.lostAtMs === null)
  if (connected && live.length > 0) {
    throw new BulkheadError(
      'conflict',
      `node ${node.name} is connected and still has ${counted(live.length, 'instance')}`,
      `drain it first: bulkhead node drain ${node.name}`,
    )
  }
  refuseWithinLease(tx, node, leaseEndsAtMs)
  for (const instance of instances) tx.deleteInstance(instance.id)
  for (const token of Array.from(tx.tokens.values())) {
    if (token.kind === 'node' && token.node === node.name) tx.deleteToken(token.id)
  }
  tx.deleteNode(node.name)
  tx.event({ kind: 'Node', subject: node.name, action: 'removed', reason: `${counted(live.length, 'live instance')} on it` })
}

function admit(tx: Transaction, node: Node, admittance: Node['admittance'], dueAtMs: number | null): void {
  if (node.admittance === admittance && node.drainDueAtMs === dueAtMs) return
  tx.putNode({ ...node, admittance, drainDueAtMs: dueAtMs })
  const action = admittance === 'open' ? 'uncordoned' : admittance
  tx.event({ kind: 'Node', subject: node.name, action, reason: 'by an operator' })
}

/** Nobody can vouch for the death of what talks; without an engine containers live on. */
function refuseIfHeard({ name, liveness }: Node, isHeard: boolean): void {
  if (liveness === 'ready') {
    throw new BulkheadError('conflict', `node ${name} is alive: its agent was heard from`, 'drain it instead')
  }
  if (!isHeard && liveness !== 'down') return
  throw new BulkheadError(
    'conflict',
    `node ${name} is not dead: its agent is heard from, and though its engine does not answer, its containers may still run`,
    'mend the engine, or turn the machine off and confirm then',
  )
}

type NodeAct<B> = (tx: Transaction, node: Node, body: B) => void

function writeRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const { state, hub, monitor } = deps
  const act = <B>(path: string, properties: object, run: NodeAct<B>, afterwards?: (name: string) => void): void => {
    app.post<{ Params: { node: string }; Body: B }>(
      `/v1/nodes/:node/${path}`,
      { ...write, schema: { body: { type: ['object', 'null'], additionalProperties: false, properties } } },
      async (request): Promise<NodeView> => {
        const { node: name } = request.params
        await state.write({ actor: actorOf(request) }, (tx) => run(tx, findNode(tx, name), (request.body ?? {}) as B))
        afterwards?.(name)
        return nodeView(state.view, findNode(state.view, name), monitor.heardAtMs(name))
      },
    )
  }
  act('cordon', {}, (tx, node) => admit(tx, node, 'cordoned', null))
  act('uncordon', {}, (tx, node) => admit(tx, node, 'open', null))
  const deadlineMs = { type: 'integer', minimum: 0, maximum: 7 * 86_400_000 }
  act<{ deadlineMs?: number }>('drain', { deadlineMs }, (tx, node, body) =>
    admit(tx, node, 'draining', body.deadlineMs === undefined ? null : tx.nowMs + body.deadlineMs),
  )
  labelRoute(act)
  act('confirm-dead', {}, confirmDead(deps), (name) => {
    // An agent that was only silent has to introduce itself anew, because that is what takes the confirmation back.
    hub.disconnect(name, 'an operator confirmed that the node is dead')
    monitor.forget(name)
  })
  app.delete<{ Params: { node: string } }>('/v1/nodes/:node', write, async (request) => {
    const { node: name } = request.params
    await state.write({ actor: actorOf(request) }, (tx) => {
      const ties = { connected: hub.get(name) !== undefined, leaseEndsAtMs: monitor.leaseEndsAtMs(name) }
      removeNode(tx, findNode(tx, name), ties)
    })
    hub.evict(name)
    monitor.forget(name)
    return { revision: state.view.revision }
  })
}

/** An agent that is heard from contradicts it, whatever its engine does. */
const confirmDead =
  ({ monitor, config }: ApiDeps): NodeAct<object> =>
  (tx, node) => {
    const { name } = node
    refuseIfHeard(node, tx.nowMs - (monitor.heardAtMs(name) ?? 0) < config.nodes.suspectAfterMs)
    const livenessReason = 'an operator confirmed that it is dead'
    tx.putNode({ ...node, confirmedDead: true, liveness: 'lost', livenessReason, livenessSinceMs: tx.nowMs })
    tx.event({ kind: 'Node', subject: name, action: 'confirmed-dead', reason: 'by an operator' })
  }

function labelRoute(act: <B>(path: string, properties: object, run: NodeAct<B>) => void): void {
  const set = {
    type: 'object',
    maxProperties: 64,
    propertyNames: { pattern: labelKey, maxLength: 128 },
    additionalProperties: { type: 'string', pattern: labelValue },
  }
  const remove = { type: 'array', maxItems: 64, items: { type: 'string', maxLength: 128 } }
  act<{ set?: Record<string, string>; remove?: string[] }>('labels', { set, remove }, (tx, node, body) => {
    const fixed = Object.keys(body.set ?? {}).find((key) => fixedLabels.includes(key))
    if (fixed !== undefined) {
      throw new BulkheadError('policy-refused', `label ${fixed} says what a node is and cannot be set`, 'choose another key')
    }
    const labels = { ...node.labels, ...body.set }
    for (const key of body.remove ?? []) delete labels[key]
    if (JSON.stringify(labels) === JSON.stringify(node.labels)) return
    tx.putNode({ ...node, labels })
    tx.event({ kind: 'Node', subject: node.name, action: 'labelled', reason: JSON.stringify(labels) })
  })
}

export function nodeRoutes(app: FastifyInstance, deps: ApiDeps): void {
  readRoutes(app, deps)
  writeRoutes(app, deps)
}
