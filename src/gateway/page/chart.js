// SPDX-License-Identifier: MIT
// One chart over time, drawn as SVG: stacked areas, lines, bands between quantiles, or bars.
//
// A chart is given points (times and one array for each series) and the window to show.  It reads
// out the point under the pointer or the keyboard's cursor, tells its owner what range was dragged,
// and says in words and in a table what it draws.
import { element, setText, svg } from "./dom.js";
import { niceTicks, logTicks, timeTicks } from "./scale.js";
import { clock } from "./format.js";

const HEIGHT = 168, LEFT = 52, RIGHT = 10, TOP = 8, BOTTOM = 22;
const TABLE_ROWS = 15;
let made = 0;

export class Chart {
	// spec: {title, note, kind: "stack" | "line" | "band" | "bars", is_log, format, series: [{name, label, tint}]}
	// on: {cursor(time or null), zoom(from, to), unzoom(), say(text)}
	constructor(spec, on) {
		Object.assign(this, { spec, on, id: `chart-${++made}`, width: 0, cursor: null });
		this.marks = svg("g"), this.axes = svg("g", { class: "axes" }), this.front = svg("g");
		this.svg = svg("svg", { height: HEIGHT, "aria-hidden": "true", focusable: "false" }, this.axes, this.marks, this.front);
		this.plot = element("div", { class: "plot", tabindex: "0", role: "group", "aria-roledescription": "chart",
			"aria-labelledby": `${this.id}-title`, "aria-describedby": `${this.id}-sum chart-hint` }, this.svg);
		this.legend = element("ul", { class: "legend" });
		this.values = spec.series.map((series) => this.legendRow(series));
		this.when = element("span", { class: "when" });
		this.summary = element("p", { class: "unseen", id: `${this.id}-sum` });
		this.none = element("p", { class: "none", hidden: true });
		this.table = element("table", { "aria-labelledby": `${this.id}-title` });
		this.details = element("details", { class: "as-table" }, element("summary", {}, "Table"),
			element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": `${spec.title}, as a table` }, this.table));
		this.details.addEventListener("toggle", () => this.writeTable());
		this.node = element("figure", { class: "chart", "data-kind": spec.kind },
			element("figcaption", {}, element("h3", { id: `${this.id}-title` }, spec.title), this.when),
			this.legend, this.plot, this.none, this.summary, this.details);
		this.bindPointer();
		this.bindKeys();
		new ResizeObserver(([entry]) => {
			this.width = Math.floor(entry.contentRect.width);
			this.draw();
		}).observe(this.plot);
	}

	legendRow({ label, tint }) {
		const value = element("b");
		const row = element("li", { "data-tint": tint }, element("span", { class: "swatch", "aria-hidden": "true" }),
			element("span", {}, label), value);
		this.legend.append(row);
		return value;
	}

	// data: {times, columns: {name: [..]}, step_s, form}; limit: a level to draw as a line, or 0.
	show(data, from, to, { limit = 0, absent = "" } = {}) {
		Object.assign(this, { data, from, to, limit });
		this.none.hidden = !absent;
		this.plot.hidden = this.legend.hidden = this.details.hidden = Boolean(absent);
		setText(this.none, absent);
		if (absent) {
			setText(this.when, "");
			setText(this.summary, absent);
			return;
		}
		this.draw();
		if (this.details.open) this.writeTable();
	}

	// ---- Points within the window --------------------------------------------

	range() {
		const { times } = this.data;
		let first = times.findIndex((time) => time >= this.from - this.data.step_s);
		let last = times.length - 1;
		if (first < 0) first = times.length;
		while (last >= 0 && times[last] > this.to) last--;
		return [first, last];
	}

	value(name, i) {
		return this.data.columns[name][i];
	}

	total(i) {
		return this.spec.series.reduce((sum, { name }) => sum + this.value(name, i), 0);
	}

	highest(first, last) {
		let top = 0;
		for (let i = first; i <= last; i++)
			if (this.spec.kind === "stack" || this.spec.kind === "bars") top = Math.max(top, this.total(i));
			else for (const { name } of this.spec.series) top = Math.max(top, this.value(name, i));
		return top;
	}

	lowest(first, last) {
		let low = Infinity;
		for (let i = first; i <= last; i++)
			for (const { name } of this.spec.series) {
				const value = this.value(name, i);
				if (value > 0) low = Math.min(low, value);
			}
		return low;
	}

	// ---- Drawing ------------------------------------------------------------------

	draw() {
		if (!this.data || this.width < 80) return;
		const [first, last] = this.range();
		this.svg.setAttribute("width", this.width);
		this.setScales(first, last);
		this.drawAxes();
		this.marks.replaceChildren(...(last >= first ? this[this.spec.kind](first, last) : []));
		this.drawLimit();
		this.readOut();
	}

	setScales(first, last) {
		const inner = this.width - LEFT - RIGHT, high = HEIGHT - TOP - BOTTOM;
		let top = this.highest(first, last);
		if (this.limit && this.limit < top * 4) top = Math.max(top, this.limit);
		this.ticks = this.spec.is_log ? logTicks(this.lowest(first, last), top) : niceTicks(top);
		const low = this.ticks[0], peak = this.ticks.at(-1);
		this.x = (time) => LEFT + inner * (time - this.from) / (this.to - this.from);
		this.y = this.spec.is_log
			? (value) => TOP + high * (1 - Math.log(Math.max(value, low) / low) / Math.log(peak / low))
			: (value) => TOP + high * (1 - value / peak);
	}

	drawAxes() {
		const lines = this.ticks.flatMap((tick) => {
			const y = Math.round(this.y(tick)) + 0.5;
			const label = svg("text", { x: LEFT - 8, y: y + 3.5, "text-anchor": "end" });
			label.textContent = this.spec.format(tick);
			return [svg("line", { x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y }), label];
		});
		const count = Math.max(2, Math.floor((this.width - LEFT) / 85));
		const fits = (time) => this.x(time) > LEFT + 10 && this.x(time) < this.width - 30;
		const times = timeTicks(this.from, this.to, count).filter(fits).map((time) => {
			const label = svg("text", { x: this.x(time), y: HEIGHT - 6, "text-anchor": "middle" });
			label.textContent = clock(time, this.data.form === "days" ? "days" : this.to - this.from < 300 ? "seconds" : "minutes");
			return label;
		});
		this.axes.replaceChildren(...lines, ...times);
	}

	// Runs of points without a hole in time.
	runs(first, last, has = () => true) {
		const runs = [];
		let run = null;
		for (let i = first; i <= last; i++) {
			const hole = run && this.data.times[i] - this.data.times[i - 1] > 2.5 * this.data.step_s;
			if (!has(i)) run = null;
			else if (run && !hole) run[1] = i;
			else runs.push(run = [i, i]);
		}
		return runs;
	}

	path([first, last], at) {
		let path = "";
		for (let i = first; i <= last; i++)
			path += `${i === first ? "M" : "L"}${this.x(this.data.times[i]).toFixed(1)} ${this.y(at(i)).toFixed(1)}`;
		return path;
	}

	area([first, last], low, high) {
		let back = "";
		for (let i = last; i >= first; i--)
			back += `L${this.x(this.data.times[i]).toFixed(1)} ${this.y(low(i)).toFixed(1)}`;
		return `${this.path([first, last], high)}${back}Z`;
	}

	mark(path, tint, kind) {
		return svg("path", { d: path, "data-tint": tint, class: kind });
	}

	stack(first, last) {
		const base = new Float64Array(last + 1), marks = [];
		for (const { name, tint } of this.spec.series) {
			const low = base.slice();
			for (let i = first; i <= last; i++) base[i] += this.value(name, i);
			const high = base.slice();
			for (const run of this.runs(first, last, (i) => high[i] > low[i])) {
				marks.push(this.mark(this.area(run, (i) => low[i], (i) => high[i]), tint, "area"));
				marks.push(this.mark(this.path(run, (i) => high[i]), tint, "edge"));
			}
		}
		return marks;
	}

	line(first, last) {
		return this.spec.series.flatMap(({ name, tint }) => this.runs(first, last)
			.map((run) => this.mark(this.path(run, (i) => this.value(name, i)), tint, "line")));
	}

	// Series in rising order: the first is a line, the areas up to each next one are bands.
	band(first, last) {
		const [lowest, ...others] = this.spec.series;
		const runs = this.runs(first, last, (i) => this.value(lowest.name, i) > 0);
		const bands = others.map(({ name, tint }, nth) => {
			const below = this.spec.series[nth].name;
			return runs.map((run) => this.mark(this.bandPath(run, below, name), tint, "band"));
		});
		return [...bands.flat(), ...runs.map((run) => this.mark(this.linePath(run, lowest.name), lowest.tint, "line"))];
	}

	// A point that stands alone is drawn as wide as its step.
	bandPath([first, last], below, above) {
		if (first < last) return this.area([first, last], (i) => this.value(below, i), (i) => this.value(above, i));
		const x = this.x(this.data.times[first]), low = this.y(this.value(below, first)), high = this.y(this.value(above, first));
		return `M${x - 1} ${low}L${x - 1} ${high}L${x + 1} ${high}L${x + 1} ${low}Z`;
	}

	linePath([first, last], name) {
		if (first < last) return this.path([first, last], (i) => this.value(name, i));
		const x = this.x(this.data.times[first]), y = this.y(this.value(name, first));
		return `M${x - 1.5} ${y}L${x + 1.5} ${y}`;
	}

	bars(first, last) {
		const base = new Float64Array(last + 1), marks = [];
		const wide = Math.max(1, Math.min(26, (this.x(this.data.step_s) - this.x(0)) * 0.7));
		for (const { name, tint } of this.spec.series) {
			let path = "";
			for (let i = first; i <= last; i++) {
				const from = this.y(base[i]), to = this.y(base[i] += this.value(name, i));
				const x = this.x(this.data.times[i]) - wide / 2;
				if (from - to > 0.2) path += `M${x.toFixed(1)} ${from.toFixed(1)}V${to.toFixed(1)}h${wide.toFixed(1)}V${from.toFixed(1)}Z`;
			}
			marks.push(this.mark(path, tint, "bar"));
		}
		return marks;
	}

	drawLimit() {
		const y = this.limit ? this.y(this.limit) : -1;
		if (y < TOP - 1) return;
		const label = svg("text", { x: this.width - RIGHT, y: y < TOP + 12 ? y + 13 : y - 4, "text-anchor": "end", class: "limit-label" });
		label.textContent = `limit ${this.spec.format(this.limit)}`;
		this.marks.append(svg("line", { x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y, class: "limit" }), label);
	}

	// ---- Reading ---------------------------------------------------------------------

	nearest(time) {
		const [first, last] = this.range();
		let best = -1;
		for (let i = first; i <= last; i++)
			if (best < 0 || Math.abs(this.data.times[i] - time) < Math.abs(this.data.times[best] - time)) best = i;
		return best;
	}

	// The cursor's point, else the newest of the window.
	readOut() {
		const [, last] = this.range();
		const at = this.cursor === null ? last : this.nearest(this.cursor);
		this.front.replaceChildren();
		this.spec.series.forEach(({ name }, i) => setText(this.values[i], at < 0 ? "–" : this.spec.format(this.value(name, at))));
		setText(this.when, this.cursor === null || at < 0 ? "" : clock(this.data.times[at], this.data.form));
		if (this.cursor !== null && at >= 0) {
			const x = this.x(this.data.times[at]);
			this.front.append(svg("line", { x1: x, x2: x, y1: TOP, y2: HEIGHT - BOTTOM, class: "cursor" }));
		}
		if (this.drag) {
			const [a, b] = [this.drag.from, this.drag.to].map(this.x).sort((p, q) => p - q);
			this.front.append(svg("rect", { x: a, y: TOP, width: b - a, height: HEIGHT - TOP - BOTTOM, class: "drag" }));
		}
	}

	setCursor(time) {
		if (time === this.cursor) return;
		this.cursor = time;
		if (this.data && this.x && !this.plot.hidden) this.readOut();
	}

	// What a look at the picture tells.
	describe() {
		if (!this.data || this.plot.hidden) return;
		const [first, last] = this.range();
		if (last < first) return setText(this.summary, "Nothing yet.");
		const parts = this.spec.series.map(({ name, label }) => {
			const values = this.data.columns[name].slice(first, last + 1);
			const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
			return `${label}: now ${this.spec.format(values.at(-1))}, mean ${this.spec.format(mean)}, highest ${this.spec.format(Math.max(...values))}`;
		});
		setText(this.summary, `${clock(this.data.times[first], this.data.form)} to ${clock(this.data.times[last], this.data.form)}. ${parts.join(". ")}.`);
	}

	writeTable() {
		const [first, last] = this.range();
		const step = Math.max(1, Math.ceil((last - first + 1) / TABLE_ROWS)), rows = [];
		for (let i = last; i >= first && this.details.open; i -= step)
			rows.push(element("tr", {}, element("th", { scope: "row" }, clock(this.data.times[i], this.data.form)),
				...this.spec.series.map(({ name }) => element("td", { class: "number" }, this.spec.format(this.value(name, i))))));
		this.table.replaceChildren(
			element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Time"),
				...this.spec.series.map(({ label }) => element("th", { scope: "col", class: "number" }, label)))),
			element("tbody", {}, ...rows));
	}

	// ---- Pointer and keys ---------------------------------------------------------------

	timeAt(event) {
		const x = event.clientX - this.svg.getBoundingClientRect().left;
		const share = (x - LEFT) / (this.width - LEFT - RIGHT);
		return this.from + Math.min(1, Math.max(0, share)) * (this.to - this.from);
	}

	bindPointer() {
		this.plot.addEventListener("pointerdown", (event) => {
			if (event.button !== 0 || !this.data) return;
			const time = this.timeAt(event);
			this.drag = { from: time, to: time };
			this.plot.setPointerCapture(event.pointerId);
		});
		this.plot.addEventListener("pointermove", (event) => {
			if (!this.data) return;
			const time = this.timeAt(event);
			if (this.drag) this.drag.to = time;
			this.on.cursor(time);
			if (this.drag) this.readOut();
		});
		this.plot.addEventListener("pointerup", () => this.endDrag(true));
		this.plot.addEventListener("pointercancel", () => this.endDrag(false));
		this.plot.addEventListener("pointerleave", () => this.on.cursor(null));
		this.plot.addEventListener("dblclick", () => this.on.unzoom());
	}

	endDrag(is_wanted) {
		const drag = this.drag;
		this.drag = null;
		if (!drag) return;
		const [from, to] = [drag.from, drag.to].sort((a, b) => a - b);
		if (is_wanted && this.x(to) - this.x(from) > 8) this.on.zoom(from, to);
		this.draw();
	}

	bindKeys() {
		const step = (count) => this.moveCursor(count);
		const keys = {
			ArrowLeft: (event) => step(event.shiftKey ? -10 : -1),
			ArrowRight: (event) => step(event.shiftKey ? 10 : 1),
			Home: () => this.jump(this.from), End: () => this.jump(this.to),
			"+": () => this.scale(0.5), "=": () => this.scale(0.5), "-": () => this.scale(2),
			Escape: () => { this.on.cursor(null); this.on.unzoom(); },
		};
		this.plot.addEventListener("keydown", (event) => {
			if (!keys[event.key] || !this.data || event.ctrlKey || event.metaKey || event.altKey) return;
			event.preventDefault();
			keys[event.key](event);
		});
		this.plot.addEventListener("blur", () => this.on.cursor(null));
	}

	moveCursor(count) {
		const [first, last] = this.range();
		if (last < first) return;
		const at = this.cursor === null ? last : this.nearest(this.cursor);
		this.jump(this.data.times[Math.min(last, Math.max(first, at + (this.cursor === null ? 0 : count)))]);
	}

	jump(time) {
		this.on.cursor(time);
		const at = this.nearest(time);
		if (at < 0) return;
		this.on.say(`${clock(this.data.times[at], this.data.form)}: ${this.spec.series
			.map(({ name, label }) => `${label} ${this.spec.format(this.value(name, at))}`).join(", ")}`);
	}

	scale(by) {
		const middle = this.cursor ?? (this.from + this.to) / 2, half = (this.to - this.from) * by / 2;
		this.on.zoom(middle - half, middle + half);
	}
}
