/**
 * A citizen's verifier in the browser: is this receipt true? (回执验证)
 *
 * The same six steps as `ledger/verify_receipt.py`, held to the same vectors, with nothing but the browser's own
 * SHA-256. It trusts nobody but its root of trust: a list of header hashes that came from elsewhere, or a chain that
 * it asks itself. No step asks the operator's server.
 */
/** The receipt is not true; the message begins with the step that failed. */
export class Rejected extends Error {
    name = 'Rejected';
}
const COUNTERS = 4;
const text = new TextEncoder();
export const need = (claim, otherwise) => {
    if (!claim)
        throw new Error(otherwise);
};
const join = (...parts) => {
    const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
    let end = 0;
    for (const part of parts) {
        joined.set(part, end);
        end += part.length;
    }
    return joined;
};
/** Hashes the parts, one after the other. */
export const sha = async (...parts) => new Uint8Array(await crypto.subtle.digest('SHA-256', join(...parts)));
export const utf8 = (words) => {
    need(typeof words === 'string' && words.isWellFormed(), 'not text');
    return text.encode(words);
};
/** Hashes the name of a kind of preimage. */
export const tag = (name) => sha(utf8('carbon-anchor/v1/'), utf8(name));
export const hex = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('');
export const same = (left, right) => hex(left) === hex(right);
/** Reads bytes from their one spelling: lower-case hex of the right length. */
export const raw = (spelled, size = 32) => {
    need(typeof spelled === 'string' && spelled.length === 2 * size && /^[0-9a-f]*$/.test(spelled), `not ${size} bytes in hex`);
    return Uint8Array.from({ length: size }, (_, at) => Number.parseInt(spelled.slice(2 * at, 2 * at + 2), 16));
};
/** Writes an integer big-endian; negative, too large and not an integer are refused. */
export const big = (number, size) => {
    need(typeof number === 'bigint' || Number.isSafeInteger(number), 'not a whole number');
    const digits = BigInt(number).toString(16).padStart(2 * size, '0');
    return raw(digits, size);
};
/** Reads a decimal amount from its one spelling. Amounts are strings: they outgrow a JavaScript number. */
export const amount = (spelled) => {
    need(typeof spelled === 'string' && /^(0|[1-9][0-9]*)$/.test(spelled), 'not a plain amount');
    return BigInt(spelled);
};
export const list = (value) => {
    need(Array.isArray(value), 'not a list');
    return value;
};
const amounts = (values) => {
    const sums = list(values).map(amount);
    need(sums.length === COUNTERS, 'not four sums');
    return sums;
};
/** Writes the counters: reduction credits and debits [mg], points credits and debits. */
const four = (values, size) => join(...amounts(values).map((sum) => big(sum, size)));
export const hashes = (values) => list(values).map((value) => raw(value));
const half = (number) => Math.floor(number / 2);
/** Climbs an RFC 6962 tree; right siblings are taken by the last of the start nodes only. */
export const climb = async (index, last, path, start) => {
    need(Number.isSafeInteger(index) && Number.isSafeInteger(last) && 0 <= index && index <= last, 'no such leaf');
    const nodes = [...start];
    for (const sibling of path) {
        need(last > 0, 'path too long');
        if (index % 2 === 1 || index === last) {
            for (const [at, node] of nodes.entries())
                nodes[at] = await sha(ONE, sibling, node);
            while (index > 0 && index % 2 === 0)
                [index, last] = [half(index), half(last)];
        }
        else {
            nodes.push(await sha(ONE, nodes.pop(), sibling));
        }
        ;
        [index, last] = [half(index), half(last)];
    }
    need(last === 0, 'path too short');
    return nodes;
};
const [ZERO, ONE, TWO, THREE, FOUR] = [0, 1, 2, 3, 4].map((byte) => Uint8Array.of(byte));
/** Says whether the log of `old` entries is the beginning of the log of `size`. */
export const isPrefix = async (old, size, path, oldRoot, root) => {
    if (old === 0 || old === size)
        return path.length === 0 && same(oldRoot, old === size ? root : await sha());
    const isWhole = (BigInt(old) & BigInt(old - 1)) === 0n;
    const [first, ...rest] = isWhole ? [oldRoot, ...path] : path;
    need(first, 'path too short');
    let [index, last] = [old - 1, size - 1];
    while (index % 2 === 1)
        [index, last] = [half(index), half(last)];
    const [before, after] = await climb(index, last, rest, [first, first]);
    return same(before, oldRoot) && same(after, root);
};
/** Cuts the fields out of a header of the ledger called `origin`. */
export const readHeader = async (spelled, origin) => {
    const bytes = raw(spelled, 324);
    need(same(bytes.slice(0, 32), await tag('header')), 'not a header');
    need(hex(bytes.slice(64, 67)) === '000101', 'not version 1 with SHA-256');
    need(same(bytes.slice(32, 64), await sha(utf8('carbon-anchor/v1/origin'), utf8(origin))), 'other origin');
    const whole = (offset) => {
        const number = Number(new DataView(bytes.buffer).getBigUint64(offset));
        need(Number.isSafeInteger(number), 'a number beyond reason');
        return number;
    };
    return {
        hash: await sha(bytes),
        bits: bytes[67],
        epoch: whole(68),
        logSize: whole(84),
        logRoot: bytes.slice(100, 132),
        accountRoot: bytes.slice(132, 164),
        totals: join(bytes.slice(92, 100), bytes.slice(196, 260)),
    };
};
/** Step 1: the header is the one that was anchored. */
const anchoredHeader = async (receipt, trust) => {
    need(receipt['format'] === 'tanpu-receipt/1', 'unknown format');
    for (const field of ['since', 'consistency', 'chain'])
        need(field in receipt, `no ${field}`);
    const header = await readHeader(receipt['header'], receipt['origin']);
    need(receipt['chain'] !== null, 'pending: not on the chain yet');
    need(same(await trust(header.epoch, receipt['chain']), header.hash), 'not the anchored header');
    return header;
};
/** Opens one side of an entry: the account's own by its salt, a system account by name. */
const openSide = async (side, akey) => {
    const kind = await tag('entry-account');
    if ('salt' in side)
        return { own: true, commit: await sha(kind, akey, raw(side['salt'])) };
    const system = await sha(await tag('system-account'), utf8(side['system']));
    return { own: false, commit: await sha(kind, system, new Uint8Array(32)) };
};
/** Step 2: each entry is in the log. */
const findEntries = async (receipt, header) => {
    const akey = raw(receipt['account']['akey']);
    const found = [];
    let behind = -1;
    for (const entry of list(receipt['entries'])) {
        const debit = await openSide(entry.source, akey);
        const credit = await openSide(entry.target, akey);
        need(debit.own || credit.own, 'an entry of somebody else');
        const moved = amount(entry.amount);
        const leaf = await sha(...[ZERO, await tag('journal-entry'), big(entry.code, 1), raw(entry.asset_key), big(entry.day, 4)], ...[big(entry.unit, 1), big(moved, 8), debit.commit, credit.commit, raw(entry.evidence), big(entry.ref, 8)]);
        const [root] = await climb(entry.log_index, header.logSize - 1, hashes(entry.path), [leaf]);
        need(same(root, header.logRoot), 'not in the log');
        need(entry.log_index > behind, 'entries out of order');
        behind = entry.log_index;
        // Reductions and points count; what moves between the account and its own held does not.
        const counts = debit.own !== credit.own && (entry.unit === 1 || entry.unit === 2);
        found.push({ counter: counts ? 2 * entry.unit - 2 + Number(debit.own) : -1, amount: moved, leaf });
    }
    return found;
};
/** Step 3: the entries give the account's state; returns the head after each of them. */
const replay = async (receipt, entries) => {
    const account = receipt['account'];
    const start = receipt['since'] ?? { entries: 0, sums: ['0', '0', '0', '0'], head: '00'.repeat(32) };
    four(start['sums'], 8);
    big(start['entries'], 8);
    const sums = amounts(start['sums']);
    let [count, head] = [start['entries'], raw(start['head'])];
    const heads = new Map([[count, head]]);
    for (const entry of entries) {
        if (entry.counter >= 0)
            sums[entry.counter] = sums[entry.counter] + entry.amount;
        [count, head] = [count + 1, await sha(FOUR, head, entry.leaf)];
        heads.set(count, head);
    }
    need(count === account.entries && same(head, raw(account.head)), 'another history');
    need(sums.join() === amounts(account.sums).join(), 'other counters');
    return heads;
};
const pack = (totals) => join(big(totals[0], 8), ...totals.slice(1).map((total) => big(total, 16)));
const totalsOf = (node) => {
    need(Number.isSafeInteger(node['accounts']), 'not a whole number');
    return [BigInt(node['accounts']), ...amounts(node['sums'])];
};
/** Step 4: the account is in the map, and the map's totals are the header's. */
const findAccount = async (receipt, header) => {
    const { account, cell } = receipt;
    const leaf = await sha(...[ZERO, await tag('account-leaf'), raw(account['akey']), big(account['ver'], 4), big(account['epoch'], 8)], ...[big(account['entries'], 8), four(account['sums'], 8), raw(account['head']), raw(account['salt'])]);
    const [leafRoot] = await climb(cell['leaf_index'], cell['accounts'] - 1, hashes(cell['path']), [leaf]);
    const place = join(big(cell['number'], 4), big(cell['accounts'], 4));
    let node = await sha(THREE, await tag('bucket'), place, four(cell['sums'], 16), leafRoot);
    let totals = totalsOf(cell);
    const top = list(receipt['top']);
    need(top.length === header.bits, 'path of another length');
    for (const [level, sibling] of top.entries()) {
        const mine = join(node, pack(totals));
        const others = totalsOf(sibling);
        const other = join(raw(sibling.hash), pack(others));
        const isRight = Math.floor(cell['number'] / 2 ** level) % 2 === 1;
        node = await sha(TWO, ...(isRight ? [other, mine] : [mine, other]));
        totals = totals.map((total, at) => total + others[at]);
    }
    need(same(node, header.accountRoot), 'not in the map');
    need(same(pack(totals), header.totals), "totals differ from the header's");
};
/** Step 5: the account is in the cell of its key, and not above that cell's sums. */
const belongs = (receipt, header) => {
    const { account, cell } = receipt;
    const prefix = BigInt(`0x${hex(raw(account['akey']))}`) >> BigInt(256 - header.bits);
    need(BigInt(cell['number']) === prefix, 'in another cell');
    need(noneAbove(amounts(account['sums']), amounts(cell['sums'])), 'above its cell');
    need(account['epoch'] <= header.epoch, 'changed after its epoch');
};
const noneAbove = (small, large) => small.every((value, at) => value <= large[at]);
/** Step 6: the log only grew, and the earlier receipt's history is the beginning of this one's. */
const continues = async (receipt, header, heads, trust, previous) => {
    const { account, consistency } = receipt;
    if (consistency !== null) {
        const old = await readHeader(consistency['header'], receipt['origin']);
        need(same(await trust(old.epoch, null), old.hash), 'the earlier header is not the anchored one');
        const path = hashes(consistency['path']);
        need(await isPrefix(old.logSize, header.logSize, path, old.logRoot, header.logRoot), 'the log was rewritten');
    }
    if (previous === null)
        return;
    const before = previous['account'];
    need(previous['header'] === (consistency ?? receipt)['header'], 'no proof from the header of the earlier receipt');
    need(before['akey'] === account['akey'], 'another account');
    need(before['ver'] <= account['ver'], 'an older version');
    need(noneAbove(amounts(before['sums']), amounts(account['sums'])), 'counters went back');
    const head = heads.get(before['entries']);
    need(head && same(head, raw(before['head'])), 'history was rewritten');
};
/**
 * Takes the six steps and returns what was found true.
 *
 * @throws {Rejected} A step failed; the message names it.
 */
