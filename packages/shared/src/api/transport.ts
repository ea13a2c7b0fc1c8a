export interface TransportRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  readonly signal: AbortSignal
}

export interface TransportResponse {
  readonly status: number
  readonly contentType: string
  /** Leaving the iteration early ends the request. */
  readonly body: AsyncIterable<Uint8Array>
}

/** What sends requests. The default is global fetch; a program that must start fast brings its own. */
export type Transport = (request: TransportRequest) => Promise<TransportResponse>

async function* nothing(): AsyncGenerator<Uint8Array> {}

export const fetchTransport: Transport = async ({ method, url, headers, body, signal }) => {
  const response = await fetch(url, { method, headers, body, signal })
  const contentType = response.headers.get('content-type') ?? ''
  return { status: response.status, contentType, body: response.body ?? nothing() }
}
