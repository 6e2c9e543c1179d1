// SPDX-License-Identifier: MIT
// What is measured, one row for each: where /metrics, the snapshot (which the dashboard draws) and embed top tell it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { embed, embedUntilHit, newHome, run, sleep, startEmulator, startGateway } from "./harness.mjs";

const quantiles = (name) => ["0.5", "0.9", "0.99", "0.999", "1.0"].map((share) => `embed_${name}_seconds{quantile="${share}"}`);
const times = (name) => ["p50_us", "p90_us", "p99_us", "p999_us", "max_us"].map((share) => `latency.${name}.${share}`);
const limits = (unit) => [`embed_upstream_${unit}_limit{`, `embed_upstream_${unit}_left{`];

// [what, series of /metrics, members of the snapshot, what embed top shows]
const table = [
	["requests by outcome", ['embed_http_requests_total{route="/v1/embeddings",answer="2xx"}', 'embed_http_requests_total{route="/v1/embeddings",answer="4xx"}'], ["gateway.answers.2xx", "gateway.answers.4xx"], /faults +failed \d/],
	["texts and tokens asked", ["embed_texts_total", "embed_text_tokens_total"], ["stats.texts", "stats.text_tokens", "second.texts"], /texts +\S+\/s/],
	["texts and tokens hit", ["embed_hits_total", "embed_hit_tokens_total"], ["stats.hits", "stats.hit_tokens", "second.hits"], /not paid for \d+%/],
	["texts and tokens that joined a flight", ["embed_joined_total", "embed_joined_tokens_total"], ["stats.joined", "stats.joined_tokens", "second.joined"], /not paid for \d+%, since the start \d+%/],
	["texts and tokens billed", ["embed_sent_texts_total", "embed_billed_tokens_total"], ["stats.sent_texts", "stats.billed_tokens"], /tokens +\d\S* billed in a minute/],
	["latency of hits", quantiles("hit"), times("hit"), /hits( +[\d.]+(us|ms|s)){5}/],
	["latency of misses", quantiles("miss"), times("miss"), /misses( +[\d.]+(us|ms|s)){5}/],
	["latency of upstream attempts", quantiles("attempt"), times("attempt"), /upstream( +[\d.]+(us|ms|s)){5}/],
	["a miss's wait in the queue", quantiles("queue"), times("queue"), /for a slot( +\S+){5}/],
	["a miss's wait for limits", quantiles("pacing"), times("pacing"), /for limits( +\S+){5}/],
	["a miss's time of attempts before", quantiles("retry"), times("retry"), /tried again( +\S+){5}/],
	["throughput", ["embed_texts_total", "embed_jobs_total"], ["second.texts", "second.requests"], /texts +\S+\/s/],
	["errors by kind", ['embed_errors_total{code="text_too_long"}'], ["errors.0.event", "errors.0.count", "errors.0.do"], /text_too_long +1 /],
	["retries, splits, failovers", ["embed_retries_total", "embed_splits_total", "embed_failovers_total"], ["stats.retries", "stats.splits", "stats.failovers"], /retries \d+.*splits \d+, failovers \d+/],
	["breaker state", ["embed_breakers_open", 'state="closed"}'], ["upstreams.0.breaker", "stats.breakers_open"], /in use/],
	["batch sizes", ['embed_batch_texts{quantile="0.5"}', 'embed_batch_tokens{quantile="0.99"}'], ["sizes.batch_texts.p50", "sizes.batch_tokens.p999"], /batch, texts( +\d\S*){5}/],
	["queue depth and age by lane", ['embed_lane_queued_texts{lane="bulk"}', 'embed_lane_queued_tokens{lane="interactive"}', 'embed_lane_oldest_seconds{lane="bulk"}'], ["lanes.bulk.texts", "lanes.interactive.tokens", "lanes.bulk.oldest_us"], /interactive 0; bulk 0/],
	["slots", ["embed_slots", "embed_in_flight", "embed_upstream_slots{"], ["stats.slots", "stats.in_flight", "upstreams.0.slots"], /\d+ of \d+ requests under way/],
	["requests against the account's limit", limits("requests"), ["upstreams.0.requests_per_minute", "upstreams.0.requests_left"], /REQUESTS LEFT\/MIN/],
	["tokens against the account's limit", limits("tokens"), ["upstreams.0.tokens_per_minute", "upstreams.0.tokens_left"], /\S+ of 1\.0M/],
	["cost", ["embed_cost_nano_total"], ["usage.today.cost_nano", "usage.month.cost_nano"], /\$\S+ today, \$\S+ this month/],
	["cost by key, against budget", ['embed_key_spent_nano{key="team",period="month"}', 'embed_key_budget_nano{key="team",period="month"}'], ["keys.0.spent_nano", "keys.0.budget_nano", "keys.0.month.cost_nano"], /team .*\[ +\] 0% of \$1/],
	["cost saved by store and flights", ["embed_saved_nano_total"], ["stats.saved_nano", "usage.today.saved_nano"], /saved \$\S+ today/],
	["time saved by the store", ["embed_saved_seconds"], ["stats.saved_us"], null],
	["store's size and evictions", ["embed_store_records", "embed_store_used_bytes", "embed_store_cap_bytes", "embed_evicted_total"], ["store.records", "store.used_bytes", "stats.evicted"], /store +\d\S* records, \S+ of \S+, evicted 0/],
	["hit ratio", ["embed_hits_total", "embed_texts_total"], ["stats.hits", "stats.texts"], /since the start \d+%/],
	["the process", ["process_resident_memory_bytes", "process_cpu_seconds_total", "process_threads", "process_open_fds"], ["process.resident_bytes", "process.cpu_s", "process.threads"], /process +\S+, \S+ of CPU, \d+ threads/],
	["connections", ["embed_http_connections", "embed_http_accepted_total"], ["gateway.connections", "gateway.accepted"], /\d+ connections/],
	["spans and alarms on their way to others", ["embed_spans_total", "embed_spans_dropped_total", 'embed_letters_total{to="webhook",outcome="failed"}'], ["outbox.spans", "outbox.webhook.failed"], null],
];

