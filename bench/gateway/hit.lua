-- SPDX-License-Identifier: MIT
-- One stored text a request, a different one each time.  Arguments: path, texts stored, encoding.
local path, stored, encoding
local counter = 0

function init(args)
	path, stored, encoding = args[1] or "/v1/embeddings", tonumber(args[2] or 100000), args[3] or "base64"
	math.randomseed(os.time())
	counter = math.random(stored)
end

-- About 400 bytes; fill.mjs makes the same.
local filler = string.rep("the quick brown fox jumps over the lazy dog and runs ", 7)

function request()
	counter = (counter + 7919) % stored
	if encoding == "static" then return wrk.format("GET", path) end
	local headers = { ["Content-Type"] = "application/json" }
	local body = '{"model":"text-embedding-3-small","input":"' .. counter .. " " .. filler ..
		'","encoding_format":"' .. encoding .. '"}'
	return wrk.format("POST", path, headers, body)
end

