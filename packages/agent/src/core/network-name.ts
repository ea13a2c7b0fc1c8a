import { canonicalHash } from '@bulkhead/shared'

/** Readable names are kept below this length; what is longer gets a fingerprint. */
const maxLength = 63

/**
 * The network of one environment and zone. A hyphen within either part could make two pairs read the same, so such
 * names, too, get a fingerprint of the pair.
 */
export function networkName(environment: string, zone: string): string {
  const plain = `bulkhead-${environment}-${zone}`
  const isUnique = !environment.includes('-') && !zone.includes('-')
  if (isUnique && plain.length <= maxLength) return plain
  const fingerprint = canonicalHash([environment, zone]).slice(0, 8)
  return `${plain.slice(0, maxLength - fingerprint.length - 1)}-${fingerprint}`
}
