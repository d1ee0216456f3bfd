// Builds the contract artifacts that the application ships, so that it needs no compiler where it runs.
//
//   node compile.mjs [FOLDER]     FOLDER defaults to ../app/chain_artifacts
//
// Same sources, same bytes: no dates, no paths of this machine, keys in a fixed order. CI runs it and then
// `git diff --exit-code`. test/Artifacts.t.sol compares the result with what forge built and tested.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import solc from 'solc'

const HERE = dirname(fileURLToPath(import.meta.url))
const CONTRACTS = ['CarbonAnchor', 'MethodologyRegistry', 'RetirementRegistry']
const SETTINGS = {
  evmVersion: 'paris',
  metadata: { bytecodeHash: 'none' },
  optimizer: { enabled: true, runs: 200 },
  viaIR: false,
}

/** Source unit name to text: our own files as they are named, libraries from node_modules. */
const load = (name) =>
  readFileSync(join(HERE, name.startsWith('src/') ? name : join('node_modules', name)), 'utf8')

const sha256 = (text) => createHash('sha256').update(text, 'utf8').digest('hex')

const pathOf = (contract) => `src/${contract}.sol`

const compile = (contract) => {
  const sources = { [pathOf(contract)]: load(pathOf(contract)) }
  const input = {
    language: 'Solidity',
    sources: { [pathOf(contract)]: { content: sources[pathOf(contract)] } },
    settings: {
      ...SETTINGS,
      outputSelection: { [pathOf(contract)]: { [contract]: ['abi', 'evm.bytecode.object', 'evm.methodIdentifiers'] } },
    },
  }
  const remember = (name) => ({ contents: (sources[name] = load(name)) })
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: remember }))
  if (output.errors?.length) throw new Error(output.errors.map((error) => error.formattedMessage).join('\n'))
  return { sources, built: output.contracts[pathOf(contract)][contract] }
}

const sorted = (record) => Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))

const out = process.argv[2] ?? join(HERE, '..', 'app', 'chain_artifacts')
mkdirSync(out, { recursive: true })
for (const contract of CONTRACTS) {
  const { sources, built } = compile(contract)
  const artifact = {
    contract,
    compiler: { name: 'solc-js', version: solc.version(), settings: SETTINGS },
    sources: sorted(Object.fromEntries(Object.entries(sources).map(([name, text]) => [name, sha256(text)]))),
    selectors: sorted(built.evm.methodIdentifiers),
    abi: built.abi,
    bytecode: `0x${built.evm.bytecode.object}`,
  }
  writeFileSync(join(out, `${contract}.json`), `${JSON.stringify(artifact, null, 1)}\n`)
}
