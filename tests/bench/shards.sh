#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two shards on two processors beside one run on one: ingest, rollout, reward.
set -euo pipefail
exec scripts/bench-shards --bin "$UNIRG_BIN" --json build/bench/shards.json
