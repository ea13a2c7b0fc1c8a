const secondMs = 1000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

const two = (large: number, largeUnit: string, small: number, smallUnit: string): string =>
  small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`

/** `12s`, `3m12s`, `5h7m`, `3d4h`, `45d`: two units at most. */
export function formatDuration(durationMs: number): string {
  const ms = Math.max(0, durationMs)
  if (ms < minuteMs) return `${Math.floor(ms / secondMs)}s`
  if (ms < hourMs) {
    return two(Math.floor(ms / minuteMs), 'm', Math.floor((ms % minuteMs) / secondMs), 's')
  }
  if (ms < dayMs)
    return two(Math.floor(ms / hourMs), 'h', Math.floor((ms % hourMs) / minuteMs), 'm')
  if (ms < 10 * dayMs) {
    return two(Math.floor(ms / dayMs), 'd', Math.floor((ms % dayMs) / hourMs), 'h')
  }
  return `${Math.floor(ms / dayMs)}d`
}

/** A limit as people gave it: `500ms`, `1m`. */
export const formatLimit = (ms: number): string => (ms < secondMs ? `${ms}ms` : formatDuration(ms))

/** How long ago a time was; empty for none. */
export function formatAge(time: string | null, nowMs: number): string {
  return time === null ? '' : formatDuration(nowMs - Date.parse(time))
}

/** For a time that was measured: `0.4s`, `12.3s`, then as formatDuration. */
export function formatElapsed(ms: number): string {
  return ms < minuteMs ? `${(ms / secondMs).toFixed(1)}s` : formatDuration(ms)
}

const trimmed = (value: number): string => String(Number(value.toFixed(value < 10 ? 1 : 0)))

/** `512Mi`, `1.5Gi`. */
export function formatBytes(bytes: number): string {
  const units = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${trimmed(value)}${units[unit]}`
}

/** Cores: `0.25`, `2`, `12`. */
export const formatCpu = (millis: number): string => String(Number((millis / 1000).toFixed(2)))

const unitsMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: secondMs,
  m: minuteMs,
  h: hourMs,
  d: dayMs,
}

/** Milliseconds of `500ms`, `90s`, `1m30s`, `2h`, `1d`; null when it is not a duration. */
export function parseDuration(text: string): number | null {
  if (text === '0') return 0
  if (!/^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$/.test(text)) return null
  let ms = 0
  for (const [, amount, unit] of text.matchAll(/([0-9.]+)([a-z]+)/g)) {
    ms += Number(amount) * (unitsMs[unit ?? ''] ?? 0)
  }
  return Math.round(ms)
}
