// SPDX-License-Identifier: MIT
// Bytes that a well-meaning client never sends: what we answer, and nginx beside it (RAW_TABLE=1 prints both).
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { newHome, start, withGateway } from "./harness.mjs";
import { rows } from "./raw.mjs";

const QUIET_MS = 700;
const nginxVersion = spawnSync("nginx", ["-v"], { encoding: "utf8", env: { PATH: `${process.env.PATH}:/usr/sbin` } }).stderr?.match(/nginx\/(\S+)/)?.[1];

// The statuses that come back, and whether the server closes or waits.
function verdict(port, { bytes, end }) {
	return new Promise((resolve) => {
		const socket = net.connect({ port, host: "127.0.0.1", allowHalfOpen: true });
		let got = "", timer;
		const done = (state) => {
			clearTimeout(timer);
			socket.destroy();
			const statuses = [...got.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => match[1]);
			if (got && statuses.length === 0) statuses.push("0.9");
			resolve([...statuses, state].join(" "));
		};
		const patience = () => {
			clearTimeout(timer);
			timer = setTimeout(() => done("open"), QUIET_MS);
		};
		socket.on("data", (data) => { got += data.toString("latin1"); patience(); });
		socket.on("end", () => done("closed"));
		socket.on("error", () => done("closed"));
		socket.on("connect", () => {
			socket.write(Buffer.from(bytes, "latin1"));
			if (end) socket.end();
			patience();
		});
	});
}

async function verdicts(port) {
	const all = [];
	for (let i = 0; i < rows.length; i += 16)
		all.push(...await Promise.all(rows.slice(i, i + 16).map((row) => verdict(port, row))));
	return all;
}

const refused = (answer) => !/\b(200|0\.9)\b/.test(answer);

async function withNginx(upstream, work) {
	const home = newHome();
	const port = await new Promise((resolve) => {
		const server = net.createServer().listen(0, "127.0.0.1", () => {
			const { port } = server.address();
			server.close(() => resolve(port));
		});
	});
	mkdirSync(join(home.path, "temp"));
	writeFileSync(join(home.path, "nginx.conf"), `
daemon off; worker_processes 1; pid ${home.path}/nginx.pid; error_log stderr notice; events {}
http {
	access_log off; client_max_body_size 64m;
	${["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${home.path}/temp/${kind};`).join(" ")}
	server {
		listen 127.0.0.1:${port};
		location / { proxy_pass ${upstream}; proxy_set_header Authorization "Bearer sk-nginx-key"; }
		location = /health { return 200 "ok"; }
	}
}`);
	const nginx = start(["-e", "stderr", "-c", join(home.path, "nginx.conf")],
		{ command: "nginx", env: { PATH: `${process.env.PATH}:/usr/sbin` } });
	await nginx.until(/start worker process \d/);
	try {
		return await work(port);
	} finally {
		await nginx.stop("SIGTERM");
		home.remove();
	}
}

function print(ours, theirs) {
	console.log("| case | ours | nginx | why |\n| --- | --- | --- | --- |");
	const short = (answer) => answer.replace(/^(\d{3})( \1){3,}/, (many, one) => `${one} (${many.split(" ").length} times)`);
	rows.forEach((row, i) => console.log(`| ${row.name} | ${short(ours[i])} | ${short(theirs[i])} | ${row.why ?? ""} |`));
}

test("each odd request has its answer, and none that nginx refuses is taken", () => withGateway([], [], async ({ upstream, gateway }) => {
	const ours = await verdicts(Number(new URL(gateway.base).port));
	const theirs = nginxVersion ? await withNginx(upstream.base, verdicts) : rows.map((row) => row.nginx);
	if (process.env.RAW_TABLE) print(ours, theirs);
	const wrong = [];
	rows.forEach((row, i) => {
		if (ours[i] !== row.ours) wrong.push(`${row.name}: ours says ${ours[i]}, not ${row.ours}`);
		// The table tells of one version; another may have become stricter, but never than we are.
		if (nginxVersion?.startsWith("1.22.") && theirs[i] !== row.nginx) wrong.push(`${row.name}: nginx says ${theirs[i]}, not ${row.nginx}`);
		if (refused(theirs[i]) && !refused(ours[i])) wrong.push(`${row.name}: nginx refuses it, we do not`);
		if (row.ours !== row.nginx && !row.why) wrong.push(`${row.name}: why do they differ?`);
	});
	assert.deepEqual(wrong, []);
	assert.equal((await fetch(`${gateway.base}/health`)).status, 200);
}));
