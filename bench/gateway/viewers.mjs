// SPDX-License-Identifier: MIT
// usage: node viewers.mjs BASE COUNT   opens dashboards' streams and reads them; prints "open", and at SIGTERM what came
import http from "node:http";
const [base, count] = [process.argv[2], Number(process.argv[3])];
const agent = new http.Agent({ maxSockets: Infinity });
let bytes = 0, open = 0;
for (let i = 0; i < count; i++)
	http.get(`${base}/dashboard/events`, { agent }, (response) => {
		if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
		response.on("data", (data) => { bytes += data.length; });
		if (++open === count) console.log("open");
	});
process.on("SIGTERM", () => { console.log(`${bytes} bytes`); process.exit(0); });
