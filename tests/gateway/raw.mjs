// SPDX-License-Identifier: MIT
// Requests as bytes: the table of tests/gateway/raw-bytes.test.mjs.
//   name    what is odd about it
//   bytes   what is sent, in one go
//   ours    the statuses that come back, then "closed", or "open" when the server waits for more
//   nginx   the same of nginx 1.22 before an upstream
//   why     where the two differ
const host = "Host: localhost\r\n";
const body = '{"model":"text-embedding-3-small","input":"raw","dimensions":8}';
const last = "Connection: close\r\n";
const get = (fields, target = "/health", version = "HTTP/1.1", method = "GET") =>
	`${method} ${target} ${version}\r\n${fields}\r\n`;
const post = (fields, content = body) => `POST /v1/embeddings HTTP/1.1\r\n${host}Content-Type: application/json\r\n${fields}\r\n${content}`;
const length = `Content-Length: ${body.length}\r\n`;
const chunked = "Transfer-Encoding: chunked\r\n";
const hex = (text) => Buffer.byteLength(text).toString(16);
const chunks = `${hex(body)}\r\n${body}\r\n0\r\n\r\n`;
const strict = "RFC 9112 lets a server refuse it; two readings of one message are how smuggling starts";

export const rows = [
	// What is right.
	{ name: "a plain request", bytes: get(host + last), ours: "200 closed", nginx: "200 closed" },
	{ name: "a body with a length", bytes: post(length + last), ours: "200 closed", nginx: "200 closed" },
	{ name: "a body in chunks", bytes: post(chunked + last, chunks), ours: "200 closed", nginx: "200 closed" },
	{ name: "HTTP/1.0 without Host", bytes: get("", "/health", "HTTP/1.0"), ours: "200 closed", nginx: "200 closed" },
	{ name: "one empty line before", bytes: "\r\n" + get(host + last), ours: "200 closed", nginx: "200 closed" },
	{ name: "two pipelined", bytes: get(host) + get(host + last), ours: "200 200 closed", nginx: "200 200 closed" },
	{ name: "fifty pipelined", bytes: get(host).repeat(49) + get(host + last), ours: `${"200 ".repeat(50)}closed`, nginx: `${"200 ".repeat(50)}closed` },
	{ name: "a body, then another request", bytes: post(length) + get(host + last), ours: "200 200 closed", nginx: "200 200 closed" },
	{ name: "chunks, then another request", bytes: post(chunked, chunks) + get(host + last), ours: "200 200 closed", nginx: "200 200 closed" },
	{ name: "absolute target", bytes: get(host + last, "http://localhost/health"), ours: "200 closed", nginx: "200 closed" },
	{ name: "absolute target, another Host", bytes: get(`Host: elsewhere\r\n${last}`, "http://localhost/health"), ours: "200 closed", nginx: "200 closed" },
	{ name: "Expect: 100-continue with its body", bytes: post(`${length}Expect: 100-continue\r\n${last}`), ours: "200 closed", nginx: "100 200 closed",
		why: "the body is there already: nobody waits for leave" },
	{ name: "Expect: 100-continue without its body", bytes: post(`${length}Expect: 100-continue\r\n${last}`, ""), ours: "100 open", nginx: "100 open" },

	// Smuggling: two readings of where a message ends.
	{ name: "length and coding", bytes: post(length + chunked + last, chunks), ours: "400 closed", nginx: "400 closed" },
	{ name: "coding and length", bytes: post(chunked + length + last, chunks), ours: "400 closed", nginx: "400 closed" },
	{ name: "two lengths, equal", bytes: post(length + length + last), ours: "400 closed", nginx: "400 closed" },
	{ name: "two lengths, different", bytes: post(`${length}Content-Length: 3\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "length list", bytes: post(`Content-Length: ${body.length}, ${body.length}\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "length with a sign", bytes: post(`Content-Length: +${body.length}\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "length below 0", bytes: post(`Content-Length: -1\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "length in hex", bytes: post(`Content-Length: 0x${hex(body)}\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "length with a blank in it", bytes: post(`Content-Length: 6 2\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "length of 2^64", bytes: post(`Content-Length: 18446744073709551616\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "length above the cap", bytes: post(`Content-Length: 1099511627776\r\n${last}`, ""), ours: "413 closed", nginx: "413 open",
		why: "both refuse; nginx reads on for 5 s, we end our side at once and read on for 2 s" },
	{ name: "coding twice", bytes: post(chunked + chunked + last, chunks), ours: "400 closed", nginx: "400 closed" },
	{ name: "chunked, chunked", bytes: post(`Transfer-Encoding: chunked, chunked\r\n${last}`, chunks), ours: "400 closed", nginx: "501 closed",
		why: "a coding that is not known: 400 or 501, refused either way" },
	{ name: "gzip, chunked", bytes: post(`Transfer-Encoding: gzip, chunked\r\n${last}`, chunks), ours: "400 closed", nginx: "501 closed",
		why: "a coding that is not known: 400 or 501, refused either way" },
	{ name: "identity", bytes: post(`Transfer-Encoding: identity\r\n${length}${last}`), ours: "400 closed", nginx: "501 closed",
		why: "a coding that is not known: 400 or 501, refused either way" },
	{ name: "xchunked", bytes: post(`Transfer-Encoding: xchunked\r\n${last}`, chunks), ours: "400 closed", nginx: "501 closed",
		why: "a coding that is not known: 400 or 501, refused either way" },
	{ name: "vertical tab before chunked", bytes: post(`Transfer-Encoding: \vchunked\r\n${last}`, chunks), ours: "400 closed", nginx: "501 closed",
		why: "a coding that is not known: 400 or 501, refused either way" },
	{ name: "blank before the colon", bytes: post(`Transfer-Encoding : chunked\r\n${length}${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "coding in HTTP/1.0", bytes: `POST /v1/embeddings HTTP/1.0\r\n${host}${chunked}\r\n${chunks}`, ours: "400 closed", nginx: "400 closed" },
	{ name: "length with an underscore", bytes: post(`Content_Length: 3\r\n${length}${last}`), ours: "200 closed", nginx: "200 closed" },

	// Chunks.
	{ name: "chunk extension", bytes: post(chunked + last, `${hex(body)};a=b;c="d"\r\n${body}\r\n0\r\n\r\n`), ours: "200 closed", nginx: "200 closed" },
	{ name: "16 KB of chunk extension", bytes: post(chunked + last, `${hex(body)};${"x".repeat(16384)}\r\n${body}\r\n0\r\n\r\n`), ours: "400 closed", nginx: "200 closed",
		why: "what is only dropped has a cap of 4 KB here" },
	{ name: "LF within a chunk extension", bytes: post(chunked + last, `${hex(body)};x\n${body}\r\n0\r\n\r\n`), ours: "400 closed", nginx: "200 closed", why: strict },
	{ name: "chunk size of 2^64", bytes: post(chunked + last, `10000000000000000\r\n${body}\r\n0\r\n\r\n`), ours: "400 closed", nginx: "400 closed" },
	{ name: "chunk size of 2^64 - 1", bytes: post(chunked + last, `ffffffffffffffff\r\n${body}\r\n0\r\n\r\n`), ours: "400 closed", nginx: "400 closed" },
	{ name: "chunk size of 2^63 - 1", bytes: post(chunked + last, `7fffffffffffffff\r\n${body}\r\n0\r\n\r\n`), ours: "400 closed", nginx: "400 closed" },
	{ name: "chunk size above the cap", bytes: post(chunked + last, `fffffffffff\r\n${body}\r\n0\r\n\r\n`), ours: "413 closed", nginx: "413 closed" },
	{ name: "chunk size below 0", bytes: post(chunked + last, `-1\r\n${body}\r\n0\r\n\r\n`), ours: "400 closed", nginx: "400 closed" },
	{ name: "chunk size in 0x form", bytes: post(chunked + last, `0x${hex(body)}\r\n${body}\r\n0\r\n\r\n`), ours: "400 closed", nginx: "400 closed" },
	{ name: "no chunk size", bytes: post(chunked + last, `\r\n${body}\r\n0\r\n\r\n`), ours: "400 closed", nginx: "400 closed" },
	{ name: "blank after the chunk size", bytes: post(chunked + last, `${hex(body)} \r\n${body}\r\n0\r\n\r\n`), ours: "400 closed", nginx: "200 closed", why: strict },
	{ name: "LF after the chunk size", bytes: post(chunked + last, `${hex(body)}\n${body}\r\n0\r\n\r\n`), ours: "400 closed", nginx: "200 closed", why: strict },
	{ name: "chunk longer than it says", bytes: post(chunked + last, `3\r\n${body}\r\n0\r\n\r\n`), ours: "400 closed", nginx: "400 closed" },
	{ name: "trailer", bytes: post(chunked + last, `${hex(body)}\r\n${body}\r\n0\r\nX: y\r\n\r\n`), ours: "200 closed", nginx: "200 closed" },
	{ name: "trailer that is a length", bytes: post(chunked + last, `${hex(body)}\r\n${body}\r\n0\r\nContent-Length: 5\r\n\r\n`), ours: "200 closed", nginx: "200 closed" },
	{ name: "trailer without a name", bytes: post(chunked + last, `${hex(body)}\r\n${body}\r\n0\r\n: y\r\n\r\n`), ours: "400 closed", nginx: "200 closed", why: strict },

	// Lines.
	{ name: "obs-fold", bytes: get(`${host}X: a\r\n b\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "obs-fold with a tab", bytes: get(`${host}X: a\r\n\tb\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "bare LF after the request line", bytes: `GET /health HTTP/1.1\n${host}${last}\r\n`, ours: "400 closed", nginx: "200 closed", why: strict },
	{ name: "bare LF after a field", bytes: `GET /health HTTP/1.1\r\nHost: localhost\n${last}\r\n`, ours: "400 closed", nginx: "200 closed", why: strict },
	{ name: "bare LF everywhere", bytes: "GET /health HTTP/1.1\nHost: localhost\nConnection: close\n\n", ours: "400 closed", nginx: "200 closed", why: strict },
	{ name: "bare CR in a value", bytes: get(`${host}X: a\rb\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "bare CR as a line end", bytes: "GET /health HTTP/1.1\rHost: localhost\r\r\r\n\r\n", ours: "400 closed", nginx: "400 closed" },
	{ name: "bare CR and no LF at all", bytes: "GET /health HTTP/1.1\rHost: localhost\r\r", ours: "open", nginx: "400 closed",
		why: "a line is judged when it is complete; without an end it gets 408 at the deadline" },
	{ name: "NUL in a value", bytes: get(`${host}X: a\0b\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "NUL in a name", bytes: get(`${host}X\0: a\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "NUL in the target", bytes: get(host + last, "/health\0"), ours: "400 closed", nginx: "400 closed" },
	{ name: "blank in a name", bytes: get(`${host}X Y: a\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "no colon", bytes: get(`${host}X\r\n${last}`), ours: "400 closed", nginx: "200 closed", why: strict },
	{ name: "no name", bytes: get(`${host}: a\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "blank before the first field", bytes: get(` X: a\r\n${host}${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "control character in a value", bytes: get(`${host}X: \x01\r\n${last}`), ours: "400 closed", nginx: "200 closed", why: strict },

	// Who is asked, for what.
	{ name: "no Host", bytes: get(last), ours: "400 closed", nginx: "400 closed" },
	{ name: "two Hosts", bytes: get(host + host + last), ours: "400 closed", nginx: "400 closed" },
	{ name: "empty Host", bytes: get(`Host:\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "Host with a path", bytes: get(`Host: a/b\r\n${last}`), ours: "400 closed", nginx: "400 closed" },
	{ name: "Host with a user", bytes: get(`Host: u@a\r\n${last}`), ours: "400 closed", nginx: "200 closed", why: strict },
	{ name: "HTTP/0.9", bytes: "GET /health\r\n\r\n", ours: "400 closed", nginx: "0.9 closed", why: "a reply without a head tells nobody where it ends" },
	{ name: "HTTP/0.9, one line", bytes: "GET /health\r\n", ours: "open", nginx: "0.9 closed", why: "no head without its empty line: 408 at the deadline" },
	{ name: "HTTP/2's preface", bytes: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ours: "505 closed", nginx: "400 closed", why: "refused either way; 505 says why" },
	{ name: "HTTP/1.2", bytes: get(host + last, "/health", "HTTP/1.2"), ours: "505 closed", nginx: "200 closed", why: "1.0 and 1.1 are spoken here" },
	{ name: "HTTP/3.0", bytes: get(host + last, "/health", "HTTP/3.0"), ours: "505 closed", nginx: "505 closed" },
	{ name: "bad method", bytes: get(host + last, "/health", "HTTP/1.1", "GE(T"), ours: "400 closed", nginx: "400 closed" },
	{ name: "method in small letters", bytes: get(host + last, "/health", "HTTP/1.1", "get"), ours: "405 closed", nginx: "400 closed",
		why: "a token like any other, which the route does not have" },
	{ name: "CONNECT", bytes: "CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n", ours: "400 closed", nginx: "400 closed" },
	{ name: "target without a slash", bytes: get(host + last, "health"), ours: "400 closed", nginx: "400 closed" },
	{ name: "two blanks in the request line", bytes: get(host + last, " /health"), ours: "400 closed", nginx: "200 closed", why: strict },
	{ name: "blank in the target", bytes: get(host + last, "/he alth"), ours: "400 closed", nginx: "400 closed" },
	{ name: "target that climbs out", bytes: get(host + last, "/../../etc/passwd"), ours: "404 closed", nginx: "400 closed", why: "a path is a name here, never a file" },
	{ name: "unknown expectation", bytes: post(`${length}Expect: 200-ok\r\n${last}`), ours: "417 closed", nginx: "200 closed", why: "RFC 9110 10.1.1" },
	{ name: "a TLS hello to a plain port", bytes: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", ours: "400 closed", nginx: "400 closed" },

	// Too much.
	{ name: "64 KB in one field", bytes: get(`${host}X: ${"a".repeat(65536)}\r\n${last}`), ours: "431 closed", nginx: "400 closed", why: "refused either way; 431 says why" },
	{ name: "64 KB in many fields", bytes: get(`${host}${`X: ${"a".repeat(1000)}\r\n`.repeat(64)}${last}`), ours: "431 closed", nginx: "400 closed", why: "refused either way; 431 says why" },
	{ name: "1,000 fields", bytes: get(`${host}${"X: a\r\n".repeat(1000)}${last}`), ours: "431 closed", nginx: "400 closed", why: "refused either way; 100 are taken here" },
	{ name: "64 KB request line", bytes: get(host + last, `/${"a".repeat(65536)}`), ours: "414 closed", nginx: "414 closed" },
	{ name: "a field name of 20 KB", bytes: get(`${host}${"a".repeat(20000)}: b\r\n${last}`), ours: "431 closed", nginx: "400 closed", why: "refused either way; 431 says why" },

	// Not complete.
	{ name: "half a head", bytes: "GET /health HTTP/1.1\r\nHost: loc", ours: "open", nginx: "open" },
	{ name: "half a body", bytes: post(length, body.slice(0, 20)), ours: "open", nginx: "open" },
	{ name: "half a chunk", bytes: post(chunked, `${hex(body)}\r\n${body.slice(0, 20)}`), ours: "open", nginx: "open" },
	{ name: "half a head, then the end", bytes: "GET /health HTTP/1.1\r\nHost: loc", end: true, ours: "closed", nginx: "closed" },
	{ name: "half a body, then the end", bytes: post(length, body.slice(0, 20)), end: true, ours: "closed", nginx: "closed" },
	{ name: "half a chunk, then the end", bytes: post(chunked, `${hex(body)}\r\n${body.slice(0, 20)}`), end: true, ours: "closed", nginx: "closed" },
	{ name: "a request and the end in one go", bytes: get(host), end: true, ours: "200 closed", nginx: "200 closed" },
	{ name: "nothing, then the end", bytes: "", end: true, ours: "closed", nginx: "closed" },
];
