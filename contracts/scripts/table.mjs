// The tables of docs/contracts.md that come from a run, each between `<!-- NAME -->` and `<!-- /NAME -->`.
import { readFileSync, writeFileSync } from 'node:fs'

const DOCUMENT = new URL('../../docs/contracts.md', import.meta.url)

/** Writes the table called `name` if `--write` was given; otherwise it is an error that the document says otherwise. */
export const keepTable = (name, heads, rows) => {
  const text = readFileSync(DOCUMENT, 'utf8')
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(open), text.indexOf(close)]
  if (from < 0 || to < from) throw new Error(`docs/contracts.md lacks ${open} … ${close}`)
  const line = (cells) => `| ${cells.join(' | ')} |`
  const table = [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
  const wanted = `${text.slice(0, from + open.length)}\n\n${table}\n\n${text.slice(to)}`
  if (wanted === text) return
  if (!process.argv.includes('--write')) {
    throw new Error(`docs/contracts.md: the table "${name}" is not what this run gave: npm run ${name}:write`)
  }
  writeFileSync(DOCUMENT, wanted)
}
