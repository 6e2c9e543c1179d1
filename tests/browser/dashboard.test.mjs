// SPDX-License-Identifier: MIT
// The dashboard as people see it: in a browser, on a gateway that works.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { embed, newHome, run, sleep, startEmulator, startGateway } from "./harness.mjs";
import { gravestFaults, launch, screens, untilSnapshots, untilState, withPage } from "./browser.mjs";

let browser, upstream, gateway, home, load;

const tooLong = "word ".repeat(9000);

// Requests until stopped: mostly known texts, some new ones, a bad one now and then.
function startLoad(base) {
	let is_over = false, nth = 0;
	const body = () => ({ input: nth % 3 ? `known ${nth % 20}` : `new ${nth} ${base}`, encoding_format: "base64" });
	const work = async () => {
		while (!is_over) {
			nth++;
			await embed(base, nth % 25 ? body() : { input: tooLong }).catch(() => {});
			await sleep(10);
		}
	};
	const workers = [work(), work()];
	return { stop: () => { is_over = true; return Promise.all(workers); } };
}

before(async () => {
	home = newHome();
	upstream = await startEmulator("--latency", "15ms", "--tpm", "1000000", "--rpm", "60000");
	gateway = await startGateway(upstream.base, home.path);
	browser = await launch();
	load = startLoad(gateway.base);
	await sleep(5000);
});

after(async () => {
	await load.stop();
	await browser?.close();
	await gateway.stop("SIGKILL");
	await upstream.stop("SIGKILL");
	home.remove();
});

// What /metrics says of each counter of the snapshot.
async function metrics(base) {
	const text = await (await fetch(`${base}/metrics`)).text();
	return new Map([...text.matchAll(/^(embed_[a-z_]+) (\S+)$/gm)].map(([, name, value]) => [name, Number(value)]));
}

function metricOf(values, name) {
	const seconds = values.get(`embed_${name.replace(/_us$/, "_seconds")}`);
	if (name.endsWith("_us")) return seconds * 1e6;
	return values.get(`embed_${name}_total`) ?? values.get(`embed_${name}`);
}

const chartPath = (page, title) => page.evaluate((wanted) => [...document.querySelectorAll("figure.chart")]
	.find((figure) => !figure.hidden && figure.querySelector("h3").textContent === wanted)
	.querySelector(".plot path").getAttribute("d"), title);

const plotOf = (page, title) => page.locator("figure.chart:not([hidden])").filter({ has: page.getByRole("heading", { name: title, exact: true }) }).locator(".plot");

test("it is live, its charts move, and everything it asks for is the gateway's own", () =>
	withPage(browser, gateway.base, "light", async (page) => {
		await untilState(page, "live");
		await untilSnapshots(page, 2);
		const before = await chartPath(page, "Texts a second");
		assert.ok(Number((await page.textContent("#now-texts")).replace(",", "")) > 5);
		await untilSnapshots(page, 2);
		assert.notEqual(await chartPath(page, "Texts a second"), before);
		for (const title of ["Waiting for a miss", "Upstream's answer time", "Look-up in the store"]) {
			const drawn = await plotOf(page, title).locator("path").evaluateAll((paths) => paths.map((path) => path.getAttribute("d") ?? ""));
			assert.ok(drawn.filter((path) => path.length > 20).length >= 3, `${title}: bands of three percentiles`);
		}
		assert.match(await page.textContent("#upstreams tbody"), /in use/);
		assert.match(await page.textContent("#keys tbody"), /without a key/);
		assert.match(await page.textContent("#errors tbody"), /text too long/);
		assert.match(await page.textContent("#errors tbody"), /cut it into chunks/);
	}));

test("a chart is zoomed by dragging and by keys, all charts follow, and it zooms out again", () =>
	withPage(browser, gateway.base, "light", async (page) => {
		await untilState(page, "live");
		await untilSnapshots(page, 1);
		const plot = plotOf(page, "Tokens a minute");
		const ticks = () => page.locator(".chart .axes").first().textContent();
		const before = await ticks();
		const box = await plot.boundingBox();
		await page.mouse.move(box.x + box.width * 0.6, box.y + 60);
		await page.mouse.down();
		await page.mouse.move(box.x + box.width * 0.8, box.y + 80, { steps: 4 });
		await page.mouse.up();
		assert.ok(await page.isVisible("#unzoom"));
		assert.notEqual(await ticks(), before);
		await page.click("#unzoom");
		assert.ok(await page.isHidden("#unzoom"));
		await plot.focus();
		await page.keyboard.press("ArrowLeft");
		assert.match(await page.textContent("#said"), /billed .+, not billed /);
		await page.keyboard.press("+");
		assert.ok(await page.isVisible("#unzoom"));
		await page.keyboard.press("Escape");
		assert.ok(await page.isHidden("#unzoom"));
	}));

