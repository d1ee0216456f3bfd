// The gas table of docs/contracts.md, held to the figures that test/Gas.t.sol measured in the last `forge test`.
//
//   npm run gas          measures, compares        (npm test compares too)
//   npm run gas:write    measures, writes the table
import { readFileSync } from 'node:fs'
import { keepTable } from './table.mjs'

const measured = JSON.parse(readFileSync(new URL('../snapshots/Gas.json', import.meta.url), 'utf8'))
const rows = Object.entries(measured).map(([what, gas]) => [what, Number(gas).toLocaleString('en')])
try {
  keepTable('gas', ['as a transaction of its own', 'gas'], rows)
  console.log(rows.map(([what, gas]) => `${gas.padStart(8)}  ${what}`).join('\n'))
} catch (error) {
  console.error(error.message)
  process.exitCode = 1
}
