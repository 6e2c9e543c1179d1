// SPDX-License-Identifier: MIT
// The calendar of a gateway that runs is set forward and back by hours and days.
//   tests/torture/run EMBED FAULTS.so clock
// Nothing waits for it, nothing that is stored is paid for again, and a budget is never given twice for one day.
import assert from "node:assert/strict";
import http from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { embed, embedUntilHit, newHome, run, start, startEmulator } from "../gateway/harness.mjs";
import { newBoard } from "./board.mjs";

const faults = process.env.TORTURE_FAULTS;
const hour = 3600, day = 24 * hour;
const steps = [hour, -hour, 5 * hour, -7 * hour, day, -day, 40 * day, -40 * day, 0];
const budget = "0.00002"; // dollars: a thousand tokens

const work = newHome();
const home = join(work.path, "home");
const board = newBoard(join(work.path, "board"));
// Half a day's distance to midnight, so that steps of hours stay in their day and steps of days do not.
const noon = 12 * hour - Math.floor(Date.now() / 1000) % day;
let upstream, gateway, keys;

const setCalendar = (seconds) => board.setCalendar(noon + seconds);
const calendar = () => Math.floor(Date.now() / 1000) + noon;
const ask = (input, key = keys.plain, options = {}) => embed(gateway.base, { input, encoding_format: "base64" },
	{ signal: AbortSignal.timeout(30_000), ...options, headers: { authorization: `Bearer ${key}` } });
const get = (path) => fetch(gateway.base + path, { headers: { authorization: `Bearer ${keys.root}` }, signal: AbortSignal.timeout(30_000) });

before(async () => {
	const add = (name, ...args) => {
		const made = run(["keys", "--home", home, "add", name, ...args]);
		assert.equal(made.code, 0, made.err);
		return made.out.trim();
	};
	keys = { plain: add("plain"), root: add("root", "--admin"), daily: add("daily", "--budget", `${budget}/day`),
		guest: add("guest", "--expires", "3h"), slow: add("slow", "--rpm", "1") };
	upstream = await startEmulator();
	setCalendar(0);
	gateway = start(["serve", "--home", home, "--base-url", `${upstream.base}/v1`, "--listen", "127.0.0.1:0", "--log-level", "info", "--store-ttl", "30d"],
		{ env: { LD_PRELOAD: faults, TORTURE_BOARD: board.path } });
	[, gateway.base] = await gateway.until(/serving on (http:\/\/\S+)\/v1/);
});

after(async () => {
	await gateway.stop("SIGKILL");
	await upstream.stop("SIGKILL");
	work.remove();
});

test("after each step it answers from the store and from upstream, and tells the calendar's time", async () => {
	await upstream.reset();
	const kept = { input: "stored at noon", encoding_format: "base64" };
	await embedUntilHit(gateway.base, kept, { headers: { authorization: `Bearer ${keys.plain}` } });
	for (const [i, step] of steps.entries()) {
		setCalendar(step);
		const hit = await ask(kept.input);
		assert.equal(hit.headers.get("x-embed-cache"), step > 30 * day ? "miss" : "hit", `${step}`);
		const told = Date.parse(hit.headers.get("date")) / 1000;
		assert.ok(Math.abs(told - calendar() - step) < hour / 2, `${step}: ${hit.headers.get("date")}`);
		const miss = await ask(`new after step ${i}`);
		assert.equal(miss.status, 200, miss.text);
		const again = await embedUntilHit(gateway.base, { input: `new after step ${i}`, encoding_format: "base64" },
			{ headers: { authorization: `Bearer ${keys.plain}` } });
		assert.deepEqual(again.json.data, miss.json.data);
	}
	// Once for each text, and once more for what was too old for the store 40 days on.
	assert.equal((await upstream.stats()).texts, 1 + steps.length + 1);
});

