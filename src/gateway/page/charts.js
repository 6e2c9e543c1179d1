// SPDX-License-Identifier: MIT
// Which charts there are, and what each shows in each span.
import { Chart } from "./chart.js";
import { byId } from "./dom.js";
import { spans } from "./data.js";
import { compact, duration, money } from "./format.js";

const quantiles = (of) => [
	{ name: `${of}_p50_us`, label: "p50", tint: "1" },
	{ name: `${of}_p90_us`, label: "p90", tint: "1b" },
	{ name: `${of}_p99_us`, label: "p99", tint: "1c" },
];

// Each: what it is in seconds and minutes, and what in days (null: the ledger does not keep it).
const specs = [{
	title: "Texts a second", kind: "stack", format: compact, series: [
		{ name: "hits_s", label: "store", tint: "1" }, { name: "joined_s", label: "joined", tint: "2" },
		{ name: "sent_s", label: "upstream", tint: "3" }, { name: "failed_s", label: "failed", tint: "bad" }],
	days: { title: "Texts a day", kind: "bars", series: [
		{ name: "hit_texts", label: "store", tint: "1" }, { name: "joined_texts", label: "joined", tint: "2" },
		{ name: "billed_texts", label: "upstream", tint: "3" }] },
}, {
	title: "Waiting for a miss", kind: "band", is_log: true, format: duration, series: quantiles("miss"), days: null,
}, {
	title: "Tokens a minute", kind: "line", format: compact, has_limit: true, series: [
		{ name: "tokens_minute", label: "billed", tint: "3" }, { name: "saved_tokens_minute", label: "not billed", tint: "1" }],
	days: { title: "Tokens a day", kind: "bars", series: [
		{ name: "billed_tokens", label: "billed", tint: "3" }, { name: "hit_tokens", label: "store", tint: "1" }, { name: "joined_tokens", label: "joined", tint: "2" }] },
}, {
	title: "Dollars an hour", kind: "line", format: money, series: [
		{ name: "cost_hour", label: "spent", tint: "3" }, { name: "saved_hour", label: "saved", tint: "1" }],
	days: { title: "Dollars a day", kind: "bars", series: [
		{ name: "cost_nano", label: "spent", tint: "3" }, { name: "saved_nano", label: "saved", tint: "1" }] },
}, {
	title: "Upstream's answer time", kind: "band", is_log: true, format: duration, series: quantiles("attempt"), days: null,
}, {
	title: "Look-up in the store", kind: "band", is_log: true, format: duration, series: quantiles("hit"), days: null,
}, {
	title: "Queue", kind: "line", format: compact, series: [
		{ name: "queued_texts", label: "texts waiting", tint: "3" }, { name: "in_flight", label: "requests under way", tint: "2" }], days: null,
}, {
	title: "Texts in a batch", kind: "line", format: compact, series: [{ name: "batch_texts", label: "mean", tint: "3" }],
	days: { title: "Texts in a batch", kind: "line", series: [{ name: "batch_texts", label: "mean", tint: "3" }] },
}, {
	title: "Requests upstream a second", kind: "line", format: compact, series: [
		{ name: "attempts_s", label: "sent", tint: "2" }, { name: "attempts_failed_s", label: "without vectors", tint: "bad" }],
	days: { title: "Requests upstream a day", kind: "line", series: [
		{ name: "attempts", label: "sent", tint: "2" }, { name: "failed_attempts", label: "without vectors", tint: "bad" }] },
}];

const ABSENT = "Kept for 24 hours only.";

export class Charts {
	constructor(history, say) {
		Object.assign(this, { history, span: "15m", zoom: null, limit: 0 });
		const on = {
			cursor: (time) => this.shown().forEach((chart) => chart.setCursor(time)),
			zoom: (from, to) => this.setZoom(from, to),
			unzoom: () => this.setZoom(null),
			say,
		};
		this.pairs = specs.map((spec) => {
			const now = new Chart(spec, on);
			const days = spec.days ? new Chart({ ...spec, ...spec.days }, on) : now;
			days.node.hidden = days !== now;
			byId("charts").append(now.node, ...(days === now ? [] : [days.node]));
			return { spec, now, days };
		});
	}

	shown() {
		return this.pairs.map(({ now, days }) => this.span === "90d" ? days : now);
	}

	async setSpan(span) {
		Object.assign(this, { span, zoom: null });
		for (const { now, days } of this.pairs) {
			if (now === days) continue;
			now.node.hidden = span === "90d";
			days.node.hidden = span !== "90d";
		}
		this.onZoom?.(null);
		await this.history.refresh(span);
		this.show();
	}

	// All of the span, or less while there is not that much to show.
	window() {
		const { seconds, least } = spans[this.span];
		const end = this.span === "90d" ? Math.floor(this.now / 86400) * 86400 + 43200 : this.now;
		const first = this.history.held[this.span]?.times[0] ?? end;
		return [end - Math.min(seconds, Math.max(least, (end - first) * 1.02)), end];
	}

	setZoom(from, to) {
		const step = this.history.held[this.span]?.step_s ?? 1;
		if (from === null) this.zoom = null;
		else {
			const [first, last] = this.window();
			const wide = Math.min(Math.max(to - from, 10 * step), last - first);
			const begin = Math.min(Math.max(from, first), last - wide);
			this.zoom = wide >= (last - first) * 0.98 ? null : [begin, begin + wide];
		}
		this.onZoom?.(this.zoom);
		this.show();
	}

	show() {
		const data = this.history.view(this.span);
		if (!data || !this.now) return;
		const [from, to] = this.zoom ?? this.window();
		for (const { spec, now, days } of this.pairs) {
			const is_absent = this.span === "90d" && !spec.days;
			(this.span === "90d" ? days : now).show(data, from, to,
				{ limit: spec.has_limit && this.span !== "90d" ? this.limit : 0, absent: is_absent ? ABSENT : "" });
		}
	}

	describe() {
		this.shown().forEach((chart) => chart.describe());
	}
}
