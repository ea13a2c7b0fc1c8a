import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

import type { Secret } from '@bulkhead/shared'

type Sealed = Pick<Secret, 'key' | 'version' | 'sealedWith' | 'sealed'>

/** Keys by id; the last one seals. */
export type Keys = readonly (readonly [id: string, key: Buffer])[]

const algorithm = 'aes-256-gcm'
const keyBytes = 32
const nonceBytes = 12
const tagBytes = 16

export const newKey = (): Keys[number] => [randomBytes(6).toString('hex'), randomBytes(keyBytes)]

/** A sealed value that was moved to another name or version does not open. */
const contextOf = (key: string, version: number): Buffer => Buffer.from(JSON.stringify([key, version]))

/** Seals and opens the values of secrets (AES-256-GCM); holds keys, never values. */
export class Vault {
  #keys: Keys

  constructor(keys: Keys) {
    if (keys.length === 0) throw new Error('a vault needs a key')
    this.#keys = keys
  }

  /** From now on, these: a new key seals, older ones still open. */
  use(keys: Keys): void {
    this.#keys = keys
  }

  get keys(): Keys {
    return this.#keys
  }

  seal(key: string, version: number, value: Uint8Array): Sealed {
    const [id, secretKey] = this.#keys.at(-1) ?? newKey()
    const nonce = randomBytes(nonceBytes)
    const cipher = createCipheriv(algorithm, secretKey, nonce)
    cipher.setAAD(contextOf(key, version))
    const sealed = Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()])
    return { key, version, sealedWith: id, sealed: sealed.toString('base64') }
  }

  /** Null when the key that sealed it is not there, or when it has been changed. */
  open({ key, version, sealedWith, sealed }: Sealed): Buffer | null {
    const found = this.#keys.find(([id]) => id === sealedWith)
    const data = Buffer.from(sealed, 'base64')
    if (!found || data.length < nonceBytes + tagBytes) return null
    try {
      const decipher = createDecipheriv(algorithm, found[1], data.subarray(0, nonceBytes))
      decipher.setAAD(contextOf(key, version))
      decipher.setAuthTag(data.subarray(-tagBytes))
      return Buffer.concat([decipher.update(data.subarray(nonceBytes, -tagBytes)), decipher.final()])
    } catch {
      return null
    }
  }
}
