// SPDX-License-Identifier: MIT
// Upstreams, keys, errors, alarms, counters.
import { byId, element, meter, setText } from "./dom.js";
import { ago, clock, compact, duration, exact, exactMoney, money, percent } from "./format.js";
import { Table } from "./table.js";

const state = (word, level) => element("span", { class: "state", "data-level": level }, word);
const dim = (text) => element("span", { class: "dim" }, text);
const pair = (text, below) => [text, " ", dim(below)];

const breakers = {
	closed: () => state("in use", "fine"), open: () => state("avoided", "bad"), "half-open": () => state("being tried", "high"),
};

// How much of a limit is used up at this moment.
function limitCell(limit, left, what) {
	if (!limit) return dim("not known");
	const used = Math.min(1, Math.max(0, 1 - left / limit));
	return element("span", { class: "limit-cell" }, meter(used, `${percent(used)} of the ${what} are used`), dim(`${compact(Math.max(0, left))} of ${compact(limit)}`));
}

const upstreamColumns = [
	{ name: "name", label: "Upstream", value: (row) => row.name, cell: (row) => row.name === row.host.split("/")[0] ? row.name : pair(row.name, row.host) },
	{ name: "breaker", label: "State", value: (row) => row.breaker, cell: (row) => row.is_barred ? state("refuses us", "bad") : breakers[row.breaker]?.() ?? row.breaker },
	{ name: "slots", label: "Under way", is_number: true, value: (row) => row.in_flight, cell: (row) => `${row.in_flight} of ${row.slots}` },
	{ name: "requests", label: "Requests left a minute", value: (row) => row.requests_left, cell: (row) => limitCell(row.requests_per_minute, row.requests_left, "requests a minute") },
	{ name: "tokens", label: "Tokens left a minute", value: (row) => row.tokens_left, cell: (row) => limitCell(row.tokens_per_minute, row.tokens_left, "tokens a minute") },
	{ name: "attempts", label: "Requests sent", is_number: true, value: (row) => row.attempts, cell: (row) => exact(row.attempts) },
	{ name: "failures", label: "Failed", is_number: true, value: (row) => row.failures, cell: (row) => row.failures ? pair(exact(row.failures), percent(row.failures / row.attempts)) : "0" },
	{ name: "error", label: "Last error", value: (row) => row.last_error_time, cell: (row) => row.last_error ? pair(row.last_error, clock(row.last_error_time, "seconds")) : dim("none") },
];

function budgetCell(row) {
	if (!row.is_known) return dim("–");
	if (!row.budget_nano) return row.spent_nano ? money(row.spent_nano) : dim("no budget");
	const share = row.spent_nano / row.budget_nano;
	const period = row.period === "ever" ? "" : ` a ${row.period}`;
	return element("span", { class: "limit-cell" }, meter(share, `${percent(share)} of the budget is spent`),
		dim(`${money(row.spent_nano)} of ${money(row.budget_nano)}${period}`));
}

const textsOf = ({ today }) => today.billed_texts + today.hit_texts + today.joined_texts;

const keyColumns = [
	{ name: "name", label: "Key", value: (row) => row.name, cell: (row) => row.is_admin ? pair(row.name, "admin") : row.is_known ? row.name : row.name ? pair(row.name, "removed") : dim("without a key") },
	{ name: "lane", label: "Lane", value: (row) => row.lane ?? "", cell: (row) => row.lane ?? dim("–") },
	{ name: "texts", label: "Texts today", is_number: true, value: textsOf, cell: (row) => exact(textsOf(row)) },
	{ name: "tokens", label: "Billed tokens today", is_number: true, value: (row) => row.today.billed_tokens, cell: (row) => exact(row.today.billed_tokens) },
	{ name: "cost", label: "Cost today", is_number: true, value: (row) => row.today.cost_nano, cell: (row) => money(row.today.cost_nano) },
	{ name: "month", label: "This month", is_number: true, value: (row) => row.month.cost_nano, cell: (row) => money(row.month.cost_nano) },
	{ name: "saved", label: "Saved this month", is_number: true, value: (row) => row.month.saved_nano, cell: (row) => money(row.month.saved_nano) },
	{ name: "budget", label: "Budget", value: (row) => row.budget_nano ? row.spent_nano / row.budget_nano : -1, cell: budgetCell },
	{ name: "limits", label: "Left a minute", value: (row) => row.requests_left ?? -1, cell: limits },
];

