#!/bin/bash
# SPDX-License-Identifier: MIT
# usage: long_piece.sh EMBED   one piece of the encoding of 32 MB is cut in linear time: a second or two of CPU, not minutes
set -euo pipefail
ulimit -t 20
head -c 32M /dev/zero | tr '\0' '#' | "$1" chunk --strategy fixed --stats - | grep '1024 chunks, 524288 tokens'
