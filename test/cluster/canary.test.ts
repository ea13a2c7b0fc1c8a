import { setTimeout as delay } from 'node:timers/promises'

import type { ListView, RolloutView } from '@bulkhead/shared'
import { t as tap, test, type Test } from 'tap'

import { waitFor } from '../engines/command.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { sumOf, type Second, type Sum } from '../traffic/second.ts'
import { setStage, settled, type Stage } from '../traffic/stage.ts'
import { running, witness } from './witness.ts'

const skip = whyNotEngines() ?? false
const timeout = 300_000
tap.setTimeout(timeout)

/** From the moment at which a share is decided until what was sent before has been answered and told. */
const settlesMs = 1000
/** A second's line is told when the second is over. */
const reportMs = 1500
/** Of the image that is broken on purpose. */
const bad = 'bad'
/** Requests that are under way are ended after the signal, too. */
const stop = '{ drain: 500ms, grace: 20s }'
const pace = 'minHealthyTime: 500ms, progressDeadline: 60s'

type Until = (what: string, accept: (rollout: RolloutView) => boolean) => Promise<RolloutView>

/** Applies an upgrade; what is returned waits until its rollout is as a test wants it. */
async function upgrade(
  { cluster, document }: Stage,
  image: string,
  update: string,
): Promise<Until> {
  const fields = { update: `{ ${update}, ${pace} }`, stop }
  await cluster.run(['apply', '-f', '-'], document(image, fields))
  const { revision } = await cluster.service('prod', 'api')
  return (what, accept) =>
    waitFor(what, 60_000, async () => {
      const { items } = await cluster.api<ListView<RolloutView>>(
        '/v1/rollouts?service=api&environment=prod',
      )
      return items.find((rollout) => rollout.to === revision && accept(rollout))
    })
}

/** When the history of the rollout says so; fails when it does not. */
function whenTold({ id, history }: RolloutView, text: RegExp): number {
  const line = history.find((one) => text.test(one.text))
  if (!line)
    throw new Error(`${id} does not tell of ${text}: ${history.map((one) => one.text).join('; ')}`)
  return Date.parse(line.at)
}

const between = (seconds: readonly Second[], fromMs: number, toMs: number): Sum =>
  sumOf(seconds.filter(({ atMs }) => atMs >= fromMs + settlesMs && atMs + 1000 <= toMs))

/**
 * The share of a version is the declared one: within four standard deviations of so many requests that are each sent
 * to it with that probability (one run in 16,000 is further off by chance), and the 0.3 points by which whole weights
 * are off.
 */
function hasShare(t: Test, { shares }: Sum, version: string, percent: number): void {
  const all = Object.values(shares).reduce((sum, one) => sum + one, 0)
  const found = (100 * (shares[version] ?? 0)) / all
  const bound = 4 * Math.sqrt((percent * (100 - percent)) / all) + 0.3
  t.ok(all > 200, `${all} requests mean something`)
  t.ok(
    Math.abs(found - percent) <= bound,
    `${found.toFixed(2)} % of ${all} requests to version ${version}: ${percent} ± ${bound.toFixed(2)}`,
  )
}

/** Failures that are not the doing of the image that is broken on purpose. */
const unexplained = ({ failures }: Sum): readonly string[] =>
  failures.filter((text) => !text.endsWith(`HTTP 500 of version ${bad}: it is broken on purpose`))

const containers = async ({ cluster }: Stage): Promise<ReadonlySet<string>> =>
  new Set(
    running(await witness(cluster.hosts.hosts))
      .filter(({ service }) => service === 'prod/api')
      .map(({ id }) => id),
  )

