// SPDX-License-Identifier: MIT
// The button that goes from the system's theme to light to dark and back.
import { byId, setText } from "./dom.js";

const themes = ["auto", "light", "dark"];

export function bindTheme() {
	const root = document.documentElement, button = byId("theme");
	const show = () => setText(button, `Theme: ${root.dataset.theme ?? "auto"}`);
	button.addEventListener("click", () => {
		const next = themes[(themes.indexOf(root.dataset.theme ?? "auto") + 1) % themes.length];
		if (next === "auto") delete root.dataset.theme;
		else root.dataset.theme = next;
		try { localStorage.setItem("embed.theme", next); } catch { /* until the page is loaded again, then */ }
		show();
	});
	show();
}
