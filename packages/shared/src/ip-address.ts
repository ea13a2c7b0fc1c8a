import { isIP } from 'node:net'

/** 4 or 6; null when the text is no address. */
export function ipFamily(text: string): 4 | 6 | null {
  const family = isIP(text)
  return family === 4 || family === 6 ? family : null
}