test("hours and days are there too; days come from the ledger", () =>
	withPage(browser, gateway.base, "light", async (page) => {
		await untilState(page, "live");
		await page.click("[data-span='24h']");
		assert.equal(await page.getAttribute("[data-span='24h']", "aria-pressed"), "true");
		await page.click("[data-span='90d']");
		await page.getByRole("heading", { name: "Dollars a day" }).waitFor();
		const today = await (await fetch(`${gateway.base}/dashboard/history?span=90d`)).json();
		assert.ok(today.hit_texts.at(-1) > 0);
		await plotOf(page, "Texts a day").locator("path[d]").first().waitFor({ state: "attached" });
		assert.match(await page.locator(".none:visible").first().textContent(), /24 hours/);
		await page.click("[data-span='15m']");
		await page.getByRole("heading", { name: "Dollars an hour" }).waitFor();
	}));

test("two texts are embedded and compared; equal ones have a cosine of 1", () =>
	withPage(browser, gateway.base, "light", async (page) => {
		await untilState(page, "live");
		await page.fill("#try-a", "the same words");
		await page.fill("#try-b", "the same words");
		await page.click("#try button[type=submit]");
		await page.waitForSelector("#try-cosine");
		assert.equal(await page.textContent("#try-cosine"), "1.0000");
		await page.fill("#try-b", "other words");
		await page.click("#try button[type=submit]");
		await page.waitForFunction(() => document.getElementById("try-cosine").textContent !== "1.0000");
		const result = await page.textContent("#try-result");
		assert.match(result, /1,536 dimensions/);
		assert.match(result, /First(store|upstream)3\$0\.0000000/);
	}));

for (const screen of Object.keys(screens))
	test(`axe-core finds nothing serious: ${screen}`, () =>
		withPage(browser, gateway.base, screen, async (page) => {
			await untilState(page, "live");
			await untilSnapshots(page, 2);
			await page.screenshot({ path: `pictures/${screen}-top.png` });
			await page.click("#counters-box summary");
			await page.locator(".as-table summary").first().click();
			await untilSnapshots(page, 1);
			assert.deepEqual(await gravestFaults(page), []);
			await page.screenshot({ path: `pictures/${screen}.png`, fullPage: true });
			const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
			assert.ok(wide <= 0, `${wide} pixels too wide`);
		}));

test("everything can be reached with the keyboard alone, and is seen when it is", () =>
	withPage(browser, gateway.base, "light", async (page) => {
		await untilState(page, "live");
		await untilSnapshots(page, 1);
		const reached = [];
		for (let i = 0; i < 80; i++) {
			await page.keyboard.press("Tab");
			const at = await page.evaluate(() => {
				const node = document.activeElement;
				if (!node || node === document.body) return null;
				const style = getComputedStyle(node);
				return { name: node.textContent.trim() || node.id, id: node.id, tag: node.tagName,
					is_shown: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1 };
			});
			if (!at) break;
			assert.ok(at.is_shown, `${at.tag} ${at.name} shows no focus`);
			reached.push(at);
		}
		assert.equal(reached[0].name, "Skip to the numbers");
		for (const name of ["15 min", "24 h", "90 days", "Theme: auto", "Embed both", "All counters"])
			assert.ok(reached.some((at) => at.name === name), `${name} is not reached`);
		for (const id of ["try-a", "try-b", "try-model"]) assert.ok(reached.some((at) => at.id === id), id);
		assert.equal(reached.filter(({ tag, name }) => tag === "SUMMARY" && name === "Table").length, 9);
	}));

