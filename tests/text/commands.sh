#!/bin/sh
# SPDX-License-Identifier: MIT
# Cases for `embed clean`, `embed chunk` and `embed tokens`: each runs the program and compares what it prints.
embed=$1
data=tests/data/text
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset NO_COLOR
failed=0

# expect NAME STATUS EXPECTED COMMAND...: stdout and exit status of the command, stdin as given
expect() {
	name=$1 status=$2 expected=$3
	shift 3
	found=$("$@" 2>"$work/stderr")
	code=$?
	if [ "$found" != "$expected" ] || [ $code != "$status" ]; then
		printf 'FAILED %s (exit status %d)\n--- expected\n%s\n--- found\n%s\n--- stderr\n' "$name" $code "$expected" "$found"
		cat "$work/stderr"
		failed=1
	fi
}

# says NAME PATTERN: what the last command said on stderr
says() {
	grep -q "$2" "$work/stderr" || { echo "FAILED $1: stderr lacks \"$2\":"; cat "$work/stderr"; failed=1; }
}

# tokens
expect counts_a_file 0 257 "$embed" tokens $data/story.txt
expect counts_stdin 0 3 sh -c "echo 'hello world' | $embed tokens"
expect prints_ids 0 '[15339,1917,198]' sh -c "echo 'hello world' | $embed tokens --ids"
expect counts_in_another_encoding 0 '[24912,2375,198]' sh -c "echo 'hello world' | $embed tokens --ids -e o200k_base"
expect names_several_files 0 "257 $data/story.txt
1171 $data/rights.txt" "$embed" tokens $data/story.txt $data/rights.txt
expect special_tokens_are_text 0 '[27,91,8862,728,428,91,29]' sh -c "printf '<|endoftext|>' | $embed tokens --ids"
expect answers_line_by_line 1 '2
null
1' sh -c "printf '{\"t\":\"hi there\"}\n{bad\n{\"t\":\"x\"}\n' | $embed tokens --jsonl t"
says answers_line_by_line 'line 2'
expect reads_a_column 0 '1
2' sh -c "printf 'a,t\n1,x\n2,hi there\n' | $embed tokens --csv t"
expect refuses_an_unknown_encoding 2 '' "$embed" tokens -e p50k_base $data/story.txt
says refuses_an_unknown_encoding 'cl100k_base and o200k_base'
expect reports_a_missing_file 1 '' "$embed" tokens $work/nothing.txt
says reports_a_missing_file 'nothing.txt'

# clean
expect repairs_lines 0 'a
b' sh -c "printf 'a\r\nb' | $embed clean"
expect leaves_out_what_is_unwanted 0 "$(printf 'a\r\nb')" sh -c "printf 'a\r\nb' | $embed clean --without newlines"
expect adds_what_is_wanted 0 'fine' sh -c "printf '\357\254\201ne' | $embed clean --with ligatures"
expect makes_html_text 0 'Write &lt;b> for bold' sh -c "$embed clean $data/page.html | grep Write"
expect answers_records_as_strings 0 '"a \"b\""' sh -c "printf 'id,t\n1,\"a  \"\"b\"\"\"\n' | $embed clean --csv t -p strong"
expect shows_where_parts_came_from 0 '{"text":"a\nb","spans":[{"clean":0,"source":0,"verbatim":true},{"clean":1,"source":1,"verbatim":false},{"clean":2,"source":3,"verbatim":true},{"clean":3,"source":4,"verbatim":true}]}' sh -c "printf 'a\r\nb' | $embed clean --map"
expect refuses_bad_utf8_when_told 1 '' sh -c "printf 'ab\377' | $embed clean --without utf8"
says refuses_bad_utf8_when_told 'byte 2'
expect refuses_an_unknown_cleaning 2 '' "$embed" clean --with soap $data/story.txt
says refuses_an_unknown_cleaning soap

# chunk
expect prints_records 0 '{"index":0,"start":0,"end":6,"tokens":2,"text":"One.\n\n"}
{"index":1,"start":6,"end":10,"tokens":2,"text":"Two."}' sh -c "printf 'One.\n\nTwo.' | $embed chunk --size 9 --unit chars"
expect sizes_in_bytes 0 '{"index":0,"start":0,"end":4,"tokens":1,"text":"abcd"}
{"index":1,"start":4,"end":6,"tokens":1,"text":"ef"}' sh -c "printf abcdef | $embed chunk -s fixed --size 4 --unit bytes"
expect tells_lines_and_ids 1 '{"line":1,"id":"x","index":0,"start":0,"end":2,"tokens":1,"text":"hi"}
{"line":2,"id":2,"error":{"code":"bad_format","message":"stdin, line 2: there is no field \"t\"; check the name"}}' sh -c "printf '{\"id\":\"x\",\"t\":\"hi\"}\n{\"u\":1}\n' | $embed chunk --jsonl t"
expect knows_markdown_by_its_name 0 1 sh -c "$embed chunk --size 60 $data/guide.md | grep -c '\"heading\":\"Setting up > Network\",\"text\":\"## Network'"
expect cuts_html_as_it_stands 0 1 sh -c "$embed chunk --size 70 $data/page.html | grep -c '\"heading\":\"Tides & lamps > Hours\",\"text\":\"<h2>Hours'"
expect overlap_must_be_below_size 2 '' "$embed" chunk --size 60 --overlap 60 $data/story.txt
says overlap_must_be_below_size 'must be below the chunk size'

# Settings that cannot work are told before anything is read, each in words that name it.
while IFS='|' read -r words settings; do
	# shellcheck disable=SC2086  # several options
	expect "settings_that_cannot_work: $settings" 2 '' "$embed" chunk $settings $data/story.txt
	says "settings_that_cannot_work: $settings" "$words"
	case $settings in
	*--locale* | *-e\ * | *--jsonl*) ;; # chunk's own
	*)
		# shellcheck disable=SC2086
		expect "settings_that_cannot_work for files: $settings" 2 '' "$embed" files --offline $settings $data/story.txt
		says "settings_that_cannot_work for files: $settings" "$words"
		;;
	esac
