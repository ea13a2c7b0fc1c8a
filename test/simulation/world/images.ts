import { createHash } from 'node:crypto'

import type { ResolvedImage } from '../../../packages/controlplane/src/admission/images.ts'

/** A registry that has every image; the reference keeps the tag, so that an engine knows what is in it. */
export function resolveSimulated(name: string): ResolvedImage {
  const digest = `sha256:${createHash('sha256').update(name).digest('hex')}`
  const reference = `${name.replace(/:([^:/]*)$/, '-$1')}@${digest}`
  return { image: { name, reference, digest, local: false }, warnings: [] }
}