test("an alarm is shown with what to do, said aloud, and goes when it is over", async () => {
	const elsewhere = newHome();
	const made = run(["keys", "--home", elsewhere.path, "add", "team", "--budget", "0.000002/day"]);
	run(["keys", "--home", elsewhere.path, "add", "ops", "--admin"]);
	const other = await startGateway(upstream.base, elsewhere.path);
	try {
		await withPage(browser, other.base, "light", async (page) => {
			await untilState(page, "live");
			assert.ok(await page.isHidden("#alarms"));
			const words = Array.from({ length: 30 }, (_, i) => `alarm${i}`).join(" ");
			assert.equal((await embed(other.base, { input: words }, { headers: { authorization: `Bearer ${made.out.trim()}` } })).status, 200);
			await page.waitForSelector("#alarms:not([hidden])");
			assert.match(await page.textContent("#alarm-list"), /budget.*spent.*\(team\).*embed usage/);
			assert.match(await page.textContent("#said"), /larm/);
			assert.match(await page.textContent("#keys tbody"), /team.*of .* a day/);
			assert.equal(run(["keys", "--home", elsewhere.path, "revoke", "team"]).code, 0);
			await page.waitForSelector("#alarms", { state: "hidden" });
		});
	} finally {
		await other.stop("SIGKILL");
		elsewhere.remove();
	}
});

test("the theme is chosen by a button and kept", () =>
	withPage(browser, gateway.base, "light", async (page) => {
		const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
		const light = await paper();
		await page.click("#theme");
		assert.equal(await paper(), light);
		await page.click("#theme");
		assert.notEqual(await paper(), light);
		await page.reload();
		assert.notEqual(await paper(), light);
		assert.equal(await page.textContent("#theme"), "Theme: dark");
	}));

test("from elsewhere it asks for an admin key, refuses a wrong one, and keeps it in this tab only", async () => {
	const made = run(["keys", "--home", home.path, "add", "ops", "--admin"]);
	await sleep(1500);
	await withPage(browser, gateway.base, "light", async (page) => {
		await page.waitForSelector("#ask[open]");
		assert.deepEqual(await gravestFaults(page), []);
		await page.fill("#ask-key", "wrong");
		await page.keyboard.press("Enter");
		await page.waitForFunction(() => document.getElementById("ask-fault").textContent !== "");
		await page.fill("#ask-key", made.out.trim());
		await page.keyboard.press("Enter");
		await untilState(page, "live");
		assert.deepEqual(await page.evaluate(() => [Object.keys(localStorage), document.cookie]), [[], ""]);
		await page.click("#forget");
		await page.waitForSelector("#ask[open]");
	}, { headers: { "x-forwarded-for": "192.0.2.7" }, expected: /401/ });
	run(["keys", "--home", home.path, "revoke", "ops"]);
	await sleep(1500);
});

test("its numbers are those of /metrics", async () => {
	await load.stop();
	await sleep(3500); // the ledger's sums follow within two seconds
	const values = await metrics(gateway.base);
	await withPage(browser, gateway.base, "light", async (page) => {
		await untilState(page, "live");
		await page.click("#counters-box summary");
		await untilSnapshots(page, 2);
		const shown = await page.$$eval("[data-stat]", (nodes) => nodes.map((node) => [node.dataset.stat, Number(node.dataset.value)]));
		assert.ok(shown.length > 30);
		for (const [name, value] of shown) {
			const metric = metricOf(values, name);
			assert.ok(Math.abs(metric - value) <= (name.endsWith("_us") ? 1 : 0), `${name}: ${metric} and ${value}`);
		}
		const snapshot = await (await fetch(`${gateway.base}/dashboard/snapshot`)).json();
		assert.equal(snapshot.usage.today.cost_nano, values.get("embed_cost_nano_total"));
		assert.equal(snapshot.usage.month.saved_nano, values.get("embed_saved_nano_total"));
		const dollars = Number((await page.textContent("#now-cost")).slice(1));
		const cost = snapshot.usage.today.cost_nano / 1e9;
		assert.ok(Math.abs(dollars - cost) <= cost * 0.05 + 1e-9, `${dollars} and ${cost}`);
	});
});

test("it says when nothing comes any more, and comes back by itself", async () => {
	await withPage(browser, gateway.base, "light", async (page) => {
		await untilState(page, "live");
		gateway.child.kill("SIGSTOP");
		await untilState(page, "silent");
		assert.match(await page.textContent("#notice"), /numbers below are old/);
		gateway.child.kill("SIGCONT");
		await untilState(page, "live");
		assert.ok(await page.isHidden("#notice"));
		const address = new URL(gateway.base).host;
		await gateway.stop("SIGKILL");
		await untilState(page, "lost");
		await page.waitForFunction(() => /Not connected for \d+ s/.test(document.getElementById("live-text").textContent));
		gateway = await startGateway(upstream.base, home.path, "--listen", address);
		await untilState(page, "live");
		assert.equal(await page.textContent("#live-text"), "Live");
		await untilSnapshots(page, 1);
		assert.match(await page.textContent("#about"), /up \d+ s/);
	}, { expected: /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/ });
});
