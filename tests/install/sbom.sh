#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: sbom.sh PROGRAM VERSION SOURCE   the bill of materials is well formed and names what the program is linked with
set -eu
command -v node >/dev/null || exit 77
"$3/tools/sbom" "$1" "$2" | node -e '
	const assert = require("node:assert/strict");
	const sbom = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
	assert.equal(sbom.bomFormat, "CycloneDX");
	assert.equal(sbom.specVersion, "1.5");
	assert.match(sbom.metadata.component.hashes[0].content, /^[0-9a-f]{64}$/);
	const names = sbom.components.map((component) => component.name);
	for (const wanted of [/^libcurl4/, /^liblmdb0$/, /^libsqlite3-0$/, /^libssl3/, /^libicu/, /^libjansson4$/, /^libc6$/])
		assert.ok(names.some((name) => wanted.test(name)), `no ${wanted} among ${names}`);
	for (const { version, purl } of sbom.components) assert.ok(version && purl.startsWith("pkg:deb/debian/"));
	assert.deepEqual(sbom.dependencies[0].dependsOn, sbom.components.map((component) => component.purl));
	assert.equal(new Set(names).size, names.length);
'
