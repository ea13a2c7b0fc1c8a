import t from 'tap'

import { farewell, findLeftovers, type Ending } from '../../scripts/start/farewell.ts'

const installed =
  'Left: what was installed and built, for the next time (packages, node_modules, dist)'
const ending = (given: Partial<Ending>): readonly string[] =>
  farewell({
    directory: '/x/.bulkhead',
    directoryGone: true,
    keptLogs: false,
    failed: false,
    socket: '/run/docker.sock',
    left: null,
    ...given,
  }).split('\n')

t.test('an engine that was started for the example has gone with everything in it', async (t) => {
  t.same(ending({}), [
    "stopped. Gone: the example's containers and networks, the agent, its proxy and name server, the control plane, the Docker engine that was started here, the data in /x/.bulkhead",
    installed,
  ])
})

t.test('another engine keeps the images, and whatever could not be removed', async (t) => {
  const images = ['bulkhead-demo/shop:1', 'bulkhead-demo/shop:2']
  t.same(ending({ left: { containers: [], networks: [], images } }), [
    "stopped. Gone: the example's containers and networks, the agent, its proxy and name server, the control plane, the data in /x/.bulkhead",
    'Left: images bulkhead-demo/shop:1, bulkhead-demo/shop:2; to remove them: docker -H unix:///run/docker.sock rmi bulkhead-demo/shop:1 bulkhead-demo/shop:2',
    installed,
  ])
  t.same(ending({ left: { containers: ['a', 'b'], networks: ['n'], images: [] } }), [
    'stopped. Gone: the agent, its proxy and name server, the control plane, the data in /x/.bulkhead',
    'Left: containers a, b; to remove them: docker -H unix:///run/docker.sock rm -f a b',
    'Left: networks n; to remove them: docker -H unix:///run/docker.sock network rm n',
    installed,
  ])
})

t.test('an engine that does not answer is not said to have nothing left', async (t) => {
  const left = await findLeftovers('/nowhere/docker.sock')
  t.equal(left, 'unknown')
  const [first, second] = ending({ left })
  t.equal(
    first,
    'stopped. Gone: the agent, its proxy and name server, the control plane, the data in /x/.bulkhead',
  )
  t.match(second, /^Left: perhaps .* docker -H unix:\/\/\/run\/docker.sock ps -a --filter /)
})

t.test(
  'logs are kept when something went wrong, and what is not gone is not called so',
  async (t) => {
    t.match(ending({ keptLogs: true, directoryGone: false })[1], 'Left: the logs in /x/.bulkhead')
    const [first, second] = ending({ directoryGone: false })
    t.notMatch(first, '/x/.bulkhead')
    t.match(second, 'Left: /x/.bulkhead could not be removed')
  t.equal(
    ending({ failed: true, left: { containers: [], networks: [], images: [] } })[0],
    "stopped, but for what is told above. Gone: the example's containers and networks, the data in /x/.bulkhead",
  )
  },
)
