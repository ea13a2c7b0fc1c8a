/** A secret as it is stored: sealed with a key that is not in the store. */
export interface Secret {
  /** `ENVIRONMENT/NAME` */
  readonly key: string
  /** Counts up with every new value. */
  readonly version: number
  /** Which of the keys sealed it. */
  readonly sealedWith: string
  /** Base64, of AES-256-GCM: nonce, sealed value and tag, one after the other. */
  readonly sealed: string
  readonly createdAtMs: number
  readonly updatedAtMs: number
}
