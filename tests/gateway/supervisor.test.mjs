// SPDX-License-Identifier: MIT
// Under a supervisor: what it is told, sockets that it opened, restarts that fail no request, and how it ends.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { binary, embed, model, newHome, run, start, startEmulator, startGateway, untilWorking, withGateway } from "./harness.mjs";

const packaging = (name) => new URL(`../../packaging/${name}`, import.meta.url).pathname;

// Receives the datagrams that sd_notify(3) sends, to a path or to an abstract name ("@...").
const receiver = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace("@", chr(0)))
print("bound", flush=True)
while True: print("[" + s.recv(4096).decode() + "]", flush=True)`;

async function withNotified(name, body) {
	const home = newHome();
	const received = start(["-c", receiver, name], { command: "python3" });
	await received.until(/bound/);
	try {
		await body({ received, home: home.path });
	} finally {
		await received.stop("SIGKILL");
		home.remove();
	}
}

test("takes sockets from a supervisor and tells it when it is ready, alive, reloading and stopping", async () => {
	const folder = mkdtempSync(join(tmpdir(), "embed-notify-"));
	await withNotified(join(folder, "notify"), async ({ received, home }) => {
		const listener = net.createServer();
		listener.listen(0, "127.0.0.1");
		await once(listener, "listening");
		const { port } = listener.address();
		const gateway = start(["-c", `exec env LISTEN_PID=$$ LISTEN_FDS=1 WATCHDOG_PID=$$ "$0" "$@"`, binary, "serve", "--home", home,
			"--base-url", "http://127.0.0.1:9/v1"], {
			command: "/bin/sh", stdio: [listener._handle], env: { NOTIFY_SOCKET: join(folder, "notify"), WATCHDOG_USEC: "100000" } });
		await received.until(/\[READY=1\]/);
		listener.close(); // the gateway has its own descriptor of the socket
		await received.until(/\[READY=1\][^]*(\[WATCHDOG=1\][^]*){2}/);
		assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200);
		gateway.child.kill("SIGHUP");
		const [, us] = await received.until(/\[RELOADING=1\nMONOTONIC_USEC=(\d+)\]\n[^]*\[READY=1\]/);
		const [seconds] = readFileSync("/proc/uptime", "utf8").split(" ");
		assert.ok(Math.abs(Number(us) / 1e6 - Number(seconds)) < 60, `${us} us at ${seconds} s`);
		assert.equal(await gateway.stop(), 0);
		await received.until(/\[STOPPING=1\]\n$/);
	});
	rmSync(folder, { recursive: true });
});

test("speaks to an abstract name too, and keeps no watchdog that is another process's", () => withNotified(`@embed-test-${process.pid}`,
	async ({ received, home }) => {
	const gateway = start(["serve", "--home", home, "--base-url", "http://127.0.0.1:9/v1", "--listen", "127.0.0.1:0"],
		{ env: { NOTIFY_SOCKET: `@embed-test-${process.pid}`, WATCHDOG_USEC: "1000", WATCHDOG_PID: "1", LISTEN_FDS: "1", LISTEN_PID: "1" } });
	await received.until(/\[READY=1\]/);
	assert.equal(await gateway.stop(), 0);
	await received.until(/\[STOPPING=1\]/);
	assert.doesNotMatch(received.output, /WATCHDOG/);
}));

test("the units are what systemd understands, and let the service do little", { skip: spawnSync("systemd-analyze", ["--version"]).status !== 0 }, () => {
	const folder = mkdtempSync(join(tmpdir(), "embed-units-"));
	const analyze = (...args) => spawnSync("systemd-analyze", args, { encoding: "utf8", cwd: folder });
	writeFileSync(join(folder, "embed.service"), readFileSync(packaging("embed.service"), "utf8").replace("/usr/bin/embed", resolve(binary)));
	writeFileSync(join(folder, "embed.socket"), readFileSync(packaging("embed.socket")));
	const verified = analyze("verify", "--man=no", "./embed.service", "./embed.socket");
	assert.equal(verified.status, 0, verified.stderr);
	assert.doesNotMatch(verified.stderr, /embed\.(service|socket)/);
	const security = analyze("security", "--offline=true", "--threshold=20", "./embed.service");
	assert.equal(security.status, 0, security.stdout);
	rmSync(folder, { recursive: true });
});

/* ---- Restarts ---------------------------------------------------------------- */

// Callers of both habits, connections kept and connections for one request each, until `end`.
function load(port) {
	const kept = new http.Agent({ keepAlive: true, maxSockets: 6 });
	const state = { asked: 0, failures: [], resets: 0, isOver: false };
	const ask = (i, agent) => new Promise((resolve, reject) => {
		const request = http.request({ port, host: "127.0.0.1", path: "/v1/embeddings", method: "POST", agent }, (response) => {
			response.resume();
			response.on("end", () => response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`)));
			response.on("error", reject);
		});
		request.on("error", reject);
		request.end(JSON.stringify({ model, input: `restart ${i % 300}`, dimensions: 8 }));
	});
	const loops = Array.from({ length: 9 }, async (_, i) => {
		while (!state.isOver) await ask(state.asked++, i < 6 ? kept : false).catch((error) => {
			if (error.syscall === "connect" && error.code === "ECONNRESET") state.resets++; // nothing was sent, nobody took it
			else state.failures.push(error);
		});
	});
	const goOn = async (count) => { for (const enough = state.asked + count; state.asked < enough;) await new Promise(setImmediate); };
	const end = async () => {
		state.isOver = true;
		await Promise.all(loops);
		kept.destroy();
		return state;
	};
	return { goOn, end };
}

