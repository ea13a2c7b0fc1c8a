// Of its own, so that it is loaded only where YAML is read or written, and in a bundle has its names.
export { parse as parseYaml, stringify as stringifyYaml } from 'yaml'
