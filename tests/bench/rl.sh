#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Decoding, SFT and GRPO steps beside transformers and trl; says so and measures nothing where their scripts are not there.
set -euo pipefail
exec scripts/bench-rl --loop "$(dirname "$UNIRG_BIN")/tests/bench/rl_loop" --json build/bench/rl.json
