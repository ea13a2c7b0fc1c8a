import { canonicalJson } from '@bulkhead/shared'

import { type SetName, setNames, setTypes } from './ruleset.ts'
import { fenceSlots } from './structure.ts'

/** A table as the kernel has it. */
export interface KernelTable {
  /** Rules by chain, hooks, and the forms of sets: everything but the elements, in a form that can be compared. */
  readonly structure: ReadonlyMap<string, string>
  readonly sets: Readonly<Record<SetName, ReadonlySet<string>>>
  /** Endpoints that are being left; they go by themselves. */
  readonly leaving: ReadonlySet<string>
  /** Place of the heartbeat that the lease of exclusive instances goes by. */
  readonly leaseSlot: number | null
}

/** Sets of endpoints that are being left, and those that they are like. */
const leavingForms: Readonly<Record<string, SetName>> = { leaving4: 'reach4', leaving6: 'reach6' }

type Fields = Readonly<Record<string, unknown>>

/** Reads what `nft -j list table` prints. */
export function parseTable(listing: unknown): KernelTable {
  const structure = new Map<string, string>()
  const sets = Object.fromEntries(setNames.map((name) => [name, new Set<string>()])) as Record<
    SetName,
    Set<string>
  >
  const leaving = new Set<string>()
  let leaseSlot: number | null = null
  for (const item of itemsOf(listing)) {
    const [[kind, fields] = ['', {}]] = Object.entries(item) as [string, Fields][]
    const name = String(fields['name'])
    if (kind === 'set' && isSetName(name)) {
      for (const element of listOf(fields['elem'])) sets[name].add(format(name, element))
    }
    const left = kind === 'set' ? leavingForms[name] : undefined
    for (const element of left ? listOf(fields['elem']) : [])
      leaving.add(format(left ?? 'reach4', element))
    if (kind === 'map' && name === 'lease') leaseSlot = slotOf(fields['elem'])
    const { key, text } = describe(kind, fields)
    if (key !== '') structure.set(key, `${structure.get(key) ?? ''}${text}\n`)
  }
  return { structure, sets, leaving, leaseSlot }
}

function itemsOf(listing: unknown): readonly Fields[] {
  const items = (listing as { nftables?: unknown } | null)?.nftables
  return Array.isArray(items) ? (items as Fields[]) : []
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const isSetName = (name: string): name is SetName => name in setTypes

/** Rules are told by their chain, in order; what the kernel counts or numbers is left out. */
function describe(kind: string, fields: Fields): { readonly key: string; readonly text: string } {
  if (kind === 'rule') {
    return { key: `chain ${String(fields['chain'])}`, text: canonicalJson(plain(fields['expr'])) }
  }
  // Flags, in whatever way they are printed, say that it is put to sleep or has got another owner.
  if (kind === 'table')
    return { key: 'the table', text: fields['flags'] === undefined ? 'plain' : 'flags' }
  if (kind !== 'chain' && kind !== 'set' && kind !== 'map') return { key: '', text: '' }
  const { handle: _handle, elem: _elem, ...rest } = fields
  return { key: `${kind} ${String(fields['name'])}`, text: canonicalJson(rest) }
}

/** Without counts, and with the members of sets within rules in one order. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      if (key === 'counter') return [key, null]
      if (key === 'set' && Array.isArray(inner)) {
        return [key, inner.map((member) => canonicalJson(plain(member))).toSorted()]
      }
      return [key, plain(inner)]
    }),
  )
}

/** An element in the words of a script. */
function format(set: SetName, element: unknown): string {
  const fields = element as { elem?: { val?: unknown }; concat?: unknown }
  const value = fields.elem?.val ?? element
  const concat = (value as { concat?: unknown }).concat
  const parts = Array.isArray(concat) ? (concat as unknown[]) : [value]
  const types = setTypes[set].split(' . ')
  return parts.map((part, i) => formatPart(types[i] ?? '', part)).join(' . ')
}

interface Part {
  readonly prefix?: { readonly addr: string; readonly len: number }
  readonly range?: readonly unknown[]
}

function formatPart(type: string, part: unknown): string {
  if (type === 'ifname') return `"${String(part)}"`
  if (typeof part !== 'object' || part === null) return String(part)
  const { prefix, range } = part as Part
  if (prefix) return `${prefix.addr}/${prefix.len}`
  return range ? range.map(String).join('-') : canonicalJson(part)
}

function slotOf(elements: unknown): number | null {
  const text = canonicalJson(listOf(elements))
  return fenceSlots.find((slot) => text.includes(`"lease${slot}"`)) ?? null
}
