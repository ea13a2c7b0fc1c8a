/**
 * Quantities as people write them in specs and configuration files. Parsers return null for what is not a
 * quantity or is too large to be counted exactly.
 */

const durationUnits = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const

const byteUnits = {
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
} as const

const isExact = (value: number): boolean => Number.isSafeInteger(value) && value >= 0

function scaled(
  text: string,
  pattern: RegExp,
  units: Readonly<Record<string, number>>,
): number | null {
  const match = pattern.exec(text)
  if (!match) return null
  const [, amount = '', unit = ''] = match
  const value = Math.round(Number(amount) * (unit === '' ? 1 : (units[unit] ?? Number.NaN)))
  return isExact(value) ? value : null
}

/** `500ms`, `5s`, `1.5h`, `1d`, or 0 without a unit → milliseconds. */
export function parseDurationMs(value: string | 0): number | null {
  if (typeof value !== 'string') return value === 0 ? 0 : null
  if (value === '0') return 0
  return scaled(value, /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)$/, durationUnits)
}

/** Cores: 0.5, 2, '0.5' or '250m' → thousandths of a core. */
export function parseCpuMillis(value: number | string): number | null {
  if (typeof value === 'string') {
    if (/^[0-9]+m$/.test(value)) return scaled(value.slice(0, -1), /^([0-9]+)$/, {})
    return /^[0-9]+(\.[0-9]+)?$/.test(value) ? parseCpuMillis(Number(value)) : null
  }
  const millis = Math.round(value * 1000)
  return isExact(millis) ? millis : null
}

/** Bytes as a number, or with a decimal (k, M, G, T) or binary (Ki, Mi, Gi, Ti) unit → bytes. */
export function parseMemoryBytes(value: number | string): number | null {
  if (typeof value === 'number') return isExact(value) ? value : null
  return scaled(value, /^([0-9]+(?:\.[0-9]+)?)(k|M|G|T|Ki|Mi|Gi|Ti)?$/, byteUnits)
}

/** Exact, in the largest unit that divides it: `5s`, `90m`, `1.234s`; whole milliseconds. */
export function formatDuration(durationMs: number): string {
  const whole = Math.round(durationMs)
  if (whole === 0) return '0s'
  for (const [unit, unitMs] of Object.entries(durationUnits)) {
    if (unit !== 'ms' && whole % unitMs === 0) return `${whole / unitMs}${unit}`
  }
  return Math.abs(whole) < 1000 ? `${whole}ms` : `${whole / 1000}s`
}

/** For people: binary units with at most one decimal, rounded: `256Mi`, `1.5Gi`. */
export function formatBytes(bytes: number): string {
  const units = ['', 'Ki', 'Mi', 'Gi', 'Ti']
  let amount = Math.round(bytes)
  let unit = 0
  // 1023.95 would be shown as 1024.0 of a unit that has a larger neighbour.
  while (unit < units.length - 1 && Math.abs(amount) >= (unit === 0 ? 1024 : 1023.95)) {
    amount /= 1024
    unit += 1
  }
  return `${Math.round(amount * 10) / 10}${units[unit] ?? ''}`
}

/** Exact, in the largest binary unit that divides it, else in bytes: `256Mi`, `1536Mi`, `1000`. */
export function exactMemory(bytes: number): string {
  for (const unit of ['Ti', 'Gi', 'Mi', 'Ki'] as const) {
    if (bytes > 0 && bytes % byteUnits[unit] === 0) return `${bytes / byteUnits[unit]}${unit}`
  }
  return String(bytes)
}

/** Cores without a unit when they are whole, else thousandths: `2`, `250m`. */
export function formatCpu(cpuMillis: number): string {
  return cpuMillis % 1000 === 0 ? String(cpuMillis / 1000) : `${Math.round(cpuMillis)}m`
}