function limits(row) {
	if (!row.is_known) return dim("–");
	const parts = [];
	if (row.requests_per_minute) parts.push(`${compact(row.requests_left)} of ${compact(row.requests_per_minute)} requests`);
	if (row.tokens_per_minute) parts.push(`${compact(row.tokens_left)} of ${compact(row.tokens_per_minute)} tokens`);
	return dim(parts.join(", ") || "no limit");
}

const errorColumns = [
	{ name: "event", label: "What", value: (row) => row.event, cell: (row) => [state(row.event.replaceAll("_", " "), "bad")] },
	{ name: "text", label: "Why", cell: (row) => row.text || dim("–") },
	{ name: "count", label: "Times", is_number: true, value: (row) => row.count, cell: (row) => exact(row.count) },
	{ name: "last", label: "Last", is_number: true, value: (row) => row.last, cell: (row) => row.ago },
	{ name: "do", label: "What to do", cell: (row) => row.do || dim("–") },
];

const counterColumns = [
	{ name: "name", label: "Name", value: (row) => row.name, cell: (row) => element("code", {}, row.name) },
	{ name: "value", label: "Value", is_number: true, value: (row) => row.value, cell: (row) => element("span", { "data-stat": row.name, "data-value": row.value }, row.shown) },
	{ name: "unit", label: "Unit", value: (row) => row.unit, cell: (row) => dim(row.unit) },
	{ name: "meaning", label: "Meaning", cell: (row) => row.meaning },
];

function shownCounter(value, unit) {
	if (unit === "nano-dollars") return exactMoney(value);
	return unit === "microseconds" ? duration(value) : exact(value);
}

export class Tables {
	constructor() {
		this.upstreams = new Table(byId("upstreams"), upstreamColumns, { empty: "No upstream: this gateway is offline." });
		this.keys = new Table(byId("keys"), keyColumns, { empty: "No keys: whoever is on the gateway's machine may use it. embed keys add NAME makes one.", sort: { name: "cost", falls: true } });
		this.errors = new Table(byId("errors"), errorColumns, { empty: "Nothing has gone wrong since the start.", sort: { name: "last", falls: true } });
		this.counters = new Table(byId("counters"), counterColumns, { empty: "" });
		this.names = {};
	}

	show(snapshot) {
		this.upstreams.show(snapshot.upstreams);
		this.keys.show(snapshot.keys);
		setText(byId("keys-hint"), snapshot.key_rows > snapshot.keys.length ? `${snapshot.keys.length} of ${exact(snapshot.key_rows)} are shown: those that cost most this month.` : "");
		const now = snapshot.time_ms / 1000;
		this.errors.show([...snapshot.errors, ...snapshot.faults].map((row) => ({ ...row, ago: ago(now - row.last) })));
		if (byId("counters-box").open) this.showCounters(snapshot);
		this.showAlarms(snapshot.alarms, now);
	}

	showCounters({ stats }) {
		this.counters.show(Object.entries(stats).map(([name, value]) => {
			const { unit = "", meaning = "" } = this.names[name] ?? {};
			return { name, value, unit, meaning, shown: shownCounter(value, unit) };
		}));
	}

	showAlarms({ raised, events }, now) {
		const cleared = events.filter(({ is_raised }) => !is_raised).slice(0, 3);
		const rows = [...raised, ...cleared].map((alarm) => ({ ...alarm, ago: ago(now - alarm.time) }));
		const text = JSON.stringify(rows);
		byId("alarms").hidden = raised.length === 0;
		if (text === this.alarms) return;
		this.alarms = text;
		byId("alarm-list").replaceChildren(...rows.map((alarm) => element("li", {},
			alarm.is_raised ? state(alarm.meaning, "high") : dim(`over: ${alarm.meaning}`),
			alarm.subject ? ` (${alarm.subject})` : "", alarm.is_raised ? `; ${alarm.do} ` : " ", dim(alarm.ago))));
		this.onAlarm?.(raised);
	}
}
