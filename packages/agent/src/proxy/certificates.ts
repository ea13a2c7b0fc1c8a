import { createHash, createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'

import type { Certificates } from './core/edge.ts'
import { certificateDirectory, certificateFile, secretOfFile } from './core/text.ts'

/** What the OpenSSL of most systems, and with it HAProxy, asks of keys. */
const strictness = 'DEFAULT@SECLEVEL=2'

/** By `ENVIRONMENT/NAME`: the value of a secret. */
export type SecretValues = ReadonlyMap<string, Buffer>

/** Null, or why the proxy cannot load the file, which is named relative to the directory. */
type CertificateCheck = (file: string) => Promise<string | null>

/**
 * Certificates of the edge in files that only the agent's account can read: HAProxy reads them when it loads its
 * configuration, and the agent when it starts.
 */
export class CertificateFiles {
  readonly #directory: string
  readonly #check: CertificateCheck
  #known: Certificates = new Map()
  /** What was found out, by the hash of the value, which takes HAProxy a moment each. */
  #described: ReadonlyMap<string, Description> = new Map()

  constructor(directory: string, check: CertificateCheck = async () => null) {
    this.#directory = directory
    this.#check = check
  }

  get known(): Certificates {
    return this.#known
  }

  async load(): Promise<void> {
    const names = await readdir(join(this.#directory, certificateDirectory)).catch(() => [])
    const values = new Map<string, Buffer>()
    for (const name of names) {
      const secret = secretOfFile(name)
      if (secret !== null) values.set(secret, await readFile(this.#pathOf(secret)))
    }
    this.#known = await this.#describe(values)
  }

  /** Replaces all of them; files that are not needed any more go. */
  async set(values: SecretValues): Promise<void> {
    const directory = join(this.#directory, certificateDirectory)
    await mkdir(directory, { recursive: true, mode: 0o700 })
    for (const [secret, value] of values) {
      const path = this.#pathOf(secret)
      await writeFile(`${path}.new`, value, { mode: 0o600 })
      await rename(`${path}.new`, path)
    }
    for (const name of await readdir(directory)) {
      const secret = secretOfFile(name)
      const isNeeded = secret !== null && values.has(secret)
      if (!isNeeded) await rm(join(directory, name), { force: true })
    }
    this.#known = await this.#describe(values)
  }

  async #describe(values: SecretValues): Promise<Certificates> {
    const known = new Map<string, Description>()
    const described = new Map<string, Description>()
    for (const [secret, value] of values) {
      const hash = createHash('sha256').update(value).digest('hex')
      const description =
        described.get(hash) ?? this.#described.get(hash) ?? (await this.#look(secret, value))
      described.set(hash, description)
      known.set(secret, description)
    }
    this.#described = described
    return known
  }

  async #look(secret: string, value: Buffer): Promise<Description> {
    const described = describeOne(value)
    const problem = 'problem' in described ? null : await this.#check(certificateFile(secret))
    return problem === null ? described : { problem }
  }

  #pathOf(secret: string): string {
    return join(this.#directory, certificateFile(secret))
  }
}

type Description = { digest: string } | { problem: string }

/** What is wrong with it is said without anything of its content. */
function describeOne(value: Buffer): Description {
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(value)
  } catch {
    return { problem: 'it has no certificate in PEM' }
  }
  try {
    if (!certificate.checkPrivateKey(createPrivateKey(value))) {
      return { problem: 'its key is not that of its first certificate' }
    }
  } catch {
    return { problem: 'it has no private key in PEM that can be read without a password' }
  }
  try {
    createSecureContext({ cert: value, key: value, ciphers: strictness })
  } catch (error) {
    const why = error instanceof Error ? error.message.split(':').at(-1) : ''
    return { problem: `it cannot be used for TLS: ${why}` }
  }
  return { digest: createHash('sha256').update(value).digest('hex').slice(0, 16) }
}
