/** A line through points; `x` and `y` are values, not places. */
interface Series {
  readonly label: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
}

export interface Chart {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly series: readonly Series[]
  /** A goal or another's record: a dashed line across. */
  readonly mark?: { readonly y: number; readonly label: string }
  /** Equal factors at equal distances; from 0 in equal steps else. */
  readonly xScale: 'logarithmic' | 'linear'
}

const width = 720
const height = 400
const frame = { left: 80, right: 24, top: 48, bottom: 80 }
const colours = ['#0b5fa5', '#c2410c', '#15803d', '#7c3aed']
const ink = '#444'
/** With more points than this, the axis has round numbers and the line no dots. */
const densePoints = 16

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** 20000 → `20 k`, 2000000 → `2 M`. */
function shortNumber(value: number): string {
  if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))} M`
  if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))} k`
  return String(Number(value.toPrecision(3)))
}

/** A round step so that about five of them reach the highest value. */
function stepFor(highest: number): number {
  const rough = highest / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  return ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power
}

/** Round numbers from 0 to the highest. */
function roundSteps(highest: number): number[] {
  const step = stepFor(highest)
  return Array.from({ length: Math.floor(highest / step) + 1 }, (_, index) => index * step)
}

/** The chart as an SVG document. */
export function drawChart({ title, xLabel, yLabel, series, mark, xScale }: Chart): string {
  const points = series.flatMap((one) => one.points)
  const xs = [...new Set(points.map(({ x }) => x))].toSorted((a, b) => a - b)
  const isDense = xs.length > densePoints
  const step = stepFor(Math.max(...points.map(({ y }) => y), mark?.y ?? 0, 1e-9))
  const steps = Math.ceil(Math.max(...points.map(({ y }) => y), mark?.y ?? 0, 1e-9) / step)
  const scaled = (x: number): number => (xScale === 'logarithmic' ? Math.log10(Math.max(x, 1)) : x)
  const first = xScale === 'logarithmic' ? scaled(xs[0] ?? 1) : 0
  const span = scaled(xs.at(-1) ?? 1) - first || 1
  const left = (x: number): number =>
    frame.left + ((scaled(x) - first) / span) * (width - frame.left - frame.right)
  const top = (y: number): number =>
    height - frame.bottom - (y / (step * steps)) * (height - frame.top - frame.bottom)
  const text = (x: number, y: number, content: string, more = ''): string =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${ink}" ${more}>${escape(content)}</text>`
  const line = (y: number, more: string): string =>
    `<line x1="${frame.left}" x2="${width - frame.right}" y1="${top(y).toFixed(1)}" y2="${top(y).toFixed(1)}" ${more}/>`

  const lines = [
    text(frame.left, 24, title, 'font-size="16" font-weight="bold"'),
    text((width + frame.left) / 2, height - 44, xLabel, 'text-anchor="middle"'),
    text(frame.left, 42, yLabel),
    ...Array.from({ length: steps + 1 }, (_, index) => [
      line(index * step, 'stroke="#ddd"'),
      text(frame.left - 8, top(index * step) + 4, shortNumber(index * step), 'text-anchor="end"'),
    ]).flat(),
    ...(isDense ? roundSteps(xs.at(-1) ?? 1) : xs).map((x) => text(left(x), height - frame.bottom + 18, shortNumber(x), 'text-anchor="middle"')),
  ]
  if (mark) {
    lines.push(line(mark.y, 'stroke="#b91c1c" stroke-dasharray="6 4"'))
    lines.push(text(width - frame.right, top(mark.y) - 6, mark.label, 'text-anchor="end"'))
  }
  for (const [index, { label, points: own }] of series.entries()) {
    const colour = colours[index % colours.length] ?? ink
    const path = own.map(({ x, y }) => `${left(x).toFixed(1)},${top(y).toFixed(1)}`).join(' ')
    lines.push(`<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`)
    for (const { x, y } of isDense ? [] : own) {
      lines.push(`<circle cx="${left(x).toFixed(1)}" cy="${top(y).toFixed(1)}" r="4" fill="${colour}"/>`)
    }
    const at = frame.left + index * 200
    lines.push(`<rect x="${at}" y="${height - 26}" width="14" height="4" fill="${colour}"/>`)
    lines.push(text(at + 20, height - 20, label))
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n')
}
