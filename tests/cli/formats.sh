#!/bin/sh
# SPDX-License-Identifier: MIT
# Formats of `chunk` and `files`: PDF, DOCX, EPUB, ODT and RTF through the real converters, where they are installed.
. "$(dirname "$0")/lib.sh"

# make_pdf LINE...: a page with these lines, as little PDF as there can be.
make_pdf() {
	content="BT /F1 12 Tf 20 750 Td 14 TL"
	for line in "$@"; do content="$content ($line) ' "; done
	content="$content ET"
	cat <<-PDF
		%PDF-1.4
		1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj
		2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj
		3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R
		/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >> endobj
		4 0 obj << /Length ${#content} >> stream
		$content
		endstream endobj
		trailer << /Root 1 0 R >>
		%%EOF
	PDF
}

# a converter gets its path and language, and no key
mkdir bin
printf '#!/bin/sh\nenv\n' >bin/pdftotext
chmod +x bin/pdftotext
echo any >environment.pdf
PATH="$PWD/bin:$PATH" OPENAI_API_KEY=sk-of-ours expect 0 "$EMBED" clean environment.pdf
says out '^PATH=.*bin'
! grep -q 'sk-of-ours\|API_KEY' out || fail "a converter was given the API key"
rm bin/pdftotext

if command -v pdftotext >/dev/null; then
	make_pdf "The tide turns at noon." "Lamps are lit at six." >tides.pdf
	expect 0 "$EMBED" chunk tides.pdf
	says out '"start":0,.*"text":"The tide turns at noon.\\nLamps are lit at six.'
	expect 0 "$EMBED" clean tides.pdf
	says out '^Lamps are lit at six.$'
	expect 0 "$EMBED" tokens tides.pdf
	cp tides.pdf ./-n.pdf # a name that could be an option
	expect 0 "$EMBED" chunk -- -n.pdf
	says out 'The tide turns'
	printf '%%PDF-1.4 broken' >broken.pdf
	expect 1 "$EMBED" chunk broken.pdf
	says err 'broken.pdf: pdftotext failed: '
fi

if command -v pandoc >/dev/null; then
	printf '# Tides\n\nThe tide *turns* at noon.\n\n## Lamps\n\n- one lamp\n- two lamps\n\n| hour | lamp |\n|---|---|\n| six | lit |\n' >tides.md
	for format in docx epub odt rtf; do
		pandoc --standalone --metadata title=Tides -o "tides.$format" tides.md
		expect 0 "$EMBED" chunk --size 20 "tides.$format"
		says out 'two lamps'
		says out '"text":"[^"]*The tide \*turns\* at noon\.'
		[ "$format" = rtf ] || says out '"heading":"Tides > Lamps"'
		! grep -q '<[a-z/]' out || fail "$format brings no tags: $(cat out)"
	done
	printf 'no archive' >broken.docx
	expect 1 "$EMBED" chunk broken.docx
	says err 'broken.docx: pandoc failed: '
	start_emulator
	expect 0 "$EMBED" files tides.docx tides.epub -e none
	says out '"source":"tides.docx","chunk":0'
	says out '"source":"tides.epub","chunk":0'
fi

# Without them it is said what to install; other files go on.
printf 'a text' >plain.txt
: >x.pdf
for format in docx epub odt rtf; do : >"x.$format"; done
for format in pdf docx epub odt rtf; do
	expect 1 env PATH=/nowhere "$EMBED" chunk "x.$format" plain.txt
	says err "x.$format needs p[a-z]*, which is not installed; run: apt install p"
	says out 'a text'
done
expect 1 "$EMBED" chunk nothing.pdf
says err 'cannot open nothing.pdf'
