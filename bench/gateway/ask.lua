-- SPDX-License-Identifier: MIT
-- Requests made beforehand, so that the load costs little.  Arguments: first number, how many, then NAME:VALUE headers.
-- The numbered texts have about 400 bytes; fill.mjs makes the same.
local requests = {}
local at = 0

function init(args)
	local first, count = tonumber(args[1]), tonumber(args[2])
	local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer bench" }
	for i = 3, #args do
		local name, value = args[i]:match("^([^:]+):(.*)$")
		headers[name] = value
	end
	local filler = string.rep("the quick brown fox jumps over the lazy dog and runs ", 7)
	for i = first, first + count - 1 do
		requests[#requests + 1] = wrk.format("POST", "/v1/embeddings", headers,
			'{"model":"text-embedding-3-small","input":"' .. i .. " " .. filler .. '","encoding_format":"base64"}')
	end
end

function request()
	at = at % #requests + 1
	return requests[at]
end
