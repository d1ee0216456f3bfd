/** The browser's verifier against the vectors that Python wrote and Solidity reads too. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { mutations } from './mutations.ts'
import { type Bytes, type Json, Rejected, amount, big, check, climb, isPrefix, mirrored, onChain, raw, readHeader, sha, tag } from './proof.ts'

const vectors = (name: string): Json =>
  JSON.parse(readFileSync(new URL(`../../../tests/vectors/${name}.json`, import.meta.url), 'utf8')) as Json

/** Reads bytes as the vectors write them: `0x` and hex. */
const bytes = (spelled: string): Bytes => raw(spelled.slice(2), (spelled.length - 2) / 2)
const hex = (data: Bytes | undefined): string => `0x${Buffer.from(data ?? new Uint8Array()).toString('hex')}`

const RECEIPTS = vectors('receipts')
const HEADER_LINES: string[] = RECEIPTS['headers'].map((line: Json) => JSON.stringify(line))
const TRUST = mirrored(HEADER_LINES)
const clone = <T>(value: T): T => structuredClone(value)

test('it hashes the tags and leaves of every language', async () => {
  assert.equal(hex(await tag('header')), '0xa24185a91d3f699a5721b12ee37e085555910cfa158cf6056e46165bb6aabfee')
  for (const entry of vectors('entries')['entries']) assert.equal(hex(await sha(bytes(entry.preimage))), entry.leaf)
  for (const { akey, salt, commit } of vectors('commitments')['account']) {
    assert.equal(hex(await sha(await tag('entry-account'), bytes(akey), bytes(salt))), commit)
  }
  for (const leaf of vectors('account_leaves')['leaves']) {
    const sums = leaf.sums.map((sum: string) => big(amount(sum), 8))
    const counts = [big(leaf.ver, 4), big(amount(leaf.epoch), 8), big(amount(leaf.entries), 8)]
    const parts = [Uint8Array.of(0), await tag('account-leaf'), bytes(leaf.akey), ...counts, ...sums]
    assert.equal(hex(await sha(...parts, bytes(leaf.head), bytes(leaf.salt))), leaf.leaf)
  }
})

test('it reads the published headers', async () => {
  const { origin, headers } = vectors('headers')
  for (const wanted of headers) {
    const header = await readHeader(wanted.bytes.slice(2), origin)
    assert.equal(hex(header.hash), wanted.hash)
    assert.deepEqual([header.epoch, header.logSize, header.bits], [wanted.epoch, wanted.log_size, wanted.params % 256])
    assert.deepEqual([hex(header.logRoot), hex(header.accountRoot)], [wanted.log_root, wanted.account_root])
    await assert.rejects(readHeader(wanted.bytes.slice(2), `${origin}0`), /other origin/)
    await assert.rejects(readHeader(wanted.bytes.slice(4), origin), /not 324 bytes/)
  }
})

test('it climbs every inclusion proof and no wrong one', async () => {
  for (const { index, size, leaf, path, root } of vectors('log_proofs')['inclusion']) {
    const siblings: Bytes[] = path.map(bytes)
    const [found] = await climb(index, size - 1, siblings, [bytes(leaf)])
    assert.equal(hex(found), root)
    await assert.rejects(climb(size, size - 1, siblings, [bytes(leaf)]), /no such leaf/)
    await assert.rejects(climb(index, size - 1, [...siblings, bytes(leaf)], [bytes(leaf)]), /path too long/)
    if (siblings.length > 0) {
      await assert.rejects(climb(index, size - 1, siblings.slice(1), [bytes(leaf)]), /path too short/)
    }
  }
})

test('it accepts every consistency proof and no wrong one', async () => {
  const wrong = await sha(Uint8Array.of(7))
  for (const { old, new: size, old_root, new_root, path } of vectors('log_proofs')['consistency']) {
    const siblings: Bytes[] = path.map(bytes)
    assert.equal(await isPrefix(old, size, siblings, bytes(old_root), bytes(new_root)), true, `${old} → ${size}`)
    assert.equal(await isPrefix(old, size, siblings, wrong, bytes(new_root)), false)
    if (old > 0) assert.equal(await isPrefix(old, size, siblings, bytes(old_root), wrong), false)
    for (const place of siblings.keys()) {
      assert.equal(await isPrefix(old, size, siblings.with(place, wrong), bytes(old_root), bytes(new_root)), false)
    }
  }
})

