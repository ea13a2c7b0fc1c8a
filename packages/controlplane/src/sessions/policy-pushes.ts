import type { Clock, NodeFacts } from '@bulkhead/shared'

import type { NetworkConfig } from '../config/config.ts'
import { Peers, policyFor } from '../discovery/core/policy.ts'
import type { Changed, ClusterView, Commit } from '../state/view.ts'
import type { Session } from './session.ts'

/** Many nodes come and go together: they are told of once. */
const gatherMs = 100
/** What was made for one session is right for others that begin so soon after it. */
const keptMs = 1000

export interface PolicyPushesDeps {
  readonly view: ClusterView
  readonly clock: Clock
  readonly network: NetworkConfig
  /** Sessions that have had their full set. */
  readonly sessions: () => Iterable<Session>
}

/** Tells agents which zones reach which, and which nodes there are, whenever that has changed for them. */
export class PolicyPushes {
  readonly #deps: PolicyPushesDeps
  /** What a session was last told, without its revision. */
  readonly #told = new WeakMap<Session, string>()
  /** By environments: what their nodes are told, without its revision and as a message. */
  readonly #texts = new Map<string, readonly [content: string, message: string]>()
  #peers: Peers | null = null
  #textsAtMs = 0
  #scheduled = false

  constructor(deps: PolicyPushesDeps) {
    this.#deps = deps
  }

  follow(commits: readonly Commit[]): void {
    if (!commits.some(({ changes }) => changes.some(concerns))) return
    this.#forget()
    if (this.#scheduled) return
    this.#scheduled = true
    this.#deps.clock.after(gatherMs, () => {
      this.#scheduled = false
      this.#forget()
      for (const session of this.#deps.sessions()) this.tell(session)
    })
  }

  /** Also at the beginning of a session. */
  tell(session: Session): void {
    const { view } = this.#deps
    const facts = view.nodes.get(session.node)?.facts
    if (facts === undefined) return
    const entry = this.#textsFor(facts)
    const [content, message] = entry
    if (this.#told.get(session) === content) return
    this.#told.set(session, content)
    session.sendText(message)
  }

  #forget(): void {
    this.#texts.clear()
    this.#peers = null
  }

  #textsFor(facts: NodeFacts): readonly [content: string, message: string] {
    const { view, clock, network } = this.#deps
    const nowMs = clock.monotonicMs()
    if (this.#peers === null || nowMs - this.#textsAtMs > keptMs) {
      this.#forget()
      this.#peers = new Peers(view)
      this.#textsAtMs = nowMs
    }
    const environments = facts.environments.join(' ')
    let entry = this.#texts.get(environments)
    if (entry === undefined) {
      const policy = policyFor(view, facts, network, this.#peers)
      const content = JSON.stringify({ ...policy, revision: 0 })
      entry = [content, JSON.stringify({ kind: 'policy', policy })]
      this.#texts.set(environments, entry)
    }
    return entry
  }
}

function concerns(change: Changed): boolean {
  if (change.kind === 'zones') return true
  return change.kind === 'node' && !areAlike(change.before?.facts, change.after?.facts)
}

function areAlike(before: NodeFacts | undefined, after: NodeFacts | undefined): boolean {
  if (before === after) return true
  if (before === undefined || after === undefined) return false
  return peerOf(before) === peerOf(after)
}

/** What others know of a node. */
const peerOf = ({ address, zones, environments }: NodeFacts): string =>
  JSON.stringify([address, zones, environments])
