/** What the server hands out is what the sources here compile to: `npm run build` writes it. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const WEB = fileURLToPath(new URL('../..', import.meta.url))
const SERVED = fileURLToPath(new URL('../../../app/certificates/verifier', import.meta.url))

test('it serves what it compiles', () => {
  const made = mkdtempSync(join(tmpdir(), 'built-'))
  try {
    execFileSync(join(WEB, 'node_modules/.bin/tsc'), ['--project', 'tsconfig.build.json', '--outDir', made], { cwd: WEB })
    assert.deepEqual(readdirSync(SERVED).sort(), ['certificate.js', 'page.js', 'proof.js'])
    for (const name of readdirSync(made)) assert.equal(readFileSync(join(SERVED, name), 'utf8'), readFileSync(join(made, name), 'utf8'), name)
    assert.equal(readdirSync(made).length, 3)
  } finally {
    rmSync(made, { recursive: true })
  }
})
