import type { ServerTraffic } from '../proxy.ts'

/** From a worker's answer to `show stat` for frontends: those that take no connections. */
export function closedFrontends(text: string): string[] {
  return rowsOf(text)
    .filter((cell) => cell('svname') === 'FRONTEND' && cell('status') !== 'OPEN')
    .map((cell) => cell('pxname'))
}

type Cell = (name: string) => string

function rowsOf(text: string): Cell[] {
  const lines = text.split('\n')
  const columns = lines.find((line) => line.startsWith('# pxname,'))?.slice(2).split(',') ?? []
  return lines
    .filter((line) => line !== '' && !line.startsWith('#') && line.includes(','))
    .map((line) => {
      const cells = line.split(',')
      return (name) => cells[columns.indexOf(name)] ?? ''
    })
}

/** From a worker's answer to `show stat` for servers. */
export function parseTraffic(process: number, text: string): ServerTraffic[] {
  return rowsOf(text)
    .filter((cell) => cell('svname') !== 'self')
    .map((cell) => {
      const number = (name: string): number => Number(cell(name)) || 0
      return {
        process,
        backend: cell('pxname'),
        server: cell('svname'),
        requests: number('stot'),
        errors: number('hrsp_5xx') + number('econ') + number('eresp'),
        connections: number('connect'),
        bytesIn: number('bin'),
        bytesOut: number('bout'),
      }
    })
}
