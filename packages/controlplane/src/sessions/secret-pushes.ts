import type { Clock } from '@bulkhead/shared'

import { secretsNeeded } from '../secrets/core/needed.ts'
import type { Vault } from '../secrets/vault.ts'
import type { Changed, ClusterView, Commit } from '../state/view.ts'
import type { Session } from './session.ts'

const gatherMs = 100
const nothing = '[]'

export interface SecretPushesDeps {
  readonly view: ClusterView
  readonly clock: Clock
  readonly vault: Vault
  /** Sessions that have had their full set. */
  readonly sessions: () => Iterable<Session>
}

/** Gives agents the secrets that their nodes need, and takes them back: each is always told of all of its own. */
export class SecretPushes {
  readonly #deps: SecretPushesDeps
  /** Names and versions that a session was last told: never values. */
  readonly #told = new WeakMap<Session, string>()
  #scheduled = false

  constructor(deps: SecretPushesDeps) {
    this.#deps = deps
  }

  follow(commits: readonly Commit[]): void {
    if (this.#scheduled || !commits.some(({ changes }) => changes.some(concerns))) return
    this.#scheduled = true
    this.#deps.clock.after(gatherMs, () => {
      this.#scheduled = false
      for (const session of this.#deps.sessions()) this.#tell(session)
    })
  }

  /** At the beginning of a session, whatever it may still have from an earlier one. */
  begin(session: Session): void {
    this.#tell(session, true)
  }

  #tell(session: Session, always = false): void {
    const { view, vault } = this.#deps
    const facts = view.nodes.get(session.node)?.facts
    if (facts === undefined) return
    const needed = secretsNeeded(view, facts).flatMap((key) => view.secrets.get(key) ?? [])
    const content = JSON.stringify(needed.map(({ key, version }) => [key, version]))
    if (!always && (this.#told.get(session) ?? nothing) === content) return
    this.#told.set(session, content)
    const secrets = needed.flatMap((secret) => {
      const value = vault.open(secret)?.toString('base64')
      return value === undefined ? [] : [{ key: secret.key, version: secret.version, value }]
    })
    session.send({ kind: 'secrets', secrets })
  }
}

/** Which zones and environments a node has is settled before its session begins. */
function concerns(change: Changed): boolean {
  if (change.kind === 'secret' || change.kind === 'zones') return true
  if (change.kind !== 'service') return false
  const { before, after } = change
  return before?.revision !== after?.revision || before?.deleting !== after?.deleting
}
