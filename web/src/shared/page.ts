/** The form on a certificate's page: fetches the proof and checks it here, against a list of headers of the reader's choice. */
import { checkCertificate, inWords, signedBy } from './certificate.ts'
import { type Json, mirrored } from './proof.ts'

const fetched = async (path: string): Promise<Response> => {
  const answer = await fetch(path, { cache: 'no-store' })
  if (!answer.ok) throw new Error(`${answer.status} ${path}`)
  return answer
}

const json = async (path: string): Promise<Json> => (await fetched(path)).json() as Promise<Json>

const verified = async (name: string, chosen: File | undefined): Promise<string> => {
  const own = `/v1/public/certificates/${name}`
  const [document, status, { key }] = await Promise.all([json(`${own}.json`), json(`${own}/status`), json('/v1/public/receipt-key')] as const)
  const lines = await (chosen ?? (await fetched('/v1/public/headers.jsonl'))).text()
  const verify = await signedBy(Uint8Array.from(atob(key), (letter) => letter.charCodeAt(0)))
  const found = await checkCertificate(document, mirrored(lines.trim().split('\n')), status, verify)
  const trusted = chosen?.name ?? '本服务器的期头清单，可换用他处所得 the list of this server; choose one from elsewhere'
  return `${inWords(found)}\n信任根 Trusting: ${trusted}`
}

const form = document.querySelector<HTMLFormElement>('form#verify')
const output = form?.querySelector('output')
if (form && output) {
  form.hidden = false
  form.addEventListener('submit', (submitted) => {
    submitted.preventDefault()
    output.textContent = '…'
    verified(form.dataset['certificate'] ?? '', form.querySelector('input')?.files?.[0]).then(
      (words) => (output.textContent = words),
      (wrong: unknown) => (output.textContent = `不实或无法查验 Not verified: ${String(wrong)}`),
    )
  })
}
