// SPDX-License-Identifier: MIT
// Chromium on the dashboard: every request, console line and fault of the page is kept, and judged at the end.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export const screens = {
	light: { viewport: { width: 1360, height: 900 }, colorScheme: "light" },
	dark: { viewport: { width: 1360, height: 900 }, colorScheme: "dark" },
	phone: { viewport: { width: 390, height: 844 }, colorScheme: "light", isMobile: true, hasTouch: true },
};

export const launch = () => chromium.launch({
	executablePath: process.env.CHROMIUM,
	args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync"],
});

// Runs body(page) on the dashboard at `base`; options.expected: console lines that may come.
export async function withPage(browser, base, screen, body, { expected, headers } = {}) {
	const context = await browser.newContext({ ...screens[screen], extraHTTPHeaders: headers ?? {} });
	const page = await context.newPage();
	const faults = [];
	page.on("console", (message) => {
		if (["error", "warning"].includes(message.type()) && !expected?.test(message.text())) faults.push(message.text());
	});
	page.on("pageerror", (error) => faults.push(error.message));
	page.on("request", (request) => {
		if (new URL(request.url()).origin !== base) faults.push(`a request to ${request.url()}`);
	});
	try {
		await page.goto(base);
		await body(page);
		assert.deepEqual(faults, []);
	} finally {
		await context.close();
	}
}

export const untilState = (page, state) =>
	page.waitForFunction((wanted) => document.documentElement.dataset.state === wanted, state, { timeout: 25000 });

export const untilSnapshots = (page, count) => page.evaluate(async (wanted) => {
	const seen = () => document.getElementById("about").textContent;
	for (let got = 0, last = seen(); got < wanted;) {
		await new Promise((done) => setTimeout(done, 100));
		if (seen() !== last) got++, last = seen();
	}
}, count);

// Faults that axe-core calls serious or critical, in a form that can be read.
export async function gravestFaults(page) {
	await page.evaluate(axe);
	const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
	return violations.filter(({ impact }) => impact === "serious" || impact === "critical")
		.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`);
}
