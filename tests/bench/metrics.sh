#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The metrics beside the published Python packages; says so and measures nothing where their texts are not there.
set -euo pipefail
exec scripts/bench-metrics --bin "$UNIRG_BIN" --json build/bench/metrics.json
