/**
 * A certificate's verifier in the browser: is it true? (证书验证)
 *
 * The same five steps as `ledger/verify_certificate.py`, held to the same vectors. It trusts nobody but its root of
 * trust; what happened after the certificate was made no file can tell, so a status has its date and its signature.
 */
import { type Bytes, type Json, Rejected, type Trust, amount, big, climb, hashes, list, need, raw, readHeader, same, sha, tag, utf8 } from './proof.ts'

/** (signature, signed bytes) to whether the operator's key made the one under the other. */
export type Verify = (signature: Bytes, signed: Bytes) => boolean | Promise<boolean>

/** What a true certificate shows. */
export interface Verdict {
  readonly subject: string
  /** The name where it is shown. */
  readonly beneficiary: string | null
  /** What stands for a name that is not shown. */
  readonly pseudonym: string
  readonly unit: string
  readonly amount: bigint
  readonly epoch: number
  /** As the operator said on `asOf`; null where no status was given. */
  readonly remaining: bigint | null
  readonly asOf: string | null
  /** Whether the status's signature was checked. */
  readonly isSigned: boolean
}

const DOCUMENT = ['format', 'status', 'origin', 'header', 'chain', 'claim', 'parts', 'openings']
const TEXTS = ['beneficiary', 'holder', 'message']
const CLAIM = ['v', 'kind', 'subject', 'unit', 'parts', 'purpose', 'period', 'day', ...TEXTS.map((name) => `${name}_commit`)]
const STATUS = ['state', 'certificate', 'amount', 'remaining', 'as_of', 'signature']
const PURPOSES = [1, 2, 3, 6, 7, 8]
/** By kind: unit of amounts, how its subject is called, code and unit of its entries, the account they go to. */
const KINDS: Record<string, readonly [string, string, number, number, string]> = {
  reduction: ['mg', 'can_', 12, 1, 'cancelled'],
  unit: ['kg', 'ret_', 17, 3, 'retired'],
}
const ZERO = Uint8Array.of(0)

/** Reads an object that has these names and no more. */
const only = (node: unknown, names: readonly string[]): Json => {
  need(typeof node === 'object' && node !== null && !Array.isArray(node), 'not an object')
  need(Object.keys(node).sort().join() === [...names].sort().join(), `not exactly ${names.join(', ')}`)
  return node
}

/** Writes JSON in its one form: names sorted, no white space. */
export const canonical = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const named = value as Json
  return `{${Object.keys(named).sort().map((name) => `${JSON.stringify(name)}:${canonical(named[name])}`).join(',')}}`
}

/** Commits to one of the texts of a claim. */
export const textCommit = async (name: string, salt: Bytes, words: unknown): Promise<Bytes> =>
  sha(await tag('certificate-text'), salt, await sha(utf8(name)), await sha(utf8(words)))

/** Commits to a claim: the evidence of one of its transfers. */
export const claimCommit = async (salt: Bytes, claim: Json): Promise<Bytes> =>
  sha(await tag('certificate-claim'), salt, await sha(utf8(canonical(claim))))

const kindOf = (claim: Json): readonly [string, string, number, number, string] => {
  const kind = typeof claim['kind'] === 'string' && Object.hasOwn(KINDS, claim['kind']) ? KINDS[claim['kind']] : undefined
  need(kind, 'unknown kind')
  return kind
}

/** Step 2: the claim says one thing, in the documented words; returns what it adds up to. */
const readClaim = (document: Json): bigint => {
  const claim = only(document['claim'], CLAIM)
  const [unit, prefix] = kindOf(claim)
  need(claim['v'] === 1, 'unknown version')
  need(claim['unit'] === unit, 'another unit')
  need(PURPOSES.includes(claim['purpose']), 'unknown purpose')
  need(claim['period'] === null || utf8(claim['period']).length > 0, 'no period')
  need(utf8(claim['subject']).length > 0 && claim['subject'].startsWith(prefix), 'another subject')
  for (const name of TEXTS) raw(claim[`${name}_commit`])
  const parts = list(claim['parts'])
  need(parts.length > 0 && parts.length === list(document['parts']).length, 'parts are missing')
  return parts.reduce((sum: bigint, each) => {
    const part = only(each, ['asset', 'amount', 'serials'])
    need(amount(part['amount']) > 0n, 'an amount of nothing')
    need(unit === 'kg' ? utf8(part['serials']).length > 0 : part['serials'] === null, 'other serials')
    return sum + amount(part['amount'])
  }, 0n)
}

/** Hashes the class that is named in words; `ledger/assets.py` has the layout. */
const assetKey = async (asset: Json): Promise<Bytes> => {
  if ('batch' in asset) {
    const batch = await sha(await tag('batch'), utf8(only(asset, ['batch'])['batch']))
    return sha(await tag('asset'), Uint8Array.of(3), batch)
  }
  only(asset, ['methodology', 'version', 'scenario', 'grade', 'vintage'])
  need(asset['grade'] === 'A' || asset['grade'] === 'B', 'unknown grade')
  return sha(
    ...[await tag('asset'), Uint8Array.of(1), await sha(await tag('methodology'), utf8(asset['methodology']), ZERO, big(asset['version'], 4))],
    ...[await sha(await tag('scenario'), utf8(asset['scenario'])), utf8(asset['grade']), big(amount(asset['vintage']), 4)],
  )
}

