/** An image's name in canonical form: `nginx` is docker.io/library/nginx. */
export interface ImageReference {
  /** In lower case, with its port where one was written. */
  readonly host: string
  readonly repository: string
  readonly tag: string | null
  readonly digest: string | null
}

const maxLength = 512
const maxNameLength = 255

const label = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?'
const hostPattern = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[0-9a-f:]+\\])(?::([0-9]{1,5}))?$`)
const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*'
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`)
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/
const digestPattern = /^sha256:[0-9a-f]{64}$/
const imageIdPattern = /^[0-9a-f]{64}$/

/** Like Docker: the first component is a host when it has a dot or a port or is `localhost`. */
function splitHost(name: string): { host: string; repository: string } {
  const slash = name.indexOf('/')
  const first = slash < 0 ? '' : name.slice(0, slash)
  if (first !== 'localhost' && !/[.:]/.test(first)) {
    return { host: 'docker.io', repository: slash < 0 ? `library/${name}` : name }
  }
  const rest = name.slice(slash + 1)
  const lower = first.toLowerCase()
  if (lower !== 'docker.io' && lower !== 'index.docker.io') return { host: lower, repository: rest }
  return { host: 'docker.io', repository: rest.includes('/') ? rest : `library/${rest}` }
}

function isHost(host: string): boolean {
  const match = hostPattern.exec(host)
  if (!match) return false
  const port = match[1]
  return port === undefined || (Number(port) >= 1 && Number(port) <= 65_535)
}

/** A colon before the last slash belongs to the host's port. */
function cutTag(text: string): { name: string; tag: string | null } {
  const colon = text.lastIndexOf(':')
  if (colon <= text.lastIndexOf('/')) return { name: text, tag: null }
  return { name: text.slice(0, colon), tag: text.slice(colon + 1) }
}

/**
 * Parses `[HOST[:PORT]/]REPOSITORY[:TAG][@sha256:DIGEST]` by the grammar of Docker's references; null for
 * anything else. Bare image ids are no references, and without a tag there is none: `latest` is not implied.
 */
export function parseImageReference(text: string): ImageReference | null {
  if (text.length > maxLength) return null
  const at = text.indexOf('@')
  const digest = at < 0 ? null : text.slice(at + 1)
  const { name, tag } = cutTag(at < 0 ? text : text.slice(0, at))
  if (digest !== null && !digestPattern.test(digest)) return null
  if (tag !== null && !tagPattern.test(tag)) return null
  if (imageIdPattern.test(name) || (name === 'sha256' && imageIdPattern.test(tag ?? '')))
    return null
  const { host, repository } = splitHost(name)
  if (!isHost(host) || !repositoryPattern.test(repository)) return null
  if (host.length + 1 + repository.length > maxNameLength) return null
  return { host, repository, tag, digest }
}

/** The canonical text, which parses back to the same reference. */
export function formatImageReference(reference: ImageReference): string {
  const tag = reference.tag === null ? '' : `:${reference.tag}`
  const digest = reference.digest === null ? '' : `@${reference.digest}`
  return `${reference.host}/${reference.repository}${tag}${digest}`
}
