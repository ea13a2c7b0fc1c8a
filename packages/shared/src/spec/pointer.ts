/** JSON pointers (RFC 6901): where in a document something is. */

/** One key or index of a pointer, escaped. */
const escaped = (segment: string | number): string =>
  String(segment).replaceAll('~', '~0').replaceAll('/', '~1')

/** `pointerTo('ports', 'a/b', 0)` → `/ports/a~1b/0`; without segments the whole document, ``. */
export const pointerTo = (...segments: readonly (string | number)[]): string =>
  segments.map((segment) => `/${escaped(segment)}`).join('')

/** The keys and indexes of a pointer, outermost first. */
export const pointerSegments = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'))
