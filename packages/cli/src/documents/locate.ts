import { pointerSegments } from '@bulkhead/shared'
import { isMap, isScalar, isSeq, type Node, type Pair } from 'yaml'

const startOf = (node: unknown): number | null => (node as Partial<Node> | null)?.range?.[0] ?? null

function stepInto(node: unknown, segment: string): Pick<Pair, 'key' | 'value'> | null {
  if (isSeq(node)) return { key: null, value: node.items[Number(segment)] }
  if (!isMap(node)) return null
  const named = (key: unknown): boolean => isScalar(key) && String(key.value) === segment
  return node.items.find(({ key }) => named(key)) ?? null
}

/**
 * The offset of what a pointer names: of its key when that is asked for or when there is no value, else of its
 * value. What is not in the document is looked for where it would have to be.
 */
export function offsetOfPointer(contents: unknown, pointer: string, on: 'key' | 'value'): number {
  let node = contents
  let offset = startOf(contents) ?? 0
  const segments = pointerSegments(pointer)
  for (const [depth, segment] of segments.entries()) {
    const step = stepInto(node, segment)
    if (!step) return offset
    const key = startOf(step.key)
    const isEmpty = isScalar(step.value) && step.value.source === ''
    const value = isEmpty ? null : startOf(step.value)
    const preferKey = on === 'key' && depth === segments.length - 1
    offset = (preferKey ? (key ?? value) : (value ?? key)) ?? offset
    node = step.value
  }
  return offset
}
