// SPDX-License-Identifier: MIT
// Embeds two texts through the gateway's own API and compares them.
import { byId, element } from "./dom.js";
import { ask } from "./stream.js";
import { duration, exact, exactMoney } from "./format.js";

function vectorOf(base64) {
	const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
	const view = new DataView(bytes.buffer);
	return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, true));
}

export function cosine(a, b) {
	let ab = 0, aa = 0, bb = 0;
	for (let i = 0; i < a.length; i++) ab += a[i] * b[i], aa += a[i] * a[i], bb += b[i] * b[i];
	return ab / Math.sqrt(aa * bb);
}

async function embed(text, model, shown) {
	const started = performance.now();
	const answer = await ask("/v1/embeddings", {
		method: "POST", shown, headers: { "content-type": "application/json" },
		body: JSON.stringify({ model, input: text, encoding_format: "base64" }),
	});
	const body = await answer.json();
	return {
		us: (performance.now() - started) * 1000,
		vector: vectorOf(body.data[0].embedding),
		tokens: body.usage.total_tokens,
		source: answer.headers.get("x-embed-cache"),
		cost: Number(answer.headers.get("x-embed-cost-nano") ?? 0),
	};
}

function row(label, result) {
	return element("tr", {}, element("th", { scope: "row" }, label),
		element("td", {}, result.source === "hit" ? "store" : "upstream"),
		element("td", { class: "number" }, exact(result.tokens)),
		element("td", { class: "number" }, exactMoney(result.cost)),
		element("td", { class: "number" }, duration(result.us)));
}

function answerTable(a, b) {
	const head = ["Text", "Answered by", "Tokens", "Cost", "Time"].map((label, i) =>
		element("th", { scope: "col", class: i > 1 ? "number" : "" }, label));
	return element("table", { "aria-label": "What the two texts took" },
		element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, row("First", a), row("Second", b)));
}

export function bindTry() {
	const result = byId("try-result"), button = byId("try").querySelector("button");
	byId("try").addEventListener("submit", async (event) => {
		event.preventDefault();
		button.disabled = true;
		try {
			const model = byId("try-model").value;
			const shown = byId("try-key").value.trim() || undefined;
			const [a, b] = await Promise.all(["try-a", "try-b"].map((id) => embed(byId(id).value, model, shown)));
			const share = cosine(a.vector, b.vector);
			result.replaceChildren(element("p", { class: "cosine" }, "Cosine ", element("b", { id: "try-cosine" }, share.toFixed(4)),
				element("span", { class: "dim" }, ` over ${exact(a.vector.length)} dimensions`)), answerTable(a, b));
		} catch (error) {
			result.replaceChildren(element("p", { class: "fault" }, error.message));
		} finally {
			button.disabled = false;
		}
	});
}

// With keys in force a text needs one; the page's own does, when it was asked for.
export function askForKey(is_needed) {
	byId("try-key-label").hidden = !is_needed;
	byId("try-key").required = is_needed;
}

export async function fillModels() {
	const select = byId("try-model");
	if (select.options.length) return;
	select.append(...["text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"].map((name) => element("option", {}, name)));
}