/** Step 3: each transfer is in the log, gives up what the claim says, and carries the claim. */
const findParts = async (document: Json, logSize: number, logRoot: Bytes): Promise<void> => {
  const claim: Json = document['claim']
  const [, , code, unit, target] = kindOf(claim)
  const system = await sha(await tag('system-account'), utf8(target))
  const credit = await sha(await tag('entry-account'), system, new Uint8Array(32))
  const seen = new Set<number>()
  for (const [place, each] of list(document['parts']).entries()) {
    const part = only(each, ['asset', 'salt', 'log_index', 'debit', 'path'])
    const said: Json = claim['parts'][place]
    const key = raw(said['asset'])
    need(same(await assetKey(part['asset']), key), 'another class of assets')
    const evidence = await claimCommit(raw(part['salt']), claim)
    const leaf = await sha(
      ...[ZERO, await tag('journal-entry'), big(code, 1), key, big(claim['day'], 4), big(unit, 1)],
      ...[big(amount(said['amount']), 8), raw(part['debit']), credit, evidence, big(0, 8)],
    )
    const [root] = await climb(part['log_index'], logSize - 1, hashes(part['path']), [leaf])
    need(same(root as Bytes, logRoot), 'not in the log')
    need(!seen.has(part['log_index']), 'one entry counted twice')
    seen.add(part['log_index'])
  }
}

/** Step 4: what is shown is what the claim commits to; returns the beneficiary. */
const openTexts = async (document: Json): Promise<string | null> => {
  const openings = only(document['openings'], TEXTS)
  for (const name of TEXTS) {
    if (openings[name] === null) continue
    const opening = only(openings[name], ['salt', 'text'])
    const commit = await textCommit(name, raw(opening['salt']), opening['text'])
    need(same(commit, raw(document['claim'][`${name}_commit`])), `another ${name}`)
  }
  return openings['beneficiary']?.text || null
}

/** Step 5: what the operator says is left fits the claim; returns it. */
const readStatus = async (given: unknown, subject: string, total: bigint, verify: Verify | null): Promise<bigint> => {
  const status = only(given, STATUS)
  need(status['certificate'] === `cert_${subject.slice(subject.indexOf('_') + 1)}`, 'of another certificate')
  need(amount(status['amount']) === total, 'of another amount')
  const remaining = amount(status['remaining'])
  need(remaining <= total, 'more is left than there was')
  need(status['state'] === (remaining === total ? 'valid' : remaining > 0n ? 'reduced' : 'revoked'), 'it contradicts itself')
  need(utf8(status['as_of']).length > 0, 'no date')
  if (verify !== null) {
    const { signature, ...said } = status
    need(await verify(raw(signature, 64), utf8(canonical(said))), 'not signed by this key')
  }
  return remaining
}

/**
 * Takes the five steps and returns what was found true; `fresh` is a status newer than the certificate's own.
 *
 * @throws {Rejected} A step failed; the message names it.
 */
export const checkCertificate = async (
  document: Json,
  trust: Trust,
  fresh: Json | null = null,
  verify: Verify | null = null,
): Promise<Verdict> => {
  let step = '1 header'
  try {
    need(only(document, DOCUMENT)['format'] === 'tanpu-certificate/1', 'unknown format')
    const header = await readHeader(document['header'], document['origin'])
    need(document['chain'] !== null, 'pending: not on the chain yet')
    need(same(await trust(header.epoch, document['chain']), header.hash), 'not the anchored header')
    step = '2 claim'
    const total = readClaim(document)
    step = '3 parts'
    await findParts(document, header.logSize, header.logRoot)
    step = '4 openings'
    const beneficiary = await openTexts(document)
    step = '5 status'
    const { subject, unit, beneficiary_commit: commit } = document['claim']
    const told = [document['status'], fresh].filter((each) => each !== null)
    let [remaining, asOf]: [bigint | null, string | null] = [null, null]
    for (const each of told) {
      const left = await readStatus(each, subject, total, verify)
      if (remaining === null || left < remaining) [remaining, asOf] = [left, each.as_of]
    }
    const isSigned = told.length > 0 && verify !== null
    return { subject, beneficiary, pseudonym: commit.slice(0, 8), unit, amount: total, epoch: header.epoch, remaining, asOf, isSigned }
  } catch (wrong) {
    throw new Rejected(`${step}: ${wrong instanceof Error ? wrong.message : String(wrong)}`, { cause: wrong })
  }
}

/** Checks signatures of an Ed25519 key of 32 bytes. */
export const signedBy = async (key: Bytes): Promise<Verify> => {
  const imported = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify'])
  return (signature, signed) => crypto.subtle.verify('Ed25519', imported, signature, signed)
}

/** Says a verdict in one line, what was taken back first. */
export const inWords = (found: Verdict): string => {
  const isWhole = found.remaining === null || found.remaining === found.amount
  const lost = isWhole ? '' : `${found.remaining ? '已核减 REDUCED' : '已失效 REVOKED'}: ${found.remaining} / ${found.amount} ${found.unit}\n`
  const told =
    found.asOf === null
      ? '未附状态，须另行查询更正。No status: ask for corrections since.'
      : `状态截至 Status of ${found.asOf}${found.isSigned ? '，签名有效 signed' : '，签名未查验 signature not checked'}；此后更正无从离线得知。Later corrections are not known here.`
  const name = found.beneficiary ?? `化名 pseudonym ${found.pseudonym}`
  return `${lost}属实 True: ${found.subject}, ${found.amount} ${found.unit}, ${name}, 期 epoch ${found.epoch}\n${told}`
}
