// SPDX-License-Identifier: MIT
// Alarms of a running gateway: told once, in the log and in /metrics, cleared when it is over.
import assert from "node:assert/strict";
import { test } from "node:test";
import { embed, run, sleep, withGateway } from "./harness.mjs";

const raised = async (gateway, alarm, headers = {}) => {
	const text = await (await fetch(`${gateway.base}/metrics`, { headers })).text();
	return Number(text.match(new RegExp(`^embed_alarms\\{alarm="${alarm}"\\} (\\d+)$`, "m"))[1]);
};

async function until(condition) {
	for (let i = 0; i < 200; i++) {
		if (await condition()) return;
		await sleep(50);
	}
	assert.fail("it never came");
}

test("a budget is told at half, at four fifths and when it is spent", async () => {
	// A token costs 20 nano-dollars: 1,000 tokens are the budget.
	await withGateway([], ["--log-level", "info"], async ({ gateway, home, keys }) => {
		const headers = { authorization: `Bearer ${keys.team}` };
		const spend = async (words, from) => {
			const { status } = await embed(gateway.base, { input: Array.from({ length: words }, (_, i) => `word${from + i}`).join(" ") }, { headers });
			return status;
		};
		assert.equal(await spend(300, 0), 200);
		await until(() => /alarm=budget_50 subject=team/.test(gateway.log()));
		let from = 1000;
		await until(async () => (await spend(20, from += 20)) === 429);
		await until(() => /event=alarm_raised alarm=budget_80 subject=team/.test(gateway.log()));
		for (const alarm of ["budget_50", "budget_80"])
			assert.equal(gateway.log().split(`alarm_raised alarm=${alarm} `).length, 2, `${alarm} is told once`);
		assert.match(gateway.log(), /alarm=budget_50 .*do="look where it goes/);
		const admin = { authorization: `Bearer ${keys.admin}` };
		assert.equal(await raised(gateway, "budget_50", admin), 1);
		assert.equal(run(["keys", "--home", home, "revoke", "team"]).code, 0);
		await until(() => /event=alarm_cleared alarm=budget_80 subject=team/.test(gateway.log()));
		assert.equal(await raised(gateway, "budget_50", admin), 0, "a key that is gone raises nothing");
	}, { keys: [["team", "--budget", "0.00002/day"], ["admin", "--admin"]] });
});

test("an upstream that fails opens its breaker, and that is told", async () => {
	await withGateway(["--fault", "html_502"], ["--retry-deadline", "20s"], async ({ upstream, gateway }) => {
		const asked = embed(gateway.base, { input: "a" });
		await until(() => /event=alarm_raised alarm=breaker_open subject=127\.0\.0\.1/.test(gateway.log()));
		assert.equal(await raised(gateway, "breaker_open"), 1);
		await upstream.reset();
		await upstream.faults();
		assert.equal((await asked).status, 200);
		assert.equal(gateway.log().split("alarm_raised alarm=breaker_open").length, 2);
	});
});

test("an account without credit is told, with what to do", async () => {
	await withGateway(["--fault", "no_quota"], [], async ({ gateway }) => {
		assert.notEqual((await embed(gateway.base, { input: "a" })).status, 200);
		await until(() => /event=alarm_raised alarm=account_barred subject=127\.0\.0\.1.*do="check key and credit/.test(gateway.log()));
	});
});

test("a rate limit that was hit is told", async () => {
	await withGateway(["--fault", "rate_requests@next=1@retry-after-ms=20"], [], async ({ gateway }) => {
		assert.equal((await embed(gateway.base, { input: "a" })).status, 200);
		await until(() => /event=alarm_raised alarm=account_limit/.test(gateway.log()));
	});
});