done <<-END
	chunk size of 0 tokens is too small: one character can take 4|--size 0
	chunk size of 3 tokens is too small: one character can take 4|--size 3
	chunk size of 3 bytes is too small: one character can take 4|--size 3 --unit bytes
	chunk size of 0 characters is too small: one character can take 1|--size 0 --unit chars
	overlap (10 tokens) must be below the chunk size (10)|--size 10 --overlap 10
	overlap (600 bytes) must be below the chunk size (512)|--overlap 600 --unit bytes
	overlap (9 tokens) must be below the chunk size (8)|--size 8 --overlap 9 -s semantic
	smallest chunk (11 tokens) cannot be above the chunk size (10)|--size 10 --min-size 11
	"-1" does not fit: give a number|--size -1
	"1.5" does not fit: give a number|--overlap 1.5
	"99999999999999999999" does not fit: give a number|--size 99999999999999999999
	"words" is not one of tokens|--unit words
	"guess" is not one of|-s guess
	no language is known as 'qqq'|-s sentences --locale qqq
	there is no encoding 'p50k_base'; cl100k_base and o200k_base are known|-e p50k_base
	jsonl and --csv cannot be used together|--jsonl a --csv b
END
expect refuses_an_unknown_strategy 2 '' "$embed" chunk -s guess $data/story.txt
expect shows_without_colour_in_a_pipe 0 0 sh -c "$embed chunk --show --size 60 $data/story.txt | grep -c '$(printf '\033')' | cat"
expect shows_borders 0 '── 0  3 tokens  0-12 ───────────────────────────────────────────────────────────
hello world' sh -c "printf 'hello world\007' | $embed chunk --show | sed 's/·//'"
expect sums_up 0 '1 text, 6 chunks, 257 tokens; 0.0 % shared
tokens a chunk: smallest 18, median 52, mean 42, largest 58' sh -c "$embed chunk --stats --size 60 $data/story.txt | head -2"
cp $data/story.txt "$work/story.pdf"
expect needs_a_converter_for_pdf 1 '' env PATH=/nonexistent "$embed" chunk "$work/story.pdf"
says needs_a_converter_for_pdf pdftotext

# All chunks of a text put together are the text.
"$embed" chunk --size 40 $data/rights.txt >"$work/chunks.jsonl"
node -e '
const fs = require("fs"), [chunks, source] = process.argv.slice(1).map(path => fs.readFileSync(path, "utf8"));
const text = chunks.trim().split("\n").map(line => JSON.parse(line).text).join("");
if (text !== source) { console.log("FAILED the chunks do not make up the text"); process.exit(1); }
' "$work/chunks.jsonl" $data/rights.txt || failed=1
exit $failed
