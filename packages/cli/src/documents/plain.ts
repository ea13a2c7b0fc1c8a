import { isAlias, isMap, isScalar, isSeq, type Alias, type Node, type Pair } from 'yaml'

/** A problem at an offset of the text. */
export interface OffsetProblem {
  readonly offset: number
  readonly message: string
}

/** Deeper and larger documents are refused by validation as well; here it keeps the stack and memory bounded. */
const maxDepth = 64
const maxAliasedNodes = 10_000

class Refused extends Error {
  readonly offset: number
  constructor(message: string, offset: number) {
    super(message)
    this.offset = offset
  }
}

const offsetOf = (node: unknown, otherwise: number): number =>
  (node as Partial<Node> | null)?.range?.[0] ?? otherwise

/**
 * Turns a document's nodes into plain data. Done here and not by the library because that checks for
 * duplicate keys in quadratic time and shares what aliases name, so that little text can become a lot of data.
 */
class Converter {
  readonly problems: OffsetProblem[] = []
  readonly #anchors = new Map<string, Node>()
  readonly #targets = new Map<Alias, Node>()
  readonly #open = new Set<Node>()
  #aliasedNodes = 0
  #depth = 0

  convert(node: unknown, at: number, aliased: boolean): unknown {
    const offset = offsetOf(node, at)
    if (node === null || node === undefined) return null
    if (isAlias(node)) return this.#alias(node, offset, aliased)
    if (aliased) this.#countAliased(node, offset)
    const known = node as Node & { readonly anchor?: string }
    if (known.anchor !== undefined && !aliased) this.#anchors.set(known.anchor, known)
    if (isScalar(node)) return node.value
    this.#depth += 1
    if (this.#depth > maxDepth) {
      throw new Refused(`the document is nested more than ${maxDepth} levels deep`, offset)
    }
    this.#open.add(known)
    const value = this.#collection(known, offset, aliased)
    this.#open.delete(known)
    this.#depth -= 1
    return value
  }

  #collection(node: Node, offset: number, aliased: boolean): unknown {
    if (isSeq(node)) return node.items.map((item) => this.convert(item, offset, aliased))
    if (isMap(node)) return this.#map(node.items, offset, aliased)
    throw new Refused('this is of a kind that a document cannot have', offset)
  }

  #map(pairs: readonly Pair[], at: number, aliased: boolean): unknown {
    const members = new Map<string, unknown>()
    for (const { key, value } of pairs) {
      const offset = offsetOf(key, at)
      const name = this.#key(key, offset, aliased)
      if (members.has(name)) {
        const message = `key ${JSON.stringify(name.slice(0, 60))} is there more than once`
        this.problems.push({ offset, message })
      }
      members.set(name, this.convert(value, offset, aliased))
    }
    return Object.fromEntries(members)
  }

  #key(key: unknown, offset: number, aliased: boolean): string {
    if (!isScalar(key)) throw new Refused('a key must be plain text', offset)
    return String(this.convert(key, offset, aliased))
  }

  #alias(alias: Alias, offset: number, aliased: boolean): unknown {
    const target = aliased ? this.#targets.get(alias) : this.#anchors.get(alias.source)
    if (!target) throw new Refused(`there is no anchor "${alias.source}" before this`, offset)
    if (this.#open.has(target)) throw new Refused('an alias cannot be inside its anchor', offset)
    this.#targets.set(alias, target)
    return this.convert(target, offset, true)
  }

  /** Long text counts as several values, because it is repeated as well. */
  #countAliased(node: unknown, offset: number): void {
    const text = isScalar(node) && typeof node.value === 'string' ? node.value : ''
    this.#aliasedNodes += 1 + Math.floor(text.length / 64)
    if (this.#aliasedNodes <= maxAliasedNodes) return
    throw new Refused(`aliases stand for more than ${maxAliasedNodes} values`, offset)
  }
}

/** The plain data of a document's contents, and what stood in the way of it. */
export function plainOf(contents: unknown): {
  readonly value: unknown
  readonly problems: readonly OffsetProblem[]
} {
  const converter = new Converter()
  try {
    const value = converter.convert(contents, offsetOf(contents, 0), false)
    return { value, problems: converter.problems }
  } catch (error) {
    if (!(error instanceof Refused)) throw error
    const { message, offset } = error
    return { value: null, problems: [...converter.problems, { offset, message }] }
  }
}
