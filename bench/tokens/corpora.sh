#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: bench/tokens/corpora.sh FOLDER   english.txt, multilingual.txt, code.txt (about 20 MB each) and worst/*.txt
# From Debian packages (downloaded and unpacked, not installed) and npm packages.  Same package versions, same bytes.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/debs" "$1/unpacked" "$1/npm"
cd "$1"
[ -s code.txt ] && exit 0

headers=$(apt-cache search --names-only '^linux-headers-6\.1\.0-[0-9]+-common$' | cut -d' ' -f1 | sort -V | tail -n 1)
if [ -z "$headers" ]; then
	apt-get update -qq
	headers=$(apt-cache search --names-only '^linux-headers-6\.1\.0-[0-9]+-common$' | cut -d' ' -f1 | sort -V | tail -n 1)
fi
sed '/^#/d' "$here/debian-packages.txt" | tr ' ' '\n' | sed "/^\$/d; \$a $headers" |
while read -r package; do
	folder=unpacked/$package
	[ "$package" = "$headers" ] && folder=unpacked/linux-headers-common
	[ -d "$folder" ] && continue
	ls "debs/$package"_*.deb >/dev/null 2>&1 || (cd debs && apt-get download -q "$package" >/dev/null)
	dpkg -x "$(ls "debs/$package"_*.deb | tail -n 1)" "$folder.part"
	mv "$folder.part" "$folder"
done

sed '/^#/d' "$here/npm-packages.txt" | tr ' ' '\n' | sed '/^$/d' |
while read -r package; do
	folder=npm/$(echo "$package" | sed 's/@[0-9].*$//; s,[@/],_,g')
	[ -d "$folder" ] && continue
	archive=$(npm pack --silent --ignore-scripts "$package" 2>/dev/null | tail -n 1)
	mkdir "$folder.part"
	tar xzf "$archive" -C "$folder.part"
	rm "$archive"
	mv "$folder.part" "$folder"
done
node "$here/corpora.mjs" .