test("metrics, snapshot, history and the stream go on, and no number goes below 0", async () => {
	for (const step of steps) {
		setCalendar(step);
		const metrics = await (await get("/metrics")).text();
		const uptime = Number(metrics.match(/^embed_uptime_seconds (\d+)$/m)[1]);
		assert.ok(uptime < hour, `${step}: up for ${uptime} s`);
		for (const [line, value] of metrics.matchAll(/^[a-z_]+(?:{.*})? (\S+)$/gm))
			assert.ok(Number(value) >= 0 && Number(value) < 1e15, line);
		assert.equal((await get("/dashboard/snapshot")).status, 200);
		const history = await (await get("/dashboard/history?span=15m")).json();
		assert.equal(history.time.length, history.requests.length);
		await new Promise((resolve, reject) => {
			const request = http.get(`${gateway.base}/dashboard/events`,
				{ agent: false, timeout: 30_000, headers: { authorization: `Bearer ${keys.root}` } }, (response) => {
					let text = "";
					response.on("data", (data) => { // until the second event: the first one comes at once
						text += data;
						if ((text.match(/^id: /gm) ?? []).length >= 2) { request.destroy(); resolve(); }
					});
				});
			request.on("timeout", () => request.destroy(new Error(`no event after a step of ${step} s`)));
			request.on("error", reject);
		});
	}
});

test("a key ends when the calendar says so, and is good again when that was a mistake", async () => {
	for (const [off, status] of [[0, 200], [2 * hour, 200], [4 * hour, 401], [day, 401], [hour, 200], [-day, 200]]) {
		board.setCalendar(off); // the key was made by the calendar of this machine
		const answer = await ask("stored at noon", keys.guest);
		assert.equal(answer.status, status, `${off} s: ${answer.text}`);
	}
});

test("a limit by the minute does not look at the calendar", async () => {
	setCalendar(0);
	assert.equal((await ask("stored at noon", keys.slow)).status, 200);
	for (const step of steps) {
		setCalendar(step);
		const refused = await ask("stored at noon", keys.slow);
		assert.equal(refused.status, 429, `${step}: ${refused.text}`);
		const wait = Number(refused.headers.get("retry-after"));
		assert.ok(wait >= 0 && wait <= 60, `${step}: retry-after ${wait}`);
	}
});

test("a line of the log tells the calendar's time", async () => {
	for (const step of steps) {
		setCalendar(step);
		const id = (await ask("stored at noon")).headers.get("x-request-id");
		const [line, time] = await gateway.until(new RegExp(`^(\\S+) info event=request id=${id} .*$`, "m"));
		assert.ok(Math.abs(Date.parse(time) / 1000 - calendar() - step) < hour / 2, `${step}: ${line}`);
	}
});

test("a day's budget is not given twice when the calendar goes on to the next day and back", async () => {
	const costly = (i) => `${"word ".repeat(300)} ${i}`; // some 300 of a thousand tokens
	const spend = async (from) => { // until it is refused
		for (let i = from; i < from + 20; i++) {
			const answer = await ask(costly(i), keys.daily);
			if (answer.status === 200) continue;
			assert.equal(answer.status, 429, answer.text);
			return i - from;
		}
		throw new Error("the budget holds nothing back");
	};
	const untilSpent = async () => { // the ledger was read for this day
		while (!/^embed_key_spent_nano{.*key="daily".*} [1-9]/m.test(await (await get("/metrics")).text()));
	};
	setCalendar(0);
	assert.equal(await spend(0), 3);
	setCalendar(hour); // the same day
	assert.equal(await spend(100), 0);
	setCalendar(-hour);
	assert.equal(await spend(200), 0);
	setCalendar(day); // the next
	assert.equal(await spend(300), 3);
	setCalendar(0); // back: at once, and when the ledger was read again
	assert.equal(await spend(400), 0);
	await untilSpent();
	assert.equal(await spend(500), 0);
	setCalendar(day);
	await untilSpent();
	assert.equal(await spend(600), 0, "what was spent on the next day is known when it comes again");
});

test("the ledger has each row, the store verifies, and it ends well", async () => {
	setCalendar(-5 * hour);
	const billed = await upstream.stats();
	assert.equal(await gateway.stop(), 0, gateway.output);
	const usage = JSON.parse(run(["usage", "--home", home, "--format", "json"]).out);
	assert.equal((usage.rows ?? usage).reduce((sum, row) => sum + row.billed_tokens, 0), billed.tokens);
	assert.equal(run(["cache", "verify", "--home", home]).code, 0);
	assert.doesNotMatch(gateway.output, /level=error/);
});