void test('canary and blue-green on real engines, under load', { skip, timeout }, async (t) => {
  await using stage = await setStage({
    replicas: 4,
    clients: { KEEP_ALIVE: 12, ONE_SHOT: 2, SLOW: 2 },
  })
  const { cluster, load, images } = stage
  const [first = '', second = '', third = ''] = images.server
  const played = async (act: () => Promise<void>): Promise<Sum> => {
    const from = load.lines.length
    await act()
    await delay(reportMs)
    return sumOf(load.lines.slice(from))
  }

  await t.test('a canary gets its share, and the next one by time and by promote', async (t) => {
    const sum = await played(async () => {
      const until = await upgrade(
        stage,
        second,
        'strategy: canary, maxSurge: 4, steps: [ { weight: 10, pause: 4s }, { weight: 50, pause: manual } ]',
      )
      const waiting = await until('the step of 50 %', ({ shift }) => shift?.waitsFor === 'promote')
      await delay(3500)
      const promotedMs = Date.now()
      await cluster.run(['rollout', 'promote', 'api', '-e', 'prod'])
      await until('its end', ({ phase }) => phase === 'completed')
      const [tenMs, passedMs, halfMs] = [
        /gets 10 %/,
        /step 1 of 3: its time is over/,
        /gets 50 %/,
      ].map((text) => whenTold(waiting, text))
      hasShare(t, between(load.lines, tenMs ?? 0, passedMs ?? 0), '2', 10)
      hasShare(t, between(load.lines, halfMs ?? 0, promotedMs), '2', 50)
      t.ok((passedMs ?? 0) - (tenMs ?? 0) >= 4000, 'the first step had its time')
    })
    t.same(sum.failures, [], `none of ${sum.requests} requests failed`)
    await settled(stage)
    const after = await played(() => delay(2000))
    t.same(Object.keys(after.versions), ['2'], 'nobody is sent to the old version any more')
  })

  await t.test('a canary that answers with errors is rolled back by itself', async (t) => {
    const before = await containers(stage)
    const sum = await played(async () => {
      const until = await upgrade(
        stage,
        images.erroneous,
        'strategy: canary, maxSurge: 2, steps: [ { weight: 20, pause: 60s } ], analysis: { maxErrorRate: 5%, minRequests: 200 }',
      )
      const rollout = await until('the way back', ({ phase }) => phase === 'rolled-back')
      t.match(
        rollout.reason,
        /^\d+(\.\d+)? % of \d+ requests to revision \d+ have failed, more than 5 %; back to the content of revision \d+/,
      )
      const goneMs = whenTold(rollout, /have failed/)
      t.comment(
        `rolled back ${goneMs - whenTold(rollout, /gets 20 %/)} ms after it had its share: ${rollout.reason}`,
      )
      await settled(stage)
      await delay(2 * reportMs)
      const after = between(load.lines, goneMs, Infinity)
      t.same(Object.keys(after.shares), ['2'], 'no request reaches it afterwards')
    })
    t.ok(
      sum.failures.length > 10,
      `${sum.failures.length} of ${sum.requests} requests met the errors`,
    )
    t.same(unexplained(sum), [], 'and nobody failed but who was sent to the bad version')
    const all = Object.values(sum.shares).reduce((total, one) => total + one, 0)
    t.ok((sum.shares[bad] ?? 0) < all * 0.25, 'never more than its share were sent to it')
    const after = await containers(stage)
    t.same(
      [...before].filter((id) => !after.has(id)),
      [],
      'what was good was left alone',
    )
  })

  await t.test('blue-green: a switch, and the way back by undo at once', async (t) => {
    const before = await containers(stage)
    const sum = await played(async () => {
      const until = await upgrade(stage, third, 'strategy: blue-green, keepOld: 60s')
      const rollout = await until('the switch', ({ shift }) => shift?.weight === 100)
      const switchedMs = whenTold(rollout, /^switched/)
      await delay(3000)
      const undoneMs = Date.now()
      await cluster.run(['rollout', 'undo', 'api', '-e', 'prod'])
      const tookMs = Date.now() - undoneMs
      await delay(3000)
      hasShare(t, between(load.lines, switchedMs, undoneMs), '3', 100)
      hasShare(t, between(load.lines, undoneMs + tookMs, Infinity), '3', 0)
      await settled(stage)
    })
    t.same(sum.failures, [], `none of ${sum.requests} requests failed`)
    const after = await containers(stage)
    t.strictSame(
      [...after].toSorted(),
      [...before].toSorted(),
      'the old set serves again, none of it was started anew',
    )
  })

  await t.test(
    'blue-green: a set that answers with errors is switched back by itself',
    async (t) => {
      const before = await containers(stage)
      const sum = await played(async () => {
        const until = await upgrade(
          stage,
          images.erroneous,
          'strategy: blue-green, keepOld: 60s, analysis: { maxErrorRate: 5%, minRequests: 100 }',
        )
        const rollout = await until('the switch back', ({ phase }) => phase === 'rolled-back')
        const [switchedMs, goneMs] = [
          whenTold(rollout, /^switched/),
          whenTold(rollout, /have failed/),
        ]
        t.comment(`switched back after ${goneMs - switchedMs} ms: ${rollout.reason}`)
        t.ok(goneMs - switchedMs < 10_000, 'soon')
        await settled(stage)
        await delay(2 * reportMs)
        hasShare(t, between(load.lines, goneMs, Infinity), bad, 0)
      })
      t.ok(
        sum.failures.length > 10,
        `${sum.failures.length} of ${sum.requests} requests met the errors`,
      )
      t.same(unexplained(sum), [], 'and nobody failed but who was sent to the bad version')
      t.strictSame(
        [...(await containers(stage))].toSorted(),
        [...before].toSorted(),
        'the old set was left alone',
      )
    },
  )

  await t.test(
    'blue-green: a good set is switched to, and the old one goes when its time is over',
    async (t) => {
      const sum = await played(async () => {
        const until = await upgrade(stage, first, 'strategy: blue-green, keepOld: 3s')
        const done = await until('its end', ({ phase }) => phase === 'completed')
        const [switchedMs, overMs] = [
          whenTold(done, /^switched/),
          whenTold(done, /no longer kept: its time is over/),
        ]
        t.ok(overMs - switchedMs >= 3000, 'kept as long as it was to be')
        await settled(stage)
      })
      t.same(sum.failures, [], `none of ${sum.requests} requests failed`)
      const after = await played(() => delay(1500))
      t.same(Object.keys(after.shares), ['1'])
    },
  )
})
