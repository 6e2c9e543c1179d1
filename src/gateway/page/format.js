// SPDX-License-Identifier: MIT
// Numbers as people read them.

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

// Three figures that count: 0.42, 7.3, 812, 12.4k, 3.05M.
export function compact(value) {
	if (!Number.isFinite(value)) return "–";
	if (value === 0) return "0";
	const size = Math.abs(value);
	if (size < 10) return trim(value.toFixed(size < 1 ? 2 : 1));
	if (size < 10000) return whole.format(value);
	const steps = [[1e9, "G"], [1e6, "M"], [1e3, "k"]];
	const [unit, sign] = steps.find(([step]) => size >= step);
	const scaled = value / unit;
	return trim(scaled.toFixed(Math.abs(scaled) < 10 ? 2 : Math.abs(scaled) < 100 ? 1 : 0)) + sign;
}

function trim(text) {
	return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

export const exact = (value) => whole.format(value);

export function duration(us) {
	if (!us) return "–";
	if (us < 1000) return `${Math.round(us)} µs`;
	if (us < 10000) return `${(us / 1000).toFixed(1)} ms`;
	if (us < 1e6) return `${Math.round(us / 1000)} ms`;
	if (us < 60e6) return `${trim((us / 1e6).toFixed(us < 10e6 ? 2 : 1))} s`;
	return `${Math.round(us / 60e6)} min`;
}

// Nano-dollars; as many figures as a small sum needs to be seen at all.
export function money(nano) {
	const dollars = nano / 1e9;
	if (nano === 0) return "$0";
	if (dollars >= 1000) return `$${compact(dollars)}`;
	if (dollars >= 1) return `$${dollars.toFixed(2)}`;
	if (dollars >= 0.0001) return `$${dollars.toPrecision(2).replace(/(\.\d\d\d*?)0+$/, "$1").replace(/\.(\d)$/, ".$10")}`;
	return "< $0.0001";
}

export const exactMoney = (nano) => `$${(nano / 1e9).toFixed(9)}`;

export function bytes(value) {
	const steps = [[2 ** 40, "TiB"], [2 ** 30, "GiB"], [2 ** 20, "MiB"], [2 ** 10, "KiB"]];
	const step = steps.find(([size]) => value >= size);
	if (!step) return `${value} B`;
	const scaled = value / step[0];
	return `${trim(scaled.toFixed(scaled < 10 ? 1 : 0))} ${step[1]}`;
}

export const percent = (share) => {
	if (!Number.isFinite(share)) return "–";
	const value = share * 100;
	return `${value > 0 && value < 10 || value > 99 && value < 100 ? value.toFixed(1) : Math.round(value)} %`;
};

export function ago(seconds) {
	if (seconds < 2) return "just now";
	if (seconds < 100) return `${Math.round(seconds)} s ago`;
	if (seconds < 6000) return `${Math.round(seconds / 60)} min ago`;
	if (seconds < 48 * 3600) return `${Math.round(seconds / 3600)} h ago`;
	return `${Math.round(seconds / 86400)} days ago`;
}

export function span(seconds) {
	const days = Math.floor(seconds / 86400), hours = Math.floor(seconds / 3600) % 24;
	const minutes = Math.floor(seconds / 60) % 60;
	if (days) return `${days} d ${hours} h`;
	if (hours) return `${hours} h ${minutes} min`;
	return minutes ? `${minutes} min` : `${Math.floor(seconds)} s`;
}

const clockForms = {
	seconds: new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" }),
	minutes: new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }),
	days: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }),
};

// A point in time as its step deserves; days are UTC, as the ledger's are.
export const clock = (seconds, form) => clockForms[form].format(new Date(seconds * 1000));
