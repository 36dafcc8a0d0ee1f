#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# scripts/merge-shards on parts made by hand: the order of one run, and every way in which parts do not belong together.
bats_require_minimum_version 1.5.0
load ../cli/helpers

setup() {
  unirg_setup
  merge=$UNIRG_SOURCE/scripts/merge-shards
}

# record PART SHARD UNITS: the run record of a part that is there, lines of each of its units as "[2,0,2]".
record() {
  jq -n --arg part "$1" --arg shard "$2" --argjson units "$3" --arg digest "$(sha256sum <"$1" | cut -d ' ' -f 1)" '{
    schema: "unirg.run/1", tool: "unirg-reward", version: "1", commit: "c", command_line: ["unirg-reward", "--shard", $shard],
    config: {seed: 1, output: $part, shard: $shard, threads: 1}, inputs: {"rollouts.jsonl": "ab"}, outputs: {($part): $digest},
    notes: {signatures: {bleu2: "s"}, units: $units}, host: {name: "n"}, wall_s: 1.5, cpu_s: 2, peak_memory_bytes: 10}' >"$1.run.json"
}

# seven PARTS: 'whole' of seven units, of which unit 3 has no line and unit 5 has three, and its shards part-K.
seven() {
  local unit lines units=() n=$1
  rm -f whole part-*
  touch whole
  for ((k = 0; k < n; k++)); do touch "part-$k" && units[k]=''; done
  for unit in 0 1 2 3 4 5 6; do
    case $unit in 3) lines=0 ;; 5) lines=3 ;; *) lines=2 ;; esac
    units[unit % n]+="${units[unit % n]:+,}$lines"
    for ((k = 0; k < lines; k++)); do printf '{"schema":"x","unit":%d,"sample":%d,"text":"a\\nb\\u0000"}\n' "$unit" "$k" | tee -a whole >>"part-$((unit % n))"; done
  done
  for ((k = 0; k < n; k++)); do record "part-$k" "$k/$n" "[${units[k]}]"; done
}

@test "any number of shards, in any order, gives the bytes of one run" {
  for n in 1 2 3 4 7 9; do
    seven "$n"
    mapfile -t parts < <(printf '%s\n' part-? | sort -r)
    "$merge" -o out "${parts[@]}"
    cmp whole out
  done
  assert_no_leftovers .
}

@test "the joined file has a run record as one run's, and its rejected lines in order" {
  seven 2
  printf '{"file":"r","line":%d,"reason":"é\\u001f"}\n' 4 12 >part-0.rejected.jsonl
  printf '{"file":"r","line":%d,"reason":"é\\u001f"}\n' 4 5 >part-1.rejected.jsonl
  "$merge" -o out part-0 part-1
  [ "$(jq -c '[.config.shard, .config.output, .config.seed, .wall_s, .notes.signatures.bleu2, .notes.units, (.notes.shards | length)]' out.run.json)" = '["0/1","out",1,3,"s",null,2]' ]
  [ "$(jq -r '.outputs.out' out.run.json)" = "$(sha256sum <out | cut -d ' ' -f 1)" ]
  printf '{"file":"r","line":%d,"reason":"é\\u001f"}\n' 4 5 12 | cmp - out.rejected.jsonl
  rm part-?.rejected.jsonl
  "$merge" -o out part-0 part-1
  [ ! -e out.rejected.jsonl ] # that of the run before
}

@test "a shard that is not there, or has no run record, is 66 and named" {
  seven 3
  run -66 "$merge" -o out part-0 part-1 part-9
  assert_contains "$output" "no part 'part-9'"
  rm part-1.run.json
  run -66 "$merge" -o out part-0 part-1 part-2
  assert_contains "$output" "no run record 'part-1.run.json'"
  [ ! -e out ]
}

@test "a shard too few, or twice, or of another number is 65 and named" {
  seven 3
  run -65 "$merge" -o out part-0 part-2
  assert_contains "$output" "'part-0' is shard 0/3, and there are 2 parts"
  run -65 "$merge" -o out part-0 part-1 part-1
  assert_contains "$output" "'part-1' and 'part-1' are both shard 1/3"
  cp part-0 copy
  cp part-0.run.json copy.run.json
  run -65 "$merge" -o out part-0 copy part-2
  assert_contains "$output" "'part-0' and 'copy' are both shard 0/3"
  [ ! -e out ]
}

@test "shards of different inputs, options or builds are 65 and named" {
  for change in '.inputs["rollouts.jsonl"] = "cd"' '.config.seed = 2' '.commit = "d"'; do
    seven 2
    jq "$change" part-1.run.json >changed && mv changed part-1.run.json
    run -65 "$merge" -o out part-0 part-1
    assert_contains "$output" "'part-0' and 'part-1' are of different inputs, configurations or builds"
  done
  seven 2
  jq '.config.threads = 8' part-1.run.json >changed && mv changed part-1.run.json
  "$merge" -o out part-0 part-1
}

@test "a part that was cut off or changed is 65 and named" {
  seven 2
  head -n 1 part-1 >short && mv short part-1
  run -65 "$merge" -o out part-0 part-1
  assert_contains "$output" "'part-1' is not what its run record tells of"
  record part-1 1/2 '[1]'
  run -65 "$merge" -o out part-0 part-1
  assert_contains "$output" "do not fit together"
  echo '{}' >part-1.run.json
  run -65 "$merge" -o out part-0 part-1
  assert_contains "$output" "'part-1.run.json' is no run record of a shard"
  [ ! -e out ]
}

@test "a full disk is 74 and leaves nothing" {
  head -c 300000 /dev/zero | tr '\0' x >part-0
  echo >>part-0
  record part-0 0/1 '[1]'
  run -74 with_full_disk 8 "$merge" -o out part-0
  assert_contains "$output" "cannot write 'out.tmp-"
  [ ! -e out ]
  [ ! -e out.run.json ]
  assert_no_leftovers .
}

@test "bad usage is 64" {
  run -64 "$merge" part-0 part-1
  run -64 "$merge" -o out
  assert_contains "$output" 'usage: scripts/merge-shards -o OUTPUT PART...'
}
