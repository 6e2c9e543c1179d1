// SPDX-License-Identifier: MIT
// Before anything is painted: the theme that was chosen here, if any.
{
	let theme = null;
	try { theme = localStorage.getItem("embed.theme"); } catch { /* storage is off: as the system says */ }
	if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}
