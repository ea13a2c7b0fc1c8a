import type { Logger } from 'pino'

import { excessWorkers } from './core/worker.ts'
import type { MasterProcess } from './master-process.ts'
import type { Workers } from './workers.ts'

/** They take about 5 MB each. */
export const usualReplaced = 50

/**
 * Long connections keep the processes that have them, however often those have been replaced: when there are more than
 * `most`, some are ended, so that as few connections as can be are cut.
 */
export async function limitReplaced(
  workers: Workers,
  master: MasterProcess,
  { logger, most }: { readonly logger: Pick<Logger, 'warn'>; readonly most: number },
): Promise<void> {
  if (workers.countReplaced <= most) return
  for (const { pid, connections } of excessWorkers(await workers.replaced(), most)) {
    const why = `the proxy has changed its frontends more than ${most} times since they began`
    logger.warn({ pid, connections }, `long connections are cut: ${why}`)
    master.end(pid)
  }
}
