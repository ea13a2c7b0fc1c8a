import { BulkheadError, type Secret } from '@bulkhead/shared'

import type { State } from '../state/state.ts'
import type { Transaction } from '../state/view.ts'
import { type Keys, newKey, type Vault } from './vault.ts'

export interface SecretsDeps {
  readonly state: State
  readonly vault: Vault
  /** Makes keys last; it is done when this returns. */
  readonly saveKeys: (keys: Keys) => void
}

/** What operators do with secrets. Values go in, and out to nodes that need them, but are never shown. */
export class Secrets {
  readonly #deps: SecretsDeps

  constructor(deps: SecretsDeps) {
    this.#deps = deps
  }

  /** Resolves with the version that the value has. */
  set(actor: string, key: string, value: Uint8Array): Promise<number> {
    return this.#deps.state.write({ actor }, (tx) => {
      const before = tx.secrets.get(key)
      const version = (before?.version ?? 0) + 1
      const createdAtMs = before?.createdAtMs ?? tx.nowMs
      this.#put(tx, key, version, value, createdAtMs)
      tx.event({ kind: 'Secret', subject: key, action: 'set', reason: `version ${version}` })
      return version
    })
  }

  delete(actor: string, key: string): Promise<void> {
    return this.#deps.state.write({ actor }, (tx) => {
      if (!tx.secrets.has(key)) throw new BulkheadError('not-found', `there is no secret ${key}`, 'see bulkhead secret list')
      tx.deleteSecret(key)
      tx.event({ kind: 'Secret', subject: key, action: 'deleted', reason: 'asked for over the API' })
    })
  }

  /** Seals everything anew with a new key; the old ones are forgotten once that is durable. */
  async rotate(actor: string): Promise<number> {
    const { state, vault, saveKeys } = this.#deps
    const key = newKey()
    const keys = [...vault.keys, key]
    saveKeys(keys)
    vault.use(keys)
    const count = await state.write({ actor }, (tx) => {
      for (const secret of tx.secrets.values()) this.#reseal(tx, secret)
      tx.event({ kind: 'Cluster', subject: tx.cluster, action: 'secrets-rotated', reason: 'sealed with a new key' })
      return tx.secrets.size
    })
    vault.use([key])
    saveKeys([key])
    return count
  }

  #reseal(tx: Transaction, secret: Secret): void {
    const value = this.#deps.vault.open(secret)
    if (value === null) {
      throw new BulkheadError(
        'conflict',
        `the secret ${secret.key} cannot be opened with any key that is there`,
        'set it anew or delete it, then rotate again',
      )
    }
    tx.putSecret({ ...secret, ...this.#deps.vault.seal(secret.key, secret.version, value) })
  }

  #put(tx: Transaction, key: string, version: number, value: Uint8Array, createdAtMs: number): void {
    const sealed = this.#deps.vault.seal(key, version, value)
    tx.putSecret({ ...sealed, createdAtMs, updatedAtMs: tx.nowMs })
  }
}
