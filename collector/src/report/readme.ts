import { PACK_FILES } from '@bevis/shared/verify/pack'
import type { Pack } from '@bevis/shared/verify/pack'

/**
 * What a pack says to whoever unpacks it, with a check of one statement that needs nothing of ours: POSIX sh and
 * openssl 3. Each line that begins with "  $ " is a command to type; a test types them.
 * @param leaf the leaf that the example checks
 */
export function formatReadme(
  pack: Pick<Pack, 'contract' | 'period' | 'filter' | 'verdict' | 'log' | 'madeAt'>,
  leaf: number,
): string {
  const { contract, period, filter, verdict, log, madeAt } = pack
  const asked =
    filter === undefined
      ? ''
      : `Clauses    ${filter.clauses.join(', ')}: what may support them is marked in ${PACK_FILES.table}\n`
  return `Evidence pack
=============

Contract   ${contract.id}, ${contract.customer}
Period     ${period.from} to ${period.to}
${asked}Verdict    at ${verdict.at}, from what was received by ${verdict.knownAt}
Log        ${log.origin}, ${log.size} leaves
Made       ${madeAt}

This pack holds what the agents on the customer's servers saw and signed: backups, inventories of the
repository, restore tests. Each statement lies in an append-only log, with a proof of its place. The
verdict in ${PACK_FILES.verdict} can be computed again from the statements and the contract.

What is in it
-------------

${PACK_FILES.description}                this pack: contract, period, counts, and the SHA-256 of every other file
${PACK_FILES.seal}         finds damage to ${PACK_FILES.description}; it is no signature
contract/                the contract's texts; the last one is in force for the verdict
${PACK_FILES.evidence}    one signed statement a line (DSSE around in-toto Statement v1), in log order
${PACK_FILES.index}              one line per signature: its leaf in the log, its digests, when it was received
proofs/N.tlog-proof      that leaf N is in the log (C2SP tlog-proof, RFC 6962)
proofs/consistency-*     that heads of the log which agents had seen are beginnings of this log
                         (the body of C2SP tlog-witness add-checkpoint)
checkpoints/             the log's signed head (C2SP tlog-checkpoint)
checkpoints/*.tsr        stamps of outside clocks over heads (RFC 3161), whose roots are in ${PACK_FILES.tsaChain}
cosigned/                heads of the log that others have seen and cosigned (C2SP tlog-cosignature)
${PACK_FILES.report}               the same for reading
${PACK_FILES.page}              the verifier as a page; use a copy that did not come with the pack
keys/                    the keys of the agents, of their invitations, and of the log
${PACK_FILES.verdict}             the contract's verdict
${PACK_FILES.table}             the statements as a table; in_period marks those dated in the period.
                         The others are here because chains are checked from their beginning.

Check everything
----------------

  bevis-verify PACK.zip --trust trust.yaml

Take bevis-verify from its public source, and the keys in trust.yaml from the papers of your enrolment:
neither from this pack, nor from whoever sent it.

Check one statement with nothing of ours
----------------------------------------

You need a POSIX shell and openssl 3. Unpack the zip into an empty folder and go there.
First, that ${PACK_FILES.description} was not damaged on the way (it has the SHA-256 of every other file):

  $ sha256sum -c ${PACK_FILES.seal}

Then take the script at the end of this file, read it, and let it check a leaf, here number ${leaf}:

  $ sed -n '/^#!\\/bin\\/sh$/,/^# end of check.sh$/p' README.txt > check.sh
  $ sh check.sh ${leaf}

It prints the key of the agent and of the log that it went by. Compare both with your own papers: a pack
can only show that it agrees with itself.

What it does not prove
----------------------

When things happened, but for what stamps tell: the times are the agents' and the collector's claims. That no newer statements exist.
That the agent's machine was in good hands.

The script
----------

${CHECK_SCRIPT}`
}

