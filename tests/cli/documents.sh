#!/bin/sh
# SPDX-License-Identifier: MIT
# `files`: order, offsets into the original bytes, kinds, and failures that stay alone.
. "$(dirname "$0")/lib.sh"
start_emulator

mkdir -p docs/b docs/.hidden
printf '\357\273\277# Ships\r\n\r\nOf **ships** and caf\145\314\201.\r\n' >docs/a.md
printf 'one\n' >docs/b/c.txt
printf 'x' >docs/b.txt
printf '<p>wax &amp; kings</p>' >docs/page.html
printf 'hidden' >docs/.hidden/x.txt
printf 'GIF89a' >docs/p.gif
expect 0 "$EMBED" files docs -e none
cut -d, -f1 out | tr '\n' ' ' | grep -q \
	'{"id":"docs/a.md#0" {"id":"docs/b/c.txt#0" {"id":"docs/b.txt#0" {"id":"docs/page.html#0" $' ||
	fail "folders are walked in order of names: $(cat out)"
says err '1 file of no known kind was left out'
says out '"text":"wax & kings'
# light cleaning: no mark, line feeds, composed accents; the offsets are the file's
says out '"start":3,"end":40,"tokens":[0-9]*,"text":"# Ships\\n\\nOf \*\*ships\*\* and caf'
expect 0 "$EMBED" files docs/a.md -e none --clean none
says out 'Ships\\r\\n'

# slices of the original, put together, are the original
awk 'BEGIN { for (i = 0; i < 400; i++) printf "Sentence %d is about sealing wax. ", i; print "" }' >long.txt
expect 0 "$EMBED" files long.txt -e none --size 100
[ "$(wc -l <out)" -gt 20 ] || fail "a long text is cut"
sed 's/.*"start":\([0-9]*\),"end":\([0-9]*\).*/\1 \2/' out | awk '
	NR > 1 && $1 != last { exit 1 } { last = $2 } NR == 1 && $1 != 0 { exit 1 }' ||
	fail "chunks follow one another"

awk 'BEGIN { for (i = 0; i < 40; i++) print i % 20 < 10 ? "Ships sail on the sea. " : "Wax seals the letter. " }' >two.txt
expect 0 "$EMBED" files two.txt -e none --strategy semantic --size 80
[ "$(wc -l <out)" -gt 3 ] || fail "semantic chunks keep to the size"

printf '%%PDF-1.4 nothing' >bad.pdf
expect 1 env PATH=/nowhere "$EMBED" files bad.pdf long.txt -e none --size 100
head -n 1 out >first
says first '{"id":"bad.pdf","source":"bad.pdf","error":{"code":"not_found","message":"bad.pdf needs pdftotext'
[ "$(wc -l <out)" -gt 20 ] || fail "the other document is whole"
expect 2 "$EMBED" files long.txt --size 10 --overlap 10
says err 'overlap'
expect 2 "$EMBED" files

# The store knows texts as they were sent: what light cleaning makes equal is paid for once, and not with --clean none.
printf 'caf\303\251\nby the sea' >clean.txt
printf '\357\273\277cafe\314\201\r\nby the sea' >unclean.txt
expect 0 "$EMBED" files clean.txt
sent=$(stat texts)
expect 0 "$EMBED" files unclean.txt
[ "$(stat texts)" = "$sent" ] || fail "texts that cleaning makes equal share a vector"
expect 0 "$EMBED" files unclean.txt --clean none
[ "$(stat texts)" = $((sent + 1)) ] || fail "without cleaning it is another text"
