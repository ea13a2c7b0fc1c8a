/** One result of a test run: an assertion, or a test or file that ended without any. */
export interface TapPoint {
  readonly status: 'passed' | 'failed' | 'skipped'
  /** The file and the tests around it, outermost first, then its own description. */
  readonly path: readonly string[]
  /** Why it was skipped or is still to be done; empty when nothing was said. */
  readonly reason: string
  /** The lines of the diagnostics that follow a failure, without indentation. */
  readonly diagnostics: readonly string[]
}

/** What a line of TAP completed: a result, and at the outermost level the end of a file. */
export interface TapProgress {
  readonly points: readonly TapPoint[]
  readonly endedFile?: { readonly name: string; readonly ok: boolean; readonly tookMs: number }
}

interface OpenTest {
  readonly indent: number
  readonly name: string
  points: number
  failures: number
}

const pointPattern = /^( *)(ok|not ok) \d+(?: - (.*?))?(?: # (.*))?$/
const directivePattern = /^(SKIP|TODO)\b ?(.*)$/i
const timePattern = /^time=([\d.]+)ms/

/**
 * Reads TAP 14 with nested subtests line by line. A test counts by its assertions; it counts
 * itself only when it has none (skipped, or failed before the first) or failed beside them.
 */
export class TapReader {
  readonly #open: OpenTest[] = []
  #failure: { indent: number; path: readonly string[]; diagnostics: string[] } | undefined

  /** Takes one line without its end and says what it completed. */
  read(line: string): TapProgress {
    if (this.#failure !== undefined) {
      const diagnosticIndent = ' '.repeat(this.#failure.indent + 2)
      if (line.startsWith(diagnosticIndent)) {
        const text = line.slice(diagnosticIndent.length)
        if (text !== '---' && text !== '...') this.#failure.diagnostics.push(text)
        return { points: text === '...' ? this.#finishFailure() : [] }
      }
    }
    const finished = this.#finishFailure()
    const subtest = /^( *)# Subtest: (.*)$/.exec(line)
    if (subtest !== null) {
      const [, spaces = '', name = ''] = subtest
      this.#open.push({ indent: spaces.length, name, points: 0, failures: 0 })
      return { points: finished }
    }
    const point = pointPattern.exec(line)
    if (point === null) return { points: finished }
    const [, spaces = '', verdict = '', name = '', directive = ''] = point
    const progress = this.#readPoint(spaces.length, verdict === 'ok', name, directive)
    return { ...progress, points: [...finished, ...progress.points] }
  }

  /** Says what the end of the input completed. */
  end(): readonly TapPoint[] {
    return this.#finishFailure()
  }

  #readPoint(indent: number, ok: boolean, name: string, directive: string): TapProgress {
    const closed = this.#open.at(-1)?.indent === indent ? this.#open.pop() : undefined
    const tookMs = Number(timePattern.exec(directive)?.[1] ?? 0)
    const file = indent === 0 ? { endedFile: { name, ok, tookMs } } : {}
    const [, kind, reason = ''] = directivePattern.exec(directive) ?? []
    const failed = !ok && kind === undefined
    const counted = closed === undefined || closed.points === 0 || (failed && closed.failures === 0)
    if (!counted) return { points: [], ...file }
    for (const test of this.#open) {
      test.points += 1
      if (failed) test.failures += 1
    }
    const path = [...this.#open.map((test) => test.name), name]
    if (failed) {
      this.#failure = { indent, path, diagnostics: [] }
      return { points: [], ...file }
    }
    const status = kind === undefined ? 'passed' : 'skipped'
    const label = kind?.toUpperCase() === 'TODO' ? `to do ${reason}`.trim() : reason
    return { points: [{ status, path, reason: label, diagnostics: [] }], ...file }
  }

  #finishFailure(): readonly TapPoint[] {
    if (this.#failure === undefined) return []
    const { path, diagnostics } = this.#failure
    this.#failure = undefined
    return [{ status: 'failed', path, reason: '', diagnostics }]
  }
}