/** RFC 9162, section 2.1.3.2, and DSSE's PAE, in POSIX sh. */
const CHECK_SCRIPT = String.raw`#!/bin/sh
# check.sh LEAF: one signature over one statement, its place in the log, and the log's signed head.
set -euf
export LC_ALL=C
leaf=$1
die() { echo "REFUSED: $*" >&2; exit 1; }
# What the pack says becomes part of a command only if it looks as it must.
number() { case $2 in '' | *[!0-9]* | 0?*) die "$1 is no number" ;; esac; }
number "the leaf" "$leaf"
w=$(mktemp -d)
trap 'rm -rf "$w"' EXIT
unbase64() { openssl base64 -d -A; }
sha() { openssl dgst -sha256 -binary; }
shahex() { openssl dgst -sha256 -r | cut -d' ' -f1; }

# The statement: its line in evidence.intoto.jsonl is its number among the statements of the index.
line=$(grep "^{\"index\":$leaf," index.jsonl) || die "leaf $leaf is not in the index"
field() { printf '%s\n' "$line" | sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
keyid=$(field keyid)
case $keyid in *[!0-9a-f]*) die "the index names no key by its digest" ;; esac
[ "$(printf %s "$keyid" | wc -c)" -eq 64 ] || die "the index names no key by its digest"
nth=$(sed "/^{\"index\":$leaf,/q" index.jsonl | sed 's/.*"pae":"\([0-9a-f]*\)".*/\1/' | uniq | wc -l)
sed -n "$((nth))p" evidence.intoto.jsonl > "$w/envelope"
sed 's/.*"payload":"\([^"]*\)".*/\1/' "$w/envelope" | tr -d '\n' | unbase64 > "$w/body"
sed "s/.*\"keyid\":\"$keyid\",\"sig\":\"\([^\"]*\)\".*/\1/" "$w/envelope" | tr -d '\n' | unbase64 > "$w/sig"

# The signature: Ed25519 over DSSE's pre-authentication encoding.
key="keys/$keyid.pem"
openssl pkey -pubin -in "$key" -outform DER > "$w/spki" || die "$key cannot be read"
[ "$(shahex < "$w/spki")" = "$keyid" ] || die "$key is another key than its name says"
{ printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c < "$w/body")"; cat "$w/body"; } > "$w/pae"
[ "$(shahex < "$w/pae")" = "$(field pae)" ] || die "the statement is not the one that the index names"
[ "$(shahex < "$w/sig")" = "$(field signature)" ] || die "the signature is not the one that the index names"
openssl pkeyutl -verify -pubin -inkey "$key" -rawin -in "$w/pae" -sigfile "$w/sig" > "$w/out" 2>&1 ||
  die "the signature does not fit the statement"

# The place in the log: from the leaf's hash up to the root of the tree.
proof="proofs/$leaf.tlog-proof"
[ "$(sed -n 1p "$proof")" = 'c2sp.org/tlog-proof@v1' ] || die "$proof is no proof"
[ "$(sed -n 2p "$proof")" = "index $leaf" ] || die "$proof is of another leaf"
sed '1,/^$/d' "$proof" > "$w/note"
size=$(sed -n 2p "$w/note")
number "the head's size" "$size"
cmp -s "$w/note" "checkpoints/$size.txt" || die "the proof leads to another head than the pack's"
{ printf '\000evidence-leaf/v1\n'; sha < "$w/pae"; sha < "$w/sig"; sha < "$w/spki"; } | sha > "$w/hash"
fn=$leaf
sn=$((size - 1))
[ "$fn" -le "$sn" ] || die "the leaf lies beyond the head"
for sibling in $(sed -n '3,/^$/p' "$proof"); do
  printf %s "$sibling" | unbase64 > "$w/sibling"
  [ "$(wc -c < "$w/sibling")" -eq 32 ] || die "a hash of the proof has not 32 bytes"
  [ "$sn" -gt 0 ] || die "the proof is too long"
  if [ $((fn & 1)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
    { printf '\001'; cat "$w/sibling" "$w/hash"; } | sha > "$w/next"
    while [ $((fn & 1)) -eq 0 ] && [ "$fn" -gt 0 ]; do fn=$((fn >> 1)); sn=$((sn >> 1)); done
  else
    { printf '\001'; cat "$w/hash" "$w/sibling"; } | sha > "$w/next"
  fi
  mv "$w/next" "$w/hash"
  fn=$((fn >> 1))
  sn=$((sn >> 1))
done
[ "$sn" -eq 0 ] || die "the proof is too short"
[ "$(openssl base64 -A < "$w/hash")" = "$(sed -n 3p "$w/note")" ] || die "the proof does not lead to the root"

# The head: signed by the log's key.
vkey=$(sed -n 1p keys/log.vkey)
case $vkey in *[!A-Za-z0-9+/=._-]*) die "keys/log.vkey is no verification key" ;; esac
{ printf '\060\052\060\005\006\003\053\145\160\003\041\000'
  printf '%s\n' "$vkey" | sed 's/^[^+]*+[0-9a-f]*+//' | tr -d '\n' | unbase64 | tail -c 32
} | openssl pkey -pubin -inform DER -out "$w/log.pem" || die "keys/log.vkey cannot be read"
sed -n 1,3p "$w/note" > "$w/text"
[ "$(sed -n 1p "$w/note")" = "$(printf '%s\n' "$vkey" | sed 's/+.*//')" ] || die "the head is of another log"
sed -n '5s/^.* //p' "$w/note" | tr -d '\n' | unbase64 | tail -c 64 > "$w/headsig"
openssl pkeyutl -verify -pubin -inkey "$w/log.pem" -rawin -in "$w/text" -sigfile "$w/headsig" > "$w/out" 2>&1 ||
  die "the head is not signed by the log's key"

echo "leaf $leaf of $size: signature, place in the log and signed head hold"
echo "signed by $keyid"
echo "log $vkey"
tr -d '\000-\037\177' < "$w/body" # no statement has these, and a terminal would obey them
echo
# end of check.sh
`
