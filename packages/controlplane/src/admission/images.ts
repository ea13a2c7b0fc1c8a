import { BulkheadError, formatImageReference, parseImageReference, type Image } from '@bulkhead/shared'

import type { Config } from '../config/config.ts'
import { resolveDigest, type RegistryLogin } from './registry-client.ts'

export interface ResolvedImage {
  readonly image: Image
  readonly warnings: readonly string[]
}

/** Whether the first part of the name is a host, by the engines' own rule. */
function namesRegistry(name: string): boolean {
  const first = name.includes('/') ? name.slice(0, name.indexOf('/')) : ''
  return first === 'localhost' || /[.:]/.test(first)
}

/** Decides whether an image may be used and pins it to a digest. Throws `image-refused` or `image-unresolved`. */
export async function resolveImage(
  name: string,
  images: Config['images'],
  logins: readonly RegistryLogin[],
  fetcher?: typeof fetch,
): Promise<ResolvedImage> {
  const reference = parseImageReference(name)
  if (!reference) throw new BulkheadError('image-refused', `image ${name} is not an image reference`, 'write HOST/REPOSITORY:TAG')
  const { host, repository, tag, digest } = reference
  const login = logins.find((candidate) => candidate.host === host)
  if (login) {
    const pinned = await resolveDigest(login, repository, digest ?? tag ?? 'latest', fetcher)
    const pinnedReference = formatImageReference({ host, repository, tag: null, digest: pinned })
    return { image: { name, reference: pinnedReference, digest: pinned, local: false }, warnings: [] }
  }
  // Whoever writes a registry means that registry, and not what an engine happens to have under its name.
  if (images.local === 'allow' && !namesRegistry(name)) {
    return {
      image: { name, reference: name, digest: `local:${name}`, local: true },
      warnings: [
        `image ${name} is taken from the engines as it is, without a registry and without a digest (images.local: allow)`,
      ],
    }
  }
  const list = images.registries.map((registry) => registry.host).join(', ')
  throw new BulkheadError(
    'image-refused',
    `image ${name}: registry ${host} is not on the cluster's list (${list === '' ? 'which is empty' : list})`,
    'push the image to a registry on the list, or add the registry under images.registries of the configuration',
  )
}
