// SPDX-License-Identifier: MIT
// Where the lines of a chart go.

// From 0 to at least `top`, three or four round steps.
export function niceTicks(top) {
	const rough = (top > 0 ? top : 1) / 3;
	const power = 10 ** Math.floor(Math.log10(rough));
	const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999);
	const ticks = [0];
	while (ticks.at(-1) < top * 0.999 || ticks.length < 2) ticks.push(ticks.length * step);
	return ticks;
}

// Powers of ten around `low` to `top`, two at least; thinned out when there are many.
export function logTicks(low, top) {
	if (!(top > 0) || !Number.isFinite(low)) return [100, 1000, 10000];
	const first = Math.floor(Math.log10(low)), last = Math.max(first + 1, Math.ceil(Math.log10(top)));
	const step = Math.ceil((last - first) / 4);
	const ticks = [];
	for (let power = first; power < last + step; power += step) ticks.push(10 ** power);
	return ticks;
}

const TIME_STEPS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 14400, 21600, 43200, 86400, 172800, 604800, 1209600];

// Whole moments within [from, to], about `count` of them.
export function timeTicks(from, to, count) {
	const rough = (to - from) / count;
	const step = TIME_STEPS.find((size) => size >= rough) ?? TIME_STEPS.at(-1);
	const zone = step < 86400 ? new Date(from * 1000).getTimezoneOffset() * 60 : 0;
	const ticks = [];
	for (let time = Math.ceil((from - zone) / step) * step + zone; time <= to; time += step) {
		const share = (time - from) / (to - from);
		if (share > 0.03 && share < 0.97) ticks.push(time);
	}
	return ticks;
}
