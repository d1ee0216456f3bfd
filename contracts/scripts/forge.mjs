// Runs forge and ends as it ended.
//
//   node scripts/forge.mjs ARGUMENTS
//
// Foundry's npm launcher (package @foundry-rs/forge 1.7.1) swallows the exit code: failing tests ended in 0, which would
// have made every gate green. So only the platform's binary is installed, and called directly.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const machine = { x64: 'amd64', arm64: 'arm64' }[process.arch] ?? process.arch
const binary = join(ROOT, 'node_modules', '@foundry-rs', `forge-${process.platform}-${machine}`, 'bin', 'forge')

const run = spawnSync(binary, process.argv.slice(2), { cwd: ROOT, stdio: 'inherit' })
if (run.error) console.error(`forge did not start: ${run.error.message} (npm ci in contracts/ installs it)`)
process.exitCode = run.status ?? 1
