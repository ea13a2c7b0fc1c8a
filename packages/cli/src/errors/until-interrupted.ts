/** A server that ends because it was told to has done what was asked of it. */
export async function untilInterrupted(signal: AbortSignal, running: Promise<void>): Promise<void> {
  try {
    await running
  } catch (error) {
    if (error !== signal.reason || !signal.aborted) throw error
  }
}
