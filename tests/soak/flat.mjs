// SPDX-License-Identifier: MIT
// Whether what a gateway holds stayed flat through a run.  A sample: { anon (MB), fds, threads }, one a second.

const median = (numbers) => numbers.sort((a, b) => a - b)[numbers.length >> 1];

// Medians of the quarters of the run: the first fills what is kept, the others must stay where they are.
export function quarters(samples) {
	const length = samples.length >> 2;
	return [0, 1, 2, 3].map((i) => median(samples.slice(i * length, (i + 1) * length).map(({ anon }) => anon)));
}

// What grew; `slots`: connections to the upstream, which come and stay.
export function growth({ before, samples, after, seconds, slots }) {
	const [, early, third, late] = quarters(samples);
	const grown = [];
	if (late >= early * 1.05 + 4) grown.push("memory");
	if (seconds >= 1800 && late >= third * 1.01 + 0.5) grown.push("memory in the second half");
	if (after.fds > before.fds + slots + 4) grown.push("descriptors");
	if (after.threads > before.threads) grown.push("threads");
	return grown;
}
