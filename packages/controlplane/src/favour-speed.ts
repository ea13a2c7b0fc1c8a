import { setFlagsFromString } from 'node:v8'

/**
 * The launcher has the runtime save memory, which halves its speed: that suits a small cluster, which is idle most of
 * the time. A large one is worth the memory.
 */
export const favourSpeed = (): void => setFlagsFromString('--no-optimize-for-size')
