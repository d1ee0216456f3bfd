/**
 * Forgeries that hash: an operator who anchors a header over a false map or a false history.
 *
 * Every hash in them is right, so only the rules between the fields can find them. Each forgery is the honest receipt
 * of a made-up ledger with one rule broken before hashing.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bytes, type Json, big, check, raw, sha, tag } from './proof.ts'

const ORIGIN = 'forger.example/ledger/1'
const ZERO_HASH = new Uint8Array(32)
const AKEY = new Uint8Array(32).fill(0x80)
const SALT = new Uint8Array(32).fill(0x11)
const NONE = ['0', '0', '0', '0']
const byte = (value: number): Bytes => Uint8Array.of(value)
const text = (words: string): Bytes => new TextEncoder().encode(words)
const hex = (data: Bytes): string => Buffer.from(data).toString('hex')
const sums = (values: readonly string[], size: number): Bytes[] => values.map((value) => big(BigInt(value), size))

/** What the forger does; the defaults are honest. */
const HONEST = {
  bits: 1,
  levels: 1,
  number: 1,
  cellSums: ['10', '0', '0', '0'],
  totals: ['10', '0', '0', '0'],
  accountEpoch: 1,
  order: [0, 1],
  isForeign: false,
  version: [0, 1, 1],
  tag: 'header',
}

const entry = async (isForeign: boolean, day: number): Promise<{ json: Json; leaf: Bytes }> => {
  const kind = await tag('entry-account')
  const system = await sha(kind, await sha(await tag('system-account'), text('pool')), ZERO_HASH)
  const target = isForeign ? system : await sha(kind, AKEY, SALT)
  const leaf = await sha(
    ...[byte(0), await tag('journal-entry'), byte(1), ZERO_HASH, big(day, 4), byte(1), big(5, 8)],
    ...[system, target, ZERO_HASH, big(0, 8)],
  )
  const [source, zero] = [{ system: 'pool' }, hex(ZERO_HASH)]
  const json = { code: 1, asset_key: zero, day, unit: 1, amount: '5', source, evidence: zero, ref: 0 }
  return { json: { ...json, target: isForeign ? source : { salt: hex(SALT) } }, leaf }
}

const emptyCell = async (number: number): Promise<Bytes> =>
  sha(byte(3), await tag('bucket'), big(number, 4), big(0, 4), ...sums(NONE, 16), await sha())

const forged = async (changes: Partial<typeof HONEST>): Promise<{ receipt: Json; hash: Bytes }> => {
  const plan = { ...HONEST, ...changes }
  const made = [await entry(plan.isForeign, 0), await entry(plan.isForeign, 1)]
  const [first, second] = made.map(({ leaf }) => leaf) as [Bytes, Bytes]
  const entries = plan.order.map((at) => ({ ...made[at]?.json, log_index: at, path: [hex(at === 0 ? second : first)] }))
  let head: Bytes = ZERO_HASH
  for (const at of plan.order) head = await sha(byte(4), head, made[at]?.leaf as Bytes)
  const own = [plan.isForeign ? '0' : '10', '0', '0', '0']

  const state = [AKEY, big(1, 4), big(plan.accountEpoch, 8), big(2, 8), ...sums(own, 8), head, SALT]
  const leaf = await sha(byte(0), await tag('account-leaf'), ...state)
  let node = await sha(byte(3), await tag('bucket'), big(plan.number, 4), big(1, 4), ...sums(plan.cellSums, 16), leaf)
  const top: Json[] = []
  for (let level = 0; level < plan.levels; level += 1) {
    const sibling = await emptyCell(plan.number ^ 1)
    const mine = [node, big(1, 8), ...sums(plan.cellSums, 16)]
    const other = [sibling, big(0, 8), ...sums(NONE, 16)]
    node = await sha(byte(2), ...((plan.number >> level) % 2 === 1 ? [...other, ...mine] : [...mine, ...other]))
    top.push({ hash: hex(sibling), accounts: 0, sums: NONE })
  }

  const header = Buffer.concat([
    ...[await tag(plan.tag), await sha(text('carbon-anchor/v1/origin'), text(ORIGIN)), byte(plan.version[0] as number)],
    ...[byte(plan.version[1] as number), byte(plan.version[2] as number), byte(plan.bits)],
    ...[big(1, 8), big(1, 8), big(2, 8), big(1, 8), await sha(byte(1), first, second), node, ZERO_HASH],
    ...[...sums(plan.totals, 16), ZERO_HASH, ZERO_HASH],
  ])
  const account = { akey: hex(AKEY), ver: 1, epoch: plan.accountEpoch, entries: 2, sums: own, head: hex(head), salt: hex(SALT) }
  const cell = { number: plan.number, accounts: 1, sums: plan.cellSums, leaf_index: 0, path: [] }
  const receipt = { format: 'tanpu-receipt/1', origin: ORIGIN, header: hex(raw(header.toString('hex'), 324)), account, cell, top }
  return { receipt: { ...receipt, entries, since: null, consistency: null, chain: {} }, hash: await sha(new Uint8Array(header)) }
}

test('it finds true what the forger makes honestly, so that only the broken rule tells', async () => {
  const { receipt, hash } = await forged({})
  assert.deepEqual(await check(receipt, () => hash), { akey: hex(AKEY), epoch: 1, entries: 2 })
})

const FORGERIES: readonly [string, Partial<typeof HONEST>, RegExp][] = [
  ['a header of another version', { version: [0, 2, 1] }, /1 header: not version 1/],
  ['a header hashed by another suite', { version: [0, 1, 2] }, /1 header: not version 1/],
  ['other bytes than a header', { tag: 'bucket' }, /1 header: not a header/],
  ['an entry that is not of the account', { isForeign: true }, /2 entries: an entry of somebody else/],
  ['a history told in another order', { order: [1, 0] }, /2 entries: entries out of order/],
  ['one entry told twice', { order: [0, 0] }, /2 entries: entries out of order/],
  ['a map deeper than the header says', { levels: 2 }, /4 tree: path of another length/],
  ['totals that are not the map’s', { totals: ['11', '0', '0', '0'] }, /4 tree: totals differ/],
  ['an account in a cell that is not its own', { number: 0 }, /5 cell: in another cell/],
  ['a cell below its account', { cellSums: ['9', '0', '0', '0'], totals: ['9', '0', '0', '0'] }, /5 cell: above its cell/],
  ['an account from the future', { accountEpoch: 2 }, /5 cell: changed after its epoch/],
]

for (const [name, changes, reason] of FORGERIES) {
  test(`it rejects ${name}`, async () => {
    const { receipt, hash } = await forged(changes)
    await assert.rejects(check(receipt, () => hash), reason)
  })
}
