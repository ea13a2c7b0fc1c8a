/** FNV-1a over UTF-16 units, 32 bit: spreads texts evenly and needs no state. Not for secrets. */
export function spreadHash(text: string): number {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  return value >>> 0
}