let upstream, gateway, home, metrics, snapshot, top, usage;

before(async () => {
	home = newHome();
	upstream = await startEmulator("--tpm", "1000000", "--rpm", "1000");
	const made = run(["keys", "--home", home.path, "add", "team", "--budget", "1/month"]);
	const admin = run(["keys", "--home", home.path, "add", "ops", "--admin"]).out.trim();
	gateway = await startGateway(upstream.base, home.path);
	const headers = { authorization: `Bearer ${made.out.trim()}` };
	for (let i = 0; i < 5; i++) assert.equal((await embed(gateway.base, { input: [`a ${i}`, `b ${i}`] }, { headers })).status, 200);
	assert.equal((await embedUntilHit(gateway.base, { input: "a 0" }, { headers })).status, 200);
	assert.equal((await embed(gateway.base, { input: "word ".repeat(9000) }, { headers })).status, 400);
	await sleep(3500); // the ledger's sums follow within two seconds
	const shown = { authorization: `Bearer ${admin}` };
	metrics = (await (await fetch(`${gateway.base}/metrics`, { headers: shown })).text()).split("\n");
	snapshot = await (await fetch(`${gateway.base}/dashboard/snapshot`, { headers: shown })).json();
	top = run(["top", "--once", "--url", gateway.base], { EMBED_TOP_KEY: admin }).out;
	usage = (by) => JSON.parse(run(["usage", "--home", home.path, "--format", "json", "--by", by]).out);
});

after(async () => {
	await gateway.stop("SIGKILL");
	await upstream.stop("SIGKILL");
	home.remove();
});

const member = (path) => path.split(".").reduce((value, name) => value?.[name], snapshot);

for (const [what, series, members, shown] of table)
	test(`${what}: in /metrics, in the snapshot${shown ? ", in embed top" : ""}`, () => {
		for (const name of series)
			assert.ok(metrics.some((line) => !line.startsWith("#") && (line.startsWith(`${name} `) || line.includes(name.includes("{") || name.endsWith("}") ? name : `${name} `))), `${name} is not in /metrics`);
		for (const path of members)
			assert.ok(["number", "string"].includes(typeof member(path)), `${path} is not in the snapshot`);
		if (shown) assert.match(top, shown);
	});

test("cost by model, key, upstream, lane, hour, day and month is the ledger's", () => {
	for (const by of ["hour", "day", "month", "model", "key", "upstream", "lane"]) {
		const rows = usage(by);
		assert.equal(rows.reduce((sum, { cost_nano }) => sum + cost_nano, 0), snapshot.usage.month.cost_nano, by);
		assert.ok(rows.every((row) => row[by] !== undefined), `${by}: ${JSON.stringify(rows[0])}`);
	}
});
