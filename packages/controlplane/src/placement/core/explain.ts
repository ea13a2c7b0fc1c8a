import {
  counted,
  isLive,
  type ExplainView,
  type Instance,
  type Node,
  type Revision,
  type ServiceKey,
} from '@bulkhead/shared'

import type { ClusterView } from '../../state/view.ts'
import { Books } from './books.ts'
import type { FilterContext } from './filters/filter.ts'
import { allFilters, refusalsOf } from './filters/pipeline.ts'
import type { PortRange } from './ports.ts'
import { compareScores, preferenceOf, scoreOf, Tally, type Score } from './scores.ts'

export type NodeVerdict = ExplainView['nodes'][number]

/**
 * What placement thinks of every node: for the present instance, as if it were to be placed again,
 * or with null for one more instance of the service. The node where it is comes first, then those
 * that fit, best first, then the others by name. `score` counts how many of the fitting nodes this
 * one is preferred to.
 */
export function explainNodes(
  view: ClusterView,
  key: ServiceKey,
  instance: Instance | null,
  portRange: PortRange,
): readonly NodeVerdict[] {
  const service = view.services.get(key)
  const wanted = service && view.revisionOf(key, service.revision)
  const revision = (instance && view.revisionOf(key, instance.revision)) ?? wanted
  if (!revision || !wanted) return []
  const books = new Books(view, key, instance ? [instance] : [])
  const rules = wanted.spec.placement
  const context: FilterContext = { view, service: key, revision, rules, books, portRange }
  const staying = view.instancesOf(key).filter((one) => isLive(one) && one.id !== instance?.id)
  const tally = new Tally(view, staying, rules.spread)
  const filters = allFilters(context)
  const prefer = preferenceOf(context)
  const chosen = instance?.node ?? null
  const fitting: { readonly node: Node; readonly score: Score }[] = []
  const refused: NodeVerdict[] = []
  for (const node of view.nodes.values()) {
    const refusals = refusalsOf(filters, node)
    if (refusals.length === 0) fitting.push({ node, score: scoreOf(context, tally, prefer, node) })
    else {
      const reasons = refusals.map(({ one, detail }) => detail ?? one)
      const verdict = node.name === chosen ? 'chosen' : 'refused'
      refused.push({ node: node.name, verdict, reasons, score: null })
    }
  }
  fitting.sort((a, b) => compareScores(a.score, b.score))
  const verdicts = fitting.map(({ node, score }, index): NodeVerdict => ({
    node: node.name,
    verdict: node.name === chosen ? 'chosen' : 'fits',
    reasons: describe(score, revision),
    score: fitting.length - 1 - index,
  }))
  const all = [...verdicts, ...refused.toSorted((a, b) => (a.node < b.node ? -1 : 1))]
  const first = all.filter(({ verdict }) => verdict === 'chosen')
  return [...first, ...all.filter(({ verdict }) => verdict !== 'chosen')]
}

function describe(score: Score, { spec }: Revision): readonly string[] {
  const reasons: string[] = []
  const { prefer, spread } = spec.placement
  if (prefer.length > 0) reasons.push(`preferred with a weight of ${score.prefer}`)
  for (const [index, level] of spread.entries()) {
    const count = score.spread[index] ?? 0
    reasons.push(Number.isFinite(count) ? `${count} of the service in its ${level}` : `${level} not known`)
  }
  reasons.push(
    `${counted(score.instances, 'instance')} of the service on it`,
    `${Math.round(score.reserved * 100)} % reserved with one more`,
  )
  return reasons
}
