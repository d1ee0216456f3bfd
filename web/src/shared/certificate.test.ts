/** The browser's verifier of certificates, against the vectors that Python wrote. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { canonical, checkCertificate, claimCommit, inWords, signedBy, textCommit } from './certificate.ts'
import { mutations } from './mutations.ts'
import { type Bytes, type Json, Rejected, hex, mirrored, raw } from './proof.ts'

const VECTORS: Json = JSON.parse(readFileSync(new URL('../../../tests/vectors/certificates.json', import.meta.url), 'utf8'))
const TRUST = mirrored(VECTORS['headers'].map((line: Json) => JSON.stringify(line)))
const KEY: Bytes = new Uint8Array(Buffer.from(VECTORS['key'], 'base64'))
const verify = await signedBy(KEY)
const CASES: { name: string; certificate: Json; beneficiary: string }[] = VECTORS['certificates']
const named = (part: string): Json => {
  const found = CASES.find(({ name }) => name.includes(part))
  assert.ok(found)
  return found.certificate
}
const bytes = (spelled: string): Bytes => raw(spelled.slice(2))

test('it writes and commits to claims and texts as Python does', async () => {
  for (const { claim, canonical: written, salt, commit } of VECTORS['claims']) {
    assert.equal(canonical(claim), written)
    assert.equal(`0x${hex(await claimCommit(bytes(salt), claim))}`, commit)
  }
  for (const { name, salt, text, commit } of VECTORS['texts']) {
    assert.equal(`0x${hex(await textCommit(name, bytes(salt), text))}`, commit)
  }
})

for (const { name, certificate, beneficiary } of CASES) {
  test(`it finds true: ${name}`, async () => {
    const found = await checkCertificate(certificate, TRUST, null, verify)
    const shown = found.beneficiary === null ? `pseudonym ${found.pseudonym}` : JSON.stringify(found.beneficiary)
    assert.equal(shown, beneficiary)
    assert.equal(found.isSigned, certificate['status'] !== null)
  })

  test(`it rejects whatever is changed, left out or added: ${name}`, async () => {
    let count = 0
    for (const [path, changed] of mutations(certificate)) {
      await assert.rejects(checkCertificate(changed, TRUST, null, verify), Rejected, `accepted with ${path} changed`)
      count += 1
    }
    assert.ok(count >= 60, `only ${count} mutations`)
  })
}

test('it rejects what has one field more', async () => {
  for (const path of [[], ['claim'], ['claim', 'parts', 0], ['parts', 0], ['parts', 0, 'asset'], ['openings'], ['status']]) {
    const changed = structuredClone(named('two classes'))
    path.reduce((inner: any, key) => inner[key], changed).more = 1
    await assert.rejects(checkCertificate(changed, TRUST, null, verify), Rejected, path.join('.'))
  }
})

test('it says first what was taken back, and what it cannot know', async () => {
  const reduced = inWords(await checkCertificate(named('two classes'), TRUST, null, verify))
  assert.match(reduced, /^已核减 REDUCED: 250000 \/ 950000 mg\n属实 True: can_/)
  const units = named('units')
  assert.match(inWords(await checkCertificate(units, TRUST)), /No status: ask for corrections since\.$/)
  const revoked = await checkCertificate(units, TRUST, VECTORS['revoked'], verify)
  assert.match(inWords(revoked), /^已失效 REVOKED: 0 \/ 30 kg\n/)
  assert.match(inWords(await checkCertificate(units, TRUST, VECTORS['revoked'])), /signature not checked/)
})

test('it believes no status of another certificate or another key', async () => {
  await assert.rejects(checkCertificate(named('two classes'), TRUST, VECTORS['revoked'], verify), /5 status: of another certificate/)
  const other = await signedBy(raw('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'))
  await assert.rejects(checkCertificate(named('two classes'), TRUST, null, other), /5 status: not signed by this key/)
})

test('it leaves a withdrawn name a pseudonym, and the rest as true', async () => {
  const withdrawn = structuredClone(named('two classes'))
  withdrawn['openings'].beneficiary = null
  const found = await checkCertificate(withdrawn, TRUST, null, verify)
  assert.deepEqual([found.beneficiary, found.pseudonym], [null, withdrawn['claim'].beneficiary_commit.slice(0, 8)])
})
