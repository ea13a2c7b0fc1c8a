import { BulkheadError } from '../errors.ts'

const charsLimit = 256 * 1024 * 1024

async function* textOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  for await (const chunk of body) yield decoder.decode(chunk, { stream: true })
  yield decoder.decode()
}

/** All of a body that ends. */
export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = ''
  for await (const part of textOf(body)) {
    text += part
    if (text.length > charsLimit)
      throw new BulkheadError('too-large', 'answer: larger than accepted')
  }
  return text
}

/** A body that may go on for ever, line by line. */
export async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest = ''
  for await (const part of textOf(body)) {
    const lines = (rest + part).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > charsLimit) throw new BulkheadError('too-large', 'answer: a line is too long')
    for (const line of lines) yield line.endsWith('\r') ? line.slice(0, -1) : line
  }
  if (rest !== '') yield rest
}
