// The gas table of docs/contracts.md, from the figures that test/Gas.t.sol measured and held to their budgets.
//
//   npm run gas
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeTable } from './table.mjs'

const run = spawnSync('forge', ['test', '--match-contract', 'GasTest'], { encoding: 'utf8' })
if (run.status !== 0) {
  console.error(run.error?.message ?? run.stdout)
  process.exit(1)
}
const measured = JSON.parse(readFileSync(new URL('../snapshots/Gas.json', import.meta.url), 'utf8'))
const rows = Object.entries(measured).map(([what, gas]) => [what, Number(gas).toLocaleString('en')])
writeTable('gas', ['as a transaction of its own', 'gas'], rows)
console.log(rows.map(([what, gas]) => `${gas.padStart(8)}  ${what}`).join('\n'))
