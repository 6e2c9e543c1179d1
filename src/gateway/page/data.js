// SPDX-License-Identifier: MIT
// What is shown over time: three spans, fetched, then kept up to date from the stream.
import { ask } from "./stream.js";

export const spans = {
	"15m": { seconds: 900, least: 120, form: "seconds", words: "last 15 minutes" },
	"24h": { seconds: 86400, least: 3600, form: "minutes", words: "last 24 hours", every_ms: 60000 },
	"90d": { seconds: 90 * 86400, least: 14 * 86400, form: "days", words: "last 90 days", every_ms: 60000 },
};

export class History {
	constructor() {
		this.held = {};
	}

	// True when there was something new to fetch.
	async refresh(name, is_forced = false) {
		const held = this.held[name];
		if (held && !is_forced && !(performance.now() - held.fetched > spans[name].every_ms)) return false;
		const { step_s, time, ...columns } = await (await ask(`/dashboard/history?span=${name}`)).json();
		this.held[name] = { times: time, columns, step_s, form: spans[name].form, fetched: performance.now() };
		return true;
	}

	add(second) {
		const held = this.held["15m"];
		if (!held || second.time <= held.times.at(-1)) return;
		held.times.push(second.time);
		for (const [name, values] of Object.entries(held.columns)) values.push(second[name] ?? 0);
		if (held.times.length <= spans["15m"].seconds) return;
		held.times.shift();
		for (const values of Object.values(held.columns)) values.shift();
	}

	// The sum of a series over the last `seconds`, and how many of them there are.
	recent(name, seconds) {
		const held = this.held["15m"];
		if (!held) return { sum: 0, count: 0 };
		const since = held.times.at(-1) - seconds;
		let sum = 0, count = 0;
		for (let i = held.times.length - 1; i >= 0 && held.times[i] > since; i--, count++) sum += held.columns[name][i];
		return { sum, count };
	}

	tail(name, points) {
		return this.held["15m"]?.columns[name].slice(-points) ?? [];
	}

	// A span's columns with those that are computed from others.
	view(name) {
		const held = this.held[name];
		if (!held) return null;
		return { ...held, columns: name === "90d" ? dayColumns(held.columns) : pointColumns(held.columns, held.step_s) };
	}
}

const map = (values, by) => values.map(by);

// Counts become rates, so that seconds and minutes have one scale.
function pointColumns(c, step_s) {
	const a_second = (values) => map(values, (value) => value / step_s);
	const batch = (texts, i) => c.attempts[i] > c.attempts_failed[i] ? texts[i] / (c.attempts[i] - c.attempts_failed[i]) : 0;
	return {
		...c,
		hits_s: a_second(c.hits), joined_s: a_second(c.joined), sent_s: a_second(c.sent_texts), failed_s: a_second(c.failed),
		tokens_minute: map(c.billed_tokens, (value) => value * 60 / step_s),
		saved_tokens_minute: map(c.text_tokens, (value, i) => Math.max(0, value - c.billed_tokens[i]) * 60 / step_s),
		cost_hour: map(c.cost_nano, (value) => value * 3600 / step_s),
		saved_hour: map(c.saved_nano, (value) => value * 3600 / step_s),
		batch_texts: map(c.sent_texts, (_, i) => batch(c.sent_texts, i)),
		attempts_s: a_second(c.attempts), attempts_failed_s: a_second(c.attempts_failed),
	};
}

function dayColumns(c) {
	return { ...c, batch_texts: map(c.billed_texts, (value, i) => {
		const answered = c.attempts[i] - c.failed_attempts[i];
		return answered > 0 ? value / answered : 0;
	}) };
}
