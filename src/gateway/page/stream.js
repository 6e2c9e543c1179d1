// SPDX-License-Identifier: MIT
// The gateway's answers, and its stream of snapshots: connects, notices silence, connects again.
// Server-sent events over fetch, since an EventSource cannot send a key.

const SILENT_MS = 3000; // snapshots come each second
const DEAD_MS = 8000;
const RETRY_MAX_MS = 8000;

export class Refused extends Error {
	constructor(status, message) {
		super(message);
		this.status = status;
	}
}

const KEY = "embed.key";
export const key = {
	get: () => { try { return sessionStorage.getItem(KEY); } catch { return key.held; } },
	set: (value) => { try { sessionStorage.setItem(KEY, value); } catch { key.held = value; } },
	forget: () => { try { sessionStorage.removeItem(KEY); } catch { key.held = null; } },
	held: null,
};

export async function ask(path, { headers = {}, shown = key.get(), ...options } = {}) {
	const answer = await fetch(path, {
		...options, cache: "no-store", credentials: "omit", redirect: "error",
		headers: { ...headers, ...(shown ? { authorization: `Bearer ${shown}` } : {}) },
	});
	if (answer.ok) return answer;
	const body = await answer.json().catch(() => null);
	throw new Refused(answer.status, body?.error?.message ?? `The gateway answered ${answer.status}.`);
}

// Calls on.snapshot(object), on.state("live" | "silent" | "lost" | "refused", error) when it changes.
export class Stream {
	constructor(on) {
		Object.assign(this, { on, state: null, lastId: null, heardAt: 0, tries: 0 });
		setInterval(() => this.listen(), 500);
	}

	set(state, error) {
		if (state === this.state) return;
		this.state = state;
		this.on.state(state, error);
	}

	listen() {
		const silence = performance.now() - this.heardAt;
		if (this.state === "live" && silence > SILENT_MS) this.set("silent");
		if (this.state === "silent" && silence > DEAD_MS) this.cutter?.abort();
	}

	async run() {
		this.stopped = false;
		this.set("connecting");
		while (!this.stopped) {
			try {
				await this.read();
				this.set("lost");
			} catch (error) {
				if (error instanceof Refused && (error.status === 401 || error.status === 403)) {
					this.stopped = true;
					this.set("refused", error);
					return;
				}
				this.set("lost", error);
			}
			const wait = Math.min(RETRY_MAX_MS, 500 * 2 ** this.tries++);
			await new Promise((done) => setTimeout(done, wait * (0.75 + Math.random() / 2)));
		}
	}

	async read() {
		this.cutter = new AbortController();
		this.heardAt = performance.now();
		const headers = { accept: "text/event-stream", ...(this.lastId ? { "last-event-id": this.lastId } : {}) };
		const answer = await ask("/dashboard/events", { headers, signal: this.cutter.signal });
		const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
		let held = "";
		for (;;) {
			const { value, done } = await reader.read();
			if (done) return;
			held += value;
			const events = held.split("\n\n");
			held = events.pop();
			events.forEach((event) => this.take(event));
		}
	}

	take(event) {
		const fields = Object.fromEntries(event.split("\n").map((line) => {
			const colon = line.indexOf(": ");
			return [line.slice(0, colon), line.slice(colon + 2)];
		}));
		if (!fields.data) return;
		this.lastId = fields.id;
		this.heardAt = performance.now();
		this.tries = 0;
		this.set("live");
		this.on.snapshot(JSON.parse(fields.data));
	}
}
