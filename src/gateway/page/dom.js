// SPDX-License-Identifier: MIT
// Small helpers over the document.  Text only ever goes in as text.

export const byId = (id) => document.getElementById(id);

export function element(name, attributes = {}, ...children) {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(attributes))
		if (key === "class") made.className = value;
		else if (value === true) made.setAttribute(key, "");
		else if (value !== false && value !== undefined) made.setAttribute(key, value);
	made.append(...children.filter((child) => child !== undefined && child !== null));
	return made;
}

export function svg(name, attributes = {}, ...children) {
	const made = document.createElementNS("http://www.w3.org/2000/svg", name);
	for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
	made.append(...children);
	return made;
}

// Writes only what changed, so that screen readers and selections are left in peace.
export function setText(node, text) {
	if (node.textContent !== text) node.textContent = text;
}

// A share of 1 as a bar with its meaning in words.
export function meter(share, label) {
	const level = share >= 1 ? "over" : share >= 0.8 ? "high" : "fine";
	const fill = element("span", { class: "meter-fill" });
	fill.style.width = `${Math.min(100, Math.max(0, share * 100))}%`;
	return element("span", { class: "meter", "data-level": level, role: "img", "aria-label": label }, fill);
}