export const check = async (receipt, trust, previous = null) => {
    let step = '1 header';
    try {
        const header = await anchoredHeader(receipt, trust);
        step = '2 entries';
        const entries = await findEntries(receipt, header);
        step = '3 history';
        const heads = await replay(receipt, entries);
        step = '4 tree';
        await findAccount(receipt, header);
        step = '5 cell';
        belongs(receipt, header);
        step = '6 continuity';
        await continues(receipt, header, heads, trust, previous);
        return { akey: receipt['account']['akey'], epoch: header.epoch, entries: entries.length };
    }
    catch (wrong) {
        throw new Rejected(`${step}: ${wrong instanceof Error ? wrong.message : String(wrong)}`, { cause: wrong });
    }
};
/** Trusts a list of anchored headers, one JSON object a line. */
export const mirrored = (lines) => {
    const rows = new Map(lines.map((line) => JSON.parse(line)).map((row) => [row['epoch'], row]));
    return (epoch, chain) => {
        const row = rows.get(epoch);
        need(row, `the list has no epoch ${epoch}`);
        need(chain === null || JSON.stringify(chain) === JSON.stringify(row['chain']), 'the list names another anchoring');
        return raw(row['header_hash']);
    };
};
/** Trusts a chain: asks the contract for `headerHashOf(uint64)`, whose selector is 6b5b338d. */
export const onChain = (call, contract) => async (epoch, chain) => {
    if (chain !== null) {
        need(chain['chain_id'] === Number(await call('eth_chainId', [])), 'another chain');
        need(chain['contract'] === contract.toLowerCase(), 'another contract');
        const mined = await call('eth_getTransactionReceipt', [chain['tx']]);
        need(mined?.status === '0x1', 'no such submission');
        need(mined.blockHash === chain['block_hash'], 'another block');
        need(Number(mined.blockNumber) === chain['block'], 'another block number');
    }
    const answer = await call('eth_call', [{ to: contract, data: `0x6b5b338d${hex(big(epoch, 32))}` }, 'latest']);
    need(typeof answer === 'string' && answer.startsWith('0x'), 'no answer');
    return raw(answer.slice(2));
};
