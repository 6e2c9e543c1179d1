// SPDX-License-Identifier: MIT
// The big numbers.
import { byId, element, meter, setText, svg } from "./dom.js";
import { compact, duration, exact, money, percent } from "./format.js";

const SPARK_POINTS = 120;

function sparkline(values) {
	const top = Math.max(...values, 1e-9);
	const path = values.map((value, i) => `${i ? "L" : "M"}${(100 - (values.length - 1 - i) * 100 / (SPARK_POINTS - 1)).toFixed(1)} ${(23 - 22 * value / top).toFixed(1)}`).join("");
	const mark = svg("svg", { viewBox: "0 0 100 24", preserveAspectRatio: "none", class: "spark", "aria-hidden": "true", focusable: "false" });
	if (values.length > 1) mark.append(svg("path", { d: path }));
	return mark;
}

class Cell {
	constructor(id, label) {
		this.value = element("dd", { class: "value", id });
		this.below = element("dd", { class: "below", id: `${id}-below` });
		this.picture = element("dd", { class: "picture" });
		this.node = element("dl", { class: "cell" }, element("dt", {}, label), this.value, this.below, this.picture);
	}

	show(value, below, picture) {
		setText(this.value, value);
		setText(this.below, below);
		this.picture.replaceChildren(...(picture ? [picture] : []));
	}
}

export class Now {
	constructor(history) {
		this.history = history;
		this.cells = {
			texts: new Cell("now-texts", "Texts a second"),
			ratio: new Cell("now-ratio", "Not paid for"),
			p99: new Cell("now-p99", "Misses, p99"),
			tokens: new Cell("now-tokens", "Tokens a minute"),
			cost: new Cell("now-cost", "Cost today"),
			saved: new Cell("now-saved", "Saved today"),
		};
		byId("now").append(...Object.values(this.cells).map(({ node }) => node));
	}

	show(snapshot, limit) {
		this.showTexts();
		this.showRatio(snapshot.stats);
		this.showLatency(snapshot);
		this.showTokens(limit);
		this.showMoney(snapshot);
	}

	showTexts() {
		const { sum, count } = this.history.recent("texts", 5), minute = this.history.recent("requests", 60);
		this.cells.texts.show(compact(count ? sum / count : 0), `${exact(minute.sum)} requests in the last minute`,
			sparkline(this.history.tail("texts", SPARK_POINTS)));
	}

	showRatio(stats) {
		const texts = this.history.recent("texts", 60).sum;
		const free = this.history.recent("hits", 60).sum + this.history.recent("joined", 60).sum;
		const since = stats.texts ? (stats.hits + stats.joined) / stats.texts : NaN;
		this.cells.ratio.show(percent(texts ? free / texts : NaN), `last minute; ${percent(since)} since the start`,
			texts ? meter(Math.min(free / texts, 0.799), `${percent(free / texts)} of the last minute's texts were not paid for`) : null);
	}

	showLatency({ second, latency }) {
		if (second.miss_p99_us) this.lastMiss = second.miss_p99_us;
		this.cells.p99.show(duration(this.lastMiss ?? latency.miss.p99_us),
			`hits ${duration(latency.hit.p99_us)}; misses ${duration(latency.miss.p99_us)} since the start`,
			sparkline(this.history.tail("miss_p99_us", SPARK_POINTS)));
	}

	showTokens(limit) {
		const { sum } = this.history.recent("billed_tokens", 60);
		this.cells.tokens.show(compact(sum), limit ? `of ${compact(limit)} that the account allows` : "billed; the account's limit is not known yet",
			limit ? meter(sum / limit, `${percent(sum / limit)} of the account's tokens a minute`) : sparkline(this.history.tail("billed_tokens", SPARK_POINTS)));
	}

	showMoney({ usage: { today, month }, keys }) {
		const budgets = budgetsOf(keys);
		this.cells.cost.show(money(today.cost_nano), `${money(month.cost_nano)} this month${budgets.words}`,
			budgets.limit ? meter(budgets.spent / budgets.limit, `${percent(budgets.spent / budgets.limit)} of the keys' budgets is spent`)
				: sparkline(this.history.tail("cost_nano", SPARK_POINTS)));
		this.cells.saved.show(money(today.saved_nano), `${money(month.saved_nano)} this month, by store and flights`,
			sparkline(this.history.tail("saved_nano", SPARK_POINTS)));
	}
}

// What the keys' budgets come to, by the month where there are such, else by the day.
function budgetsOf(keys) {
	const of = (wanted) => keys.filter(({ budget_nano, period }) => budget_nano && period === wanted);
	const period = of("month").length ? "month" : "day", chosen = of(period);
	const sum = (name) => chosen.reduce((total, row) => total + row[name], 0);
	const limit = sum("budget_nano"), spent = sum("spent_nano");
	return { limit, spent, words: limit ? `; budgets: ${money(spent)} of ${money(limit)} a ${period}` : "" };
}