// Binds a socket and starts `embed serve` on it for each line of its input, as a supervisor does.
const activator = `import os, socket, subprocess, sys
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(512)
print("port", s.getsockname()[1], flush=True)
os.dup2(s.fileno(), 3)
old = None
for line in sys.stdin:
    new = subprocess.Popen(["/bin/sh", "-c", 'exec env LISTEN_PID=$$ LISTEN_FDS=1 "$0" "$@"'] + sys.argv[1:], pass_fds=[3])
    if old:
        old.terminate()
        print("ended", old.wait(), flush=True)
    old = new
old.terminate()
old.wait()
`;

test("a restart on an inherited socket fails no request under load", async () => {
	const home = newHome();
	const upstream = await startEmulator("--latency", "5ms");
	const running = start(["-c", activator, binary, "serve", "--home", home.path, "--base-url", `${upstream.base}/v1`],
		{ command: "python3", stdin: "pipe" });
	const [, port] = await running.until(/port (\d+)/);
	running.child.stdin.write("start\n");
	await running.until(/serving on/);
	const callers = load(port);
	for (let restart = 1; restart <= 3; restart++) {
		await callers.goOn(100); // before and after each
		running.child.stdin.write("restart\n");
		await running.until(new RegExp(`(ended 0[^]*){${restart}}`));
	}
	await callers.goOn(100);
	const { asked, failures, resets } = await callers.end();
	running.child.stdin.end();
	await running.ended;
	await upstream.stop();
	home.remove();
	assert.deepEqual(failures, []);
	assert.equal(resets, 0);
	assert.ok(asked > 400);
});

test("a successor on the same port takes over while the old one drains, and no request that was taken fails", async () => {
	const home = newHome();
	const upstream = await startEmulator("--latency", "5ms");
	let old = await startGateway(upstream.base, home.path, "--workers", "2");
	const { port } = new URL(old.base);
	const callers = load(port);
	for (let restart = 1; restart <= 3; restart++) {
		await callers.goOn(100);
		const successor = await startGateway(upstream.base, home.path, "--workers", "2", "--listen", `127.0.0.1:${port}`);
		await callers.goOn(50); // both serve
		assert.equal(await old.stop(), 0);
		old = successor;
	}
	await callers.goOn(100);
	const { asked, failures, resets } = await callers.end();
	await old.stop();
	await upstream.stop();
	home.remove();
	assert.deepEqual(failures, []);
	// Between a worker's last accept and its close the kernel may complete a connection for it (net.ipv4.tcp_migrate_req).
	assert.ok(resets <= 3, `${resets} connections were reset before anything was sent`);
	assert.ok(asked > 550);
});

/* ---- Ending ------------------------------------------------------------------- */

test("a second SIGTERM ends it at once", () => withGateway(["--latency", "20s"], [], async ({ upstream, gateway }) => {
	const cut = assert.rejects(embed(gateway.base, { input: "never answered" }));
	await untilWorking(upstream);
	gateway.child.kill("SIGTERM");
	while (await fetch(`${gateway.base}/health`).then(() => true, () => false)); // it drains: nobody is let in
	const before = Date.now();
	assert.equal(await gateway.stop(), 143);
	await cut;
	assert.ok(Date.now() - before < 10000);
}));

test("draining is cut at --drain-timeout, and what was answered is stored", () => withGateway([], ["--drain-timeout", "200ms"],
	async ({ upstream, gateway, home }) => {
	await upstream.faults("stall@text=never");
	const cut = assert.rejects(embed(gateway.base, { input: "never answered" }));
	await untilWorking(upstream);
	assert.equal((await embed(gateway.base, { input: "answered just before" })).status, 200);
	const before = Date.now();
	const code = gateway.stop();
	await cut;
	assert.equal(await code, 0);
	assert.ok(Date.now() - before < 10000);
	assert.match(gateway.log(), /requests were cut: they took longer than --drain-timeout/);
	const stored = run(["text", "--offline", "--home", home, "--base-url", `${upstream.base}/v1`, "answered just before"]);
	assert.equal(stored.code, 0, stored.err);
}));
