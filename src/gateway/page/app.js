// SPDX-License-Identifier: MIT
// The page's parts, wired to the stream.
import { byId, setText } from "./dom.js";
import { Charts } from "./charts.js";
import { History, spans } from "./data.js";
import { Now } from "./now.js";
import { Stream, ask, key } from "./stream.js";
import { Tables } from "./tables.js";
import { bindTheme } from "./themes.js";
import { askForKey, bindTry, fillModels } from "./tryit.js";
import { bytes, duration, exact, span as spanText } from "./format.js";

const DESCRIBE_EVERY = 10; // snapshots; what screen readers may read should not change under them

const say = (text) => setText(byId("said"), text);
const history = new History();
const now = new Now(history);
const charts = new Charts(history, say);
const tables = new Tables();
let latest = null, started = null, heard = 0;

// ---- Snapshots -------------------------------------------------------------------

async function onSnapshot(snapshot) {
	const is_new = snapshot.started !== started;
	started = snapshot.started;
	latest = snapshot;
	if (is_new) await catchUp();
	history.add(snapshot.second);
	charts.now = snapshot.time_ms / 1000;
	charts.limit = snapshot.upstreams.reduce((sum, upstream) => sum + upstream.tokens_per_minute, 0);
	if (!document.hidden) show();
	if (heard++ % DESCRIBE_EVERY === 0) charts.describe();
	if (charts.span !== "15m") await history.refresh(charts.span);
}

function show() {
	now.show(latest, charts.limit);
	tables.show(latest);
	askForKey(latest.key_total > 0 && !key.get());
	if (!charts.zoom) charts.show();
	const { store, process, started: begun, time_ms, version } = latest;
	setText(byId("about"), [`embed ${version}`, `up ${spanText(time_ms / 1000 - begun)}`,
		`store ${exact(latest.stats.store_records)} records, ${bytes(latest.stats.store_used_bytes)} of ${bytes(store.cap_bytes)}`,
		process ? `${bytes(process.resident_bytes)} memory, ${process.threads} threads` : null,
		`${exact(latest.gateway.connections)} connections`].filter(Boolean).join(" · "));
}

// After a pause there is a hole in what the stream brought.
async function catchUp() {
	await history.refresh(charts.span, true).catch(() => {});
	if (charts.span !== "15m") await history.refresh("15m", true).catch(() => {});
}

// ---- Being live, or not -----------------------------------------------------------

const states = {
	connecting: () => "Connecting",
	live: () => "Live",
	silent: () => "No news",
	lost: () => "Not connected",
	refused: () => "Key needed",
};

function onState(state, error) {
	const before = document.documentElement.dataset.state;
	document.documentElement.dataset.state = state;
	byId("live").dataset.state = state;
	setText(byId("live-text"), states[state]());
	byId("notice").hidden = true;
	if (state === "live") started = null; // fetches what was missed
	if (state === "live" && (before === "lost" || before === "silent")) say("Live again.");
	if (state === "refused") openAsk(error);
	showAge();
}

// Says how old the numbers are, in steps that do not make a screen reader talk all the time.
function showAge() {
	const state = document.documentElement.dataset.state;
	if (state !== "silent" && state !== "lost") return;
	const age = latest ? Math.round(Date.now() / 1000 - latest.time_ms / 1000) : 0;
	setText(byId("live-text"), latest ? `${states[state]()} for ${age} s` : states[state]());
	byId("notice").hidden = false;
	setText(byId("notice"), latest ? "The gateway does not answer. The numbers below are old; this page tries again by itself."
		: "The gateway does not answer. This page tries again by itself.");
}

const stream = new Stream({ snapshot: onSnapshot, state: onState });
setInterval(showAge, 1000);

// ---- Keys ----------------------------------------------------------------------------

function openAsk(error) {
	const had = key.get();
	setText(byId("ask-fault"), had ? error.message : "");
	byId("forget").hidden = !had;
	key.forget();
	if (!byId("ask").open) byId("ask").showModal();
}

byId("ask-form").addEventListener("submit", () => {
	key.set(byId("ask-key").value.trim());
	byId("ask-key").value = "";
	byId("forget").hidden = false;
	begin();
});
byId("ask").addEventListener("cancel", (event) => event.preventDefault());
byId("forget").addEventListener("click", () => {
	key.forget();
	location.reload();
});

// ---- Controls ------------------------------------------------------------------------

const spanButtons = [...document.querySelectorAll("[data-span]")];
for (const button of spanButtons)
	button.addEventListener("click", async () => {
		spanButtons.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
		await charts.setSpan(button.dataset.span).catch(() => {});
		charts.describe();
		say(`Shown: the ${spans[button.dataset.span].words}.`);
	});
charts.onZoom = (zoom) => {
	byId("unzoom").hidden = !zoom;
	if (zoom) say(`Zoomed to ${duration((zoom[1] - zoom[0]) * 1e6)}.`);
};
byId("unzoom").addEventListener("click", () => charts.setZoom(null));
document.addEventListener("visibilitychange", () => { if (!document.hidden && latest) show(); });
byId("counters-box").addEventListener("toggle", () => latest && tables.show(latest));

// ---- Beginning -----------------------------------------------------------------------

async function begin() {
	stream.run();
	tables.names = await ask("/dashboard/names").then((answer) => answer.json()).catch(() => ({}));
}

setText(byId("where"), location.host);

// Said once, when an alarm is raised.
let alarmed = "";
tables.onAlarm = (raised) => {
	const words = raised.map(({ meaning, subject }) => `${meaning} ${subject}`).join("; ");
	if (words && words !== alarmed) say(`Alarm: ${words}`);
	alarmed = words;
};
byId("forget").hidden = !key.get();
document.documentElement.dataset.state = "connecting";
bindTheme();
bindTry();
fillModels();
begin();
