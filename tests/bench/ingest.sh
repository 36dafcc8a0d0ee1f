#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# DICOM to PNG beside pydicom and Pillow, memory over the number of studies, a killed run that goes on.
set -euo pipefail
exec scripts/bench-ingest --bin "$UNIRG_BIN" --json build/bench/ingest.json
