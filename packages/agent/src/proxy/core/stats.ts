import type { ServerTraffic } from '../proxy.ts'

/** From a worker's answer to `show stat` for servers. */
export function parseTraffic(process: number, text: string): ServerTraffic[] {
  const lines = text.split('\n')
  const header = lines.find((line) => line.startsWith('# pxname,'))
  if (header === undefined) return []
  const columns = header.slice(2).split(',')
  return lines
    .filter((line) => line !== '' && !line.startsWith('#') && line.includes(','))
    .map((line) => line.split(','))
    .filter((cells) => cells[1] !== 'self')
    .map((cells) => {
      const number = (name: string): number => Number(cells[columns.indexOf(name)] ?? 0) || 0
      return {
        process,
        backend: cells[0] ?? '',
        server: cells[1] ?? '',
        requests: number('stot'),
        errors: number('hrsp_5xx') + number('econ') + number('eresp'),
        connections: number('connect'),
        bytesIn: number('bin'),
        bytesOut: number('bout'),
      }
    })
}
