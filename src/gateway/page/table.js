// SPDX-License-Identifier: MIT
// A table whose rows are replaced when they change, sorted by the column that was clicked.
import { element } from "./dom.js";

export class Table {
	// Columns: {name, label, is_number, value(row) to sort by, cell(row): string, node or list of them}.
	constructor(node, columns, { empty, sort }) {
		Object.assign(this, { node, columns, empty, sort, rows: [], shown: null });
		this.body = element("tbody");
		this.heads = columns.map((column) => this.head(column));
		node.append(element("thead", {}, element("tr", {}, ...this.heads)), this.body);
		this.markSorted();
	}

	head(column) {
		const cell = element("th", { scope: "col", class: column.is_number ? "number" : "" });
		if (!column.value) {
			cell.append(column.label);
			return cell;
		}
		const button = element("button", { type: "button" }, column.label);
		button.addEventListener("click", () => this.sortBy(column));
		cell.append(button);
		return cell;
	}

	sortBy(column) {
		const again = this.sort?.name === column.name;
		this.sort = { name: column.name, falls: again ? !this.sort.falls : Boolean(column.is_number) };
		this.shown = null;
		this.markSorted();
		this.show(this.rows);
	}

	markSorted() {
		this.columns.forEach((column, i) => {
			if (this.sort?.name === column.name)
				this.heads[i].setAttribute("aria-sort", this.sort.falls ? "descending" : "ascending");
			else this.heads[i].removeAttribute("aria-sort");
		});
	}

	sorted(rows) {
		const column = this.columns.find(({ name }) => name === this.sort?.name);
		if (!column?.value) return rows;
		const sign = this.sort.falls ? -1 : 1;
		return [...rows].sort((a, b) => {
			const x = column.value(a), y = column.value(b);
			return sign * (typeof x === "string" ? x.localeCompare(y) : x - y);
		});
	}

	show(rows) {
		const now = JSON.stringify(rows);
		this.rows = rows;
		if (now === this.shown) return;
		this.shown = now;
		const made = this.sorted(rows).map((row) => element("tr", {}, ...this.columns.map((column, i) =>
			element(i ? "td" : "th", { class: column.is_number ? "number" : "", scope: i ? undefined : "row" },
				...[column.cell(row)].flat()))));
		this.body.replaceChildren(...(made.length ? made
			: [element("tr", {}, element("td", { colspan: this.columns.length, class: "empty" }, this.empty))]));
	}
}
