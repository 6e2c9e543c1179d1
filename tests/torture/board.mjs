// SPDX-License-Identifier: MIT
// What faults.c and a test tell each other: which call fails, how many came, and how far the calendar is off.
import { closeSync, openSync, readSync, writeSync } from "node:fs";

export const kinds = ["alloc", "open_full", "read_broken", "read_short", "write_broken", "write_full", "write_short",
	"sync_broken", "rename_broken", "unlink_broken", "folder_full", "resize_full", "map_full", "clock_back", "clock_ahead"];
export const never = 2 ** 40; // a call that does not come

export function newBoard(path) {
	const fd = openSync(path, "w+");
	const write = (number, at) => writeSync(fd, new BigInt64Array([BigInt(number)]), 0, 8, at);
	const board = {
		path,
		// The at-th call from now on fails; the calendar is right until one is to strike.
		arm: (at) => { board.setCalendar(0); write(at, 0); },
		disarm: () => board.arm(0),
		// What is left until the call that fails: 0 or less when it came.
		left: () => {
			const number = new BigInt64Array(1);
			readSync(fd, number, 0, 8, 0);
			return Number(number[0]);
		},
		setCalendar: (seconds) => write(seconds, 8),
		close: () => closeSync(fd),
	};
	board.disarm();
	return board;
}
