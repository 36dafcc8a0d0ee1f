#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How fast the page of 10,000 studies opens in headless Chromium; says so and measures nothing where there is none.
set -euo pipefail
exec python3 tests/bench/report_page.py --json build/bench/report_page.json "$@"
