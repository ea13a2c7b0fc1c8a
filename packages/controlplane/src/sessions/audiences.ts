import type { NodeFacts, ServiceKey } from '@bulkhead/shared'

import type { Session } from './session.ts'

/** Sessions whose nodes get the same tables. */
export interface Audience {
  readonly facts: Pick<NodeFacts, 'zones' | 'environments'>
  readonly sessions: ReadonlySet<Session>
  /** Services whose tables at least one of its nodes may have. */
  readonly known: Set<ServiceKey>
}

/** Sessions by what their nodes are to know, so that telling of a change costs whom it concerns. */
export class Audiences {
  readonly #byName = new Map<string, Audience & { readonly sessions: Set<Session> }>()
  readonly #nameOf = new WeakMap<Session, string>()

  get size(): number {
    return this.#byName.size
  }

  add(session: Session, { zones, environments }: NodeFacts): void {
    this.remove(session)
    const name = `${zones.join(' ')}|${environments.join(' ')}`
    let audience = this.#byName.get(name)
    if (audience === undefined) {
      audience = { facts: { zones, environments }, sessions: new Set(), known: new Set() }
      this.#byName.set(name, audience)
    }
    audience.sessions.add(session)
    this.#nameOf.set(session, name)
  }

  of(session: Session): Audience | undefined {
    return this.#byName.get(this.#nameOf.get(session) ?? '')
  }

  remove(session: Session): void {
    const name = this.#nameOf.get(session) ?? ''
    const audience = this.#byName.get(name)
    if (audience === undefined) return
    audience.sessions.delete(session)
    if (audience.sessions.size === 0) this.#byName.delete(name)
  }

  [Symbol.iterator](): Iterator<Audience> {
    return this.#byName.values()
  }
}
