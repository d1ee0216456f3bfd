// The tables of docs/contracts.md that are made by a run, each between `<!-- NAME -->` and `<!-- /NAME -->`.
import { readFileSync, writeFileSync } from 'node:fs'

const DOCUMENT = new URL('../../docs/contracts.md', import.meta.url)

/** Replaces the table called `name`; a document without its two marks is an error. */
export const writeTable = (name, heads, rows) => {
  const text = readFileSync(DOCUMENT, 'utf8')
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(open), text.indexOf(close)]
  if (from < 0 || to < from) throw new Error(`docs/contracts.md lacks ${open} … ${close}`)
  const line = (cells) => `| ${cells.join(' | ')} |`
  const table = [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
  writeFileSync(DOCUMENT, `${text.slice(0, from + open.length)}\n\n${table}\n\n${text.slice(to)}`)
}