for (const { name, receipt, previous } of RECEIPTS['receipts'] as Json[]) {
  test(`it finds true: ${name}`, async () => {
    const verdict = await check(receipt, TRUST, previous)
    assert.deepEqual(verdict, {
      akey: receipt.account.akey,
      epoch: JSON.parse(HEADER_LINES.find((line) => line.includes(receipt.header)) ?? '{}').epoch,
      entries: receipt.entries.length,
    })
  })

  test(`it rejects whatever is changed, left out or added: ${name}`, async () => {
    let count = 0
    for (const [path, changed] of mutations(receipt)) {
      await assert.rejects(check(changed, TRUST, previous), Rejected, `accepted with ${path} changed`)
      count += 1
    }
    assert.ok(count >= 60, `only ${count} mutations`)
  })
}

test('it refuses a receipt that is not on the chain yet', async () => {
  const pending = clone(RECEIPTS['receipts'][0].receipt)
  pending.chain = null
  await assert.rejects(check(pending, TRUST), /^Rejected: 1 header: pending/)
})

test('it refuses a receipt whose header is not in the list, or is another one there', async () => {
  const { receipt } = RECEIPTS['receipts'][0]
  await assert.rejects(check(receipt, mirrored(HEADER_LINES.slice(1))), /the list has no epoch 1/)
  const other = [{ ...JSON.parse(HEADER_LINES[0] as string), header_hash: '00'.repeat(32) }].map((line) => JSON.stringify(line))
  await assert.rejects(check(receipt, mirrored(other)), /not the anchored header/)
})

test('it refuses an earlier receipt of another account, or one that says more', async () => {
  const { receipt, previous } = RECEIPTS['receipts'].find((one: Json) => one['previous'] !== null)
  const changes = { akey: '00'.repeat(32), ver: 9, head: '00'.repeat(32), sums: ['9999999', '0', '0', '0'] }
  for (const [field, value] of Object.entries(changes)) {
    const other = clone(previous)
    other.account[field] = value
    await assert.rejects(check(receipt, TRUST, other), /6 continuity/, field)
  }
})

test('it refuses an earlier header that was never anchored, or that is not the earlier receipt\'s', async () => {
  const { receipt, previous } = RECEIPTS['receipts'].find((one: Json) => one['previous'] !== null)
  const lines = HEADER_LINES.map((line) => {
    const row = JSON.parse(line)
    return JSON.stringify(row.header === receipt.consistency.header ? { ...row, header_hash: '00'.repeat(32) } : row)
  })
  await assert.rejects(check(receipt, mirrored(lines)), /6 continuity: the earlier header is not the anchored one/)
  const other = { ...clone(previous), header: receipt.header }
  await assert.rejects(check(receipt, TRUST, other), /6 continuity: no proof from the header/)
})

test('it asks a chain for the header and for the submission', async () => {
  const { receipt } = RECEIPTS['receipts'][0]
  const { contract, chain_id, tx, block, block_hash } = receipt.chain
  const answers: Json = {
    eth_chainId: `0x${chain_id.toString(16)}`,
    eth_getTransactionReceipt: { status: '0x1', blockHash: block_hash, blockNumber: `0x${block.toString(16)}` },
    eth_call: `0x${JSON.parse(HEADER_LINES[0] as string).header_hash}`,
  }
  const asked: unknown[] = []
  const trusting = (changes: Json) =>
    onChain(async (method, params) => {
      asked.push([method, params])
      return { ...answers, ...changes }[method]
    }, contract.toUpperCase().replace('0X', '0x'))
  assert.equal((await check(receipt, trusting({}))).epoch, 1)
  assert.deepEqual(asked[1], ['eth_getTransactionReceipt', [tx]])
  assert.match(JSON.stringify(asked[2]), /0x6b5b338d0{63}1/)
  const mined = answers['eth_getTransactionReceipt']
  for (const changes of [
    { eth_chainId: '0x1' },
    { eth_call: `0x${'00'.repeat(32)}` },
    { eth_call: '0x' },
    { eth_getTransactionReceipt: null },
    { eth_getTransactionReceipt: { ...mined, status: '0x0' } },
    { eth_getTransactionReceipt: { ...mined, blockHash: `0x${'00'.repeat(32)}` } },
    { eth_getTransactionReceipt: { ...mined, blockNumber: '0x0' } },
  ]) {
    await assert.rejects(check(receipt, trusting(changes)), /1 header/, JSON.stringify(changes))
  }
})

test('it reads bytes and amounts from their one spelling only', () => {
  for (const spelled of ['AB', 'a', 'abc', '0x', 'zz', '', ' a', 5, null]) assert.throws(() => raw(spelled, 1), String(spelled))
  for (const spelled of ['', '01', '-1', '+1', '1.0', '1e3', ' 1', '１', 1, null]) assert.throws(() => amount(spelled), String(spelled))
  for (const number of [-1, 256, 0.5, Number.NaN, 2n ** 64n]) assert.throws(() => big(number, 1), String(number))
})
