import { resolve } from 'node:path'

/** Where an agent has the files of its proxy. */
export const proxyDirectory = (data: string): string => resolve(data, 'proxy')
