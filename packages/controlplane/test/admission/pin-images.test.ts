import { setImmediate as turn } from 'node:timers/promises'

import { BulkheadError, type ApplyRequest } from '@bulkhead/shared'
import { test } from 'tap'

import { admit, applyAdmitted } from '../../src/admission/admit.ts'
import type { ResolvedImage } from '../../src/admission/images.ts'
import { makeConfig } from '../../src/config/config.ts'
import { document } from '../api/serve.ts'
import { manualClock } from '../support/manual-clock.ts'
import { MemoryState } from '../support/memory-state.ts'

const config = makeConfig({}, {})
const host = 'registry.internal:5000'

function resolved(name: string, digit: string): ResolvedImage {
  const digest = `sha256:${digit.repeat(64)}`
  return { image: { name, reference: `${name}@${digest}`, digest, local: false }, warnings: [] }
}

const request = (...documents: object[]): ApplyRequest => ({ documents, prune: false, allowPending: true })

void test('a service whose tag has not changed keeps its digest, wherever it is in the file', async (t) => {
  const state = new MemoryState()
  const clock = manualClock()
  const old = document({ name: 'old', image: `${host}/shop:1` })
  const young = document({ name: 'young', image: `${host}/shop:1` })
  const first = await admit(state, request(old), { resolve: async (name) => resolved(name, 'a'), clock })
  applyAdmitted(state, first, config)
  for (const documents of [[old, young], [young, old]]) {
    let asked = 0
    const resolve = async (name: string): Promise<ResolvedImage> => {
      asked += 1
      return resolved(name, 'b')
    }
    const { services } = await admit(state, request(...documents), { resolve, clock })
    const digests = Object.fromEntries(services.map(({ spec, image }) => [spec.name, image.digest.at(-1)]))
    t.strictSame(digests, { old: 'a', young: 'b' })
    t.equal(asked, 1)
  }
})

void test('a tag that several services bring is asked for once', async (t) => {
  const names = ['a', 'b', 'c']
  let asked = 0
  const resolve = async (name: string): Promise<ResolvedImage> => resolved(name, String((asked += 1)))
  const documents = names.map((name) => document({ name, image: `${host}/shop:1` }))
  const { services } = await admit(new MemoryState(), request(...documents), { resolve, clock: manualClock() })
  t.equal(new Set(services.map(({ image }) => image.digest)).size, 1)
  t.equal(asked, 1)
})

void test('a registry that hangs is not asked for each of many images in turn', async (t) => {
  const clock = manualClock()
  let asked = 0
  let waiting = 0
  let most = 0
  const resolve = async (name: string): Promise<ResolvedImage> => {
    asked += 1
    waiting += 1
    most = Math.max(most, waiting)
    await turn()
    if (waiting === most) clock.advance(10_000)
    waiting -= 1
    throw new BulkheadError('image-unresolved', `image ${name} could not be resolved: no answer`)
  }
  const documents = Array.from({ length: 500 }, (_, at) => document({ name: `s${at}`, image: `${host}/s${at}:1` }))
  const error = await admit(new MemoryState(), request(...documents), { resolve, clock }).catch((reason: unknown) => reason)
  t.type(error, BulkheadError)
  const { code, problems } = error as BulkheadError
  t.equal(code, 'image-unresolved')
  t.equal(problems.length, 500)
  t.match(problems.at(0)?.message, /s0:1 could not be resolved: no answer/)
  t.match(problems.at(-1)?.message, /s499:1 could not be resolved: 30 s had passed/)
  t.ok(most > 1 && most <= 8, `${most} at once`)
  t.ok(asked <= 40, `${asked} were asked for`)
})
