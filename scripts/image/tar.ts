/** An entry of a layer; paths are relative to the root, without a leading slash. */
export type TarEntry =
  | { readonly kind: 'file'; readonly path: string; readonly mode?: number; readonly data: Buffer }
  | { readonly kind: 'folder'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }

const blockBytes = 512
const pathLimitBytes = 100
const typeFlags = { file: '0', link: '2', folder: '5' } as const

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, '0')}\0`
}

function header(entry: TarEntry): Buffer {
  const path = entry.kind === 'folder' ? `${entry.path}/` : entry.path
  const target = entry.kind === 'link' ? entry.target : ''
  if (Buffer.byteLength(path) > pathLimitBytes || Buffer.byteLength(target) > pathLimitBytes) {
    throw new RangeError(`tar: path too long: ${path} has more than ${pathLimitBytes} bytes`)
  }
  const mode =
    entry.kind === 'link' ? 0o777 : (entry.mode ?? (entry.kind === 'file' ? 0o644 : 0o755))
  const block = Buffer.alloc(blockBytes)
  block.write(path, 0)
  block.write(octal(mode, 8), 100)
  block.write(octal(0, 8), 108)
  block.write(octal(0, 8), 116)
  block.write(octal(entry.kind === 'file' ? entry.data.length : 0, 12), 124)
  block.write(octal(0, 12), 136)
  block.write(' '.repeat(8), 148)
  block.write(typeFlags[entry.kind], 156)
  block.write(target, 157)
  block.write('ustar\x0000', 257)
  const checksum = block.reduce((sum, byte) => sum + byte, 0)
  block.write(`${octal(checksum, 7)} `, 148)
  return block
}

/**
 * Writes a ustar archive in memory. Everything is owned by root and dated 1970, so that equal
 * contents give equal bytes.
 */
export function createTar(entries: readonly TarEntry[]): Buffer {
  const blocks: Buffer[] = []
  for (const entry of entries) {
    blocks.push(header(entry))
    if (entry.kind !== 'file') continue
    const padding = (blockBytes - (entry.data.length % blockBytes)) % blockBytes
    blocks.push(entry.data, Buffer.alloc(padding))
  }
  blocks.push(Buffer.alloc(2 * blockBytes))
  return Buffer.concat(blocks)
}
