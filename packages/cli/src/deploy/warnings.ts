import type { ApplyResult } from '@bulkhead/shared'

import type { Cli } from '../cli.ts'
import { styleFor } from '../output/style.ts'
import { cleanText, listed, plural } from '../output/text.ts'
import { shownObject } from './changes.ts'

const shownLimit = 5

/** What is warned of about several objects is said once, with their names. */
export function warningTexts({ objects }: ApplyResult): string[] {
  const byText = Map.groupBy(
    objects.flatMap((object) => object.warnings.map((text) => ({ object, text }))),
    ({ text }) => text,
  )
  return [...byText].map(([text, found]) => {
    const names = found.map(({ object }) => shownObject(object))
    const [only = ''] = names
    const services = found.map(({ object }) => `${object.name}.${object.environment}`)
    const which =
      found.length === 1
        ? only
        : `${plural(found.length, 'service')} (${listed(services, shownLimit)})`
    return `${which}: ${cleanText(text)}`
  })
}

export function writeWarnings(result: ApplyResult, cli: Cli): void {
  const { yellow } = styleFor(cli.stderr, cli.env)
  for (const text of warningTexts(result)) cli.stderr.write(`${yellow('warning:')} ${text}\n`)
}
