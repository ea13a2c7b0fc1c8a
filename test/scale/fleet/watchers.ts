import type { EndpointsView, WatchEvent } from '@bulkhead/shared'

/**
 * Follows the endpoints of one service as a client does, until the signal is aborted; `onChange` is told the ids of
 * the instances that serve.
 */
export async function watchService(
  server: { readonly url: string; readonly token: string },
  service: string,
  onChange: (serving: ReadonlySet<string>) => void,
  signal: AbortSignal,
): Promise<void> {
  const path = `${server.url}/v1/discovery/${service}`
  const headers = { authorization: `Bearer ${server.token}` }
  const now = (await (await fetch(path, { headers, signal })).json()) as EndpointsView
  const response = await fetch(`${path}?watch=${now.revision}`, { headers, signal })
  if (!response.ok || !response.body) throw new Error(`${path}: HTTP ${response.status}`)
  let text = ''
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    const events = (text + chunk).split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      const data = event.split('\n').find((line) => line.startsWith('data: '))
      if (data === undefined) continue
      const { item } = JSON.parse(data.slice('data: '.length)) as WatchEvent<EndpointsView>
      onChange(new Set(item.endpoints.map(({ instance }) => instance)))
    }
  }
}
