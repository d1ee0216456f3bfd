#!/usr/bin/env node
// The compiler that forge and slither call as `solc`: npm's solc-js behind the two calls that they make.
import { readFileSync } from 'node:fs'
import solc from 'solc'

const read = (path) => ({ contents: readFileSync(path, 'utf8') })

if (process.argv.includes('--version')) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`)
} else {
  console.log(solc.compile(readFileSync(0, 'utf8'), { import: read }))
}
