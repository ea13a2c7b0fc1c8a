/** Edits that turn one word into the other, a swap of neighbours counting as one. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      const edits = [
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (isSame ? 0 : 1),
      ]
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (isSwap) edits.push((before[j - 2] ?? 0) + 1)
      row.push(Math.min(...edits))
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}

/** The candidate that was most probably meant, or null when none is close. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const limit = Math.max(1, Math.floor(word.length / 3))
  const starting = candidates.filter((candidate) => word.length > 1 && candidate.startsWith(word))
  if (starting.length === 1) return starting[0] ?? null
  const [best] = candidates
    .map((candidate) => ({ candidate, edits: distance(word, candidate) }))
    .filter(({ edits }) => edits <= limit)
    .toSorted((a, b) => a.edits - b.edits)
  return best?.candidate ?? null
}

/** For the end of an error: `did you mean X?`, or else what is there. */
export function meant(word: string, candidates: readonly string[], otherwise: string): string {
  const near = nearest(word, candidates)
  return near === null ? otherwise : `did you mean ${near}?`
}
