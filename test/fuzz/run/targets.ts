import { openAgent } from '../targets/agent.ts'
import { openApi } from '../targets/api.ts'
import { openCli } from '../targets/cli.ts'
import { openDns } from '../targets/dns.ts'
import { openProtocol } from '../targets/protocol.ts'
import { openSelectors } from '../targets/selectors.ts'
import { openSpecs } from '../targets/specs.ts'
import type { OpenTarget } from './target.ts'

/** What can be named with `--target`. */
export const targets: Readonly<Record<string, OpenTarget>> = {
  agent: openAgent,
  api: openApi,
  cli: openCli,
  dns: openDns,
  protocol: openProtocol,
  selectors: openSelectors,
  specs: openSpecs,
}
