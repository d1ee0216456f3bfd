// Static analysis by slither, held against the findings that are explained in slither-explained.json.
//
//   npm run slither [-- SOURCES]     needs `slither` on the PATH (dependency group `analysis`)
//   npm run slither:write            writes the table of docs/contracts.md as well
//
// Fails on a finding that is not explained and on an explanation that no longer explains anything, so the list
// neither grows in silence nor rots. Slither compiles wrongly inside a Foundry project, so it is given a copy outside.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { keepTable } from './table.mjs'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
/** Other sources than ours are for the test that plants a defect; the document is then left alone. */
const SOURCES = process.argv.slice(2).find((word) => !word.startsWith('--'))
const EXPLAINED = JSON.parse(readFileSync(join(ROOT, 'scripts', 'slither-explained.json'), 'utf8'))

/** Runs slither over a copy of the sources and returns its findings. */
const analyse = (folder) => {
  cpSync(SOURCES ?? join(ROOT, 'src'), join(folder, 'src'), { recursive: true })
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  // With standard JSON slither always calls the compiler by the name `solc`, whatever --solc says.
  mkdirSync(join(folder, 'bin'))
  symlinkSync(join(ROOT, 'solc.mjs'), join(folder, 'bin', 'solc'))
  const run = spawnSync(
    'slither',
    ['src', '--solc-standard-json', '--solc-remaps', '@openzeppelin/=node_modules/@openzeppelin/', '--json', 'out.json'],
    { cwd: folder, encoding: 'utf8', env: { ...process.env, PATH: join(folder, 'bin') + delimiter + process.env.PATH } },
  )
  if (run.error) throw new Error(`slither did not start: ${run.error.message} (uv sync --group analysis installs it)`)
  const report = join(folder, 'out.json')
  const output = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : { success: false, error: run.stderr }
  if (!output.success) throw new Error(`slither failed: ${output.error}`)
  if (!/analyzed \([1-9]\d* contracts/.test(run.stderr)) throw new Error(`slither saw no contract: ${run.stderr}`)
  return output.results.detectors ?? []
}

const isLibrary = (finding) =>
  finding.elements.every((element) => element.source_mapping.filename_relative.startsWith('node_modules/'))

const keyOf = ({ check, scope }) => `${scope} ${check}`

const folder = mkdtempSync(join(tmpdir(), 'tanpu-slither-'))
try {
  const found = new Map()
  for (const finding of analyse(folder)) {
    const key = keyOf({ check: finding.check, scope: isLibrary(finding) ? 'library' : 'ours' })
    found.set(key, [...(found.get(key) ?? []), finding.description.trim()])
  }
  const explained = new Map(EXPLAINED.map((entry) => [keyOf(entry), entry]))
  const faults = []
  for (const [key, descriptions] of found) {
    const { count } = explained.get(key) ?? { count: 0 }
    if (descriptions.length !== count) {
      faults.push(`${key}: ${descriptions.length} found, ${count} explained\n  ${descriptions.join('\n  ')}`)
    }
  }
  for (const key of explained.keys()) if (!found.has(key)) faults.push(`${key}: explained, but not found any more`)
  if (faults.length) throw new Error(`slither findings and slither-explained.json differ:\n${faults.join('\n')}`)
  if (!SOURCES) {
    keepTable(
      'slither',
      ['detector', 'where', 'findings', 'why it stands'],
      EXPLAINED.map(({ check, scope, count, reason }) => [`\`${check}\``, scope, count, reason]),
    )
  }
  console.log(`slither: ${[...found.values()].flat().length} findings, all explained`)
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
} finally {
  rmSync(folder, { recursive: true })
}
