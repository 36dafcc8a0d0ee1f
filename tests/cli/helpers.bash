# SPDX-License-Identifier: Apache-2.0
# What the Bats files share. Use:
#
#   bats_require_minimum_version 1.5.0
#   load helpers
#   setup() { unirg_setup; }
#
# ctest sets UNIRG_BIN (where the tools are); by hand: UNIRG_BIN=build/release/bin bats tests/cli

UNIRG_SOURCE=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)

# The tools come first in PATH and the test works in its own empty folder.
unirg_setup() {
  export LC_ALL=C
  UNIRG_BIN=$(cd "${UNIRG_BIN:-$UNIRG_SOURCE/build/release/bin}" && pwd) || return 1
  PATH="$UNIRG_BIN:$PATH"
  cd "$BATS_TEST_TMPDIR" || return 1
}

# The names of all built tools, one a line.
unirg_tools() {
  (cd "$UNIRG_BIN" && printf '%s\n' unirg-*)
}

# Fails, naming what was expected, unless text $1 holds text $2.
assert_contains() {
  [[ $1 == *"$2"* ]] || {
    printf 'expected to find: %s\nin: %s\n' "$2" "$1" >&2
    return 1
  }
}

# Fails unless file $1 is JSON Lines: an object with "schema" first on every line.
assert_jsonl() {
  jq -e -n 'reduce inputs as $r (true; . and ($r | type == "object" and (keys_unsorted[0] == "schema")))' "$1" >/dev/null || {
    printf "not records, one a line, 'schema' first: %s\n" "$1" >&2
    return 1
  }
}

# Fails if a killed or failed tool left a temporary name below folder $1.
assert_no_leftovers() {
  local found
  found=$(find "$1" -name '.*.tmp-*' -o -name '*.tmp-*')
  [[ -z $found ]] || {
    printf 'left behind: %s\n' "$found" >&2
    return 1
  }
}

# SHA-256 of every file below folder $1 but the provenance records, which may differ between identical runs.
unirg_digests() {
  (cd "$1" && find . -type f ! -name run.json ! -name '*.run.json' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
}

# What lies in folder $1 (default: here), hidden names too, in one line.
names() { find "${1:-.}" -mindepth 1 -maxdepth 1 -printf '%f\n' | LC_ALL=C sort | paste -sd ' '; }

# Options of a tool, one a line, as "--name" or, for those that take a value, "--name METAVAR".
unirg_options() { "$1" --help | sed -nE 's/^  (-., )?(--[a-z0-9-]+( .*)?)$/\2/p'; }

# Makes in the working folder what the tests of a file share and none changes: study records 'st' ($1 to train on, three to
# validate, two each for the test and the held-out site), the sizes of a tiny model 'tiny.yaml', a model 'base' of them.
unirg_tiny() {
  PATH="${UNIRG_BIN:-$UNIRG_SOURCE/build/release/bin}:$PATH"
  unirg-phantom --quiet --train "$1" --validate 3 --test 2 --heldout 2 --side 64 --output ph
  unirg-ingest --quiet --reports ph/reports.csv -o st ph
  cat >tiny.yaml <<'END'
vocab-size: 300
hidden-size: 16
intermediate-size: 32
layers: 2
attention-heads: 2
key-value-heads: 1
head-dim: 8
mrope-section: 2,1,1
max-positions: 512
vision-depth: 2
vision-hidden-size: 16
vision-intermediate-size: 32
vision-heads: 2
position-embeddings: 16
deepstack: "0"
min-pixels: 1024
max-pixels: 4096
END
  unirg-model init --quiet -c tiny.yaml --studies st/studies.jsonl -m base
}

# The JSON header of safetensors file $1.
safetensors_header() { tail -c +9 "$1" | head -c "$(od -An -tu8 -N8 "$1" | tr -d ' ')"; }

# A line for each tensor of safetensors file $1: name, shape, SHA-256 of its bytes.
safetensors_digests() {
  local length name shape begin end
  length=$(od -An -tu8 -N8 "$1" | tr -d ' ')
  safetensors_header "$1" |
    jq -r 'del(.__metadata__) | to_entries[] | [.key, (.value.shape | tojson), .value.data_offsets[]] | @tsv' |
    while read -r name shape begin end; do
      printf '%s %s ' "$name" "$shape"
      tail -c "+$((8 + length + begin + 1))" "$1" | head -c $((end - begin)) | sha256sum | cut -d ' ' -f 1
    done
}

# The digest of checkpoint folder $1 as man/unirg-checkpoint.5 defines it, also of one that no tool would open.
checkpoint_digest() {
  (cd "$1" && find . -type f ! -name run.json ! -name DONE ! -path './training_state/*' -printf '%P\n' | LC_ALL=C sort |
    while read -r name; do printf '%s %s\n' "$name" "$(sha256sum <"$name" | cut -d ' ' -f 1)"; done) |
    sha256sum | cut -d ' ' -f 1
}

# Waits until command $@ succeeds; fails after ten seconds.
wait_until() {
  local k
  for ((k = 0; k < 1000; ++k)); do
    if "$@"; then return 0; fi
    sleep 0.01
  done
  echo "waited in vain: $*" >&2
  return 1
}

# True once process $1 listens to SIGTERM: bit 14 of the caught signals.
listens() { (((16#$(sed -n 's/^SigCgt:\t//p' "/proc/$1/status")) & 0x4000)); }

# Waits for background process $1 and fails unless its status is $2.
assert_status() {
  local status=0
  wait "$1" || status=$?
  [ "$status" -eq "$2" ] || {
    printf 'status %s, expected %s\n' "$status" "$2" >&2
    return 1
  }
}

# Runs command $2... with files limited to $1 KiB, which stands in for a full disk.
with_full_disk() { (trap '' XFSZ && ulimit -f "$1" && shift && "$@"); }

# An adapter of rank 2 on the query projections of checkpoint $1, trained two steps on records "$st", as folder $2.
unirg_tiny_adapter() {
  unirg-sft --quiet --studies "$st/studies.jsonl" -m "$1" -o run.adapter --max-steps 2 --batch-size 4 --learning-rate 0.1 \
    --warmup-steps 0 --lora-rank 2 --lora-alpha 4 --lora-targets q_proj
  jq --arg base "$(cd "$1" && pwd)" '.base_model_name_or_path = $base' run.adapter/best/adapter_config.json >config.adapter
  cp -r run.adapter/best "$2" && mv config.adapter "$2/adapter_config.json" && rm -r run.adapter
}

# The int64 values of tensor $2 of safetensors file $1, in one line.
safetensors_i64() {
  local length begin end
  length=$(od -An -tu8 -N8 "$1" | tr -d ' ')
  read -r begin end < <(safetensors_header "$1" | jq -r --arg name "$2" '.[$name].data_offsets | "\(.[0]) \(.[1])"')
  tail -c "+$((8 + length + begin + 1))" "$1" | head -c $((end - begin)) | od -An -v -td8 | xargs
}
