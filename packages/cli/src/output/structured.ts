import type { Output } from '../cli.ts'

export type Structured = 'json' | 'yaml'

/** The API's own data: as JSON, or the same as YAML. */
export async function writeStructured(
  output: Output,
  format: Structured,
  value: unknown,
): Promise<void> {
  if (format === 'json') {
    output.write(`${JSON.stringify(value, null, 2)}\n`)
    return
  }
  const { stringifyYaml } = await import('./yaml.ts')
  output.write(stringifyYaml(value, { aliasDuplicateObjects: false, lineWidth: 0 }))
}

/** One of many: a line of JSON, or a document of YAML. */
export async function writeStructuredPart(
  output: Output,
  format: Structured,
  value: unknown,
): Promise<void> {
  if (format === 'json') {
    output.write(`${JSON.stringify(value)}\n`)
    return
  }
  output.write('---\n')
  await writeStructured(output, format, value)
}
