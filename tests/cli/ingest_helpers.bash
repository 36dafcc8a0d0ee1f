# SPDX-License-Identifier: Apache-2.0
# What the tests of unirg-ingest share: a quiet run, and what its output says and holds.

ingest() { unirg-ingest --quiet "$@"; }

# Fails unless folder $1 says: $2 files = $3 used + $4 rejected + $5 ignored, $6 rows rejected, $7 studies; and holds as much.
assert_counts() {
  local folder=$1 found
  shift
  found=$(jq -r '[.files, .used, .rejected, .ignored, .rejected_rows, .studies] | join(" ")' "$folder/summary.json")
  [ "$found" = "$*" ] || {
    printf 'counts: %s, expected: %s\n' "$found" "$*" >&2
    cat "$folder/rejected.jsonl" >&2
    return 1
  }
  [ "$1" -eq $(($2 + $3 + $4)) ]
  [ "$(wc -l <"$folder/rejected.jsonl")" -eq $(($3 + $5)) ]
  [ "$(wc -l <"$folder/studies.jsonl")" -eq "$6" ]
  [ -e "$folder/DONE" ]
  assert_jsonl "$folder/studies.jsonl"
  assert_jsonl "$folder/rejected.jsonl"
}

# The reason why folder $1 has rejected file $2, or line $3 of it.
reason() {
  jq -r --arg file "$2" --arg line "${3:-}" 'select(.file == $file + (if $line == "" then "" else ":" + $line end)
    or (.file == $file and $line != "" and (.line | tostring) == $line)) | .reason' "$1/rejected.jsonl"
}

# Field $2 (a jq expression) of study $3 in folder $1.
field() { jq -cr --arg id "$3" "select(.study_id == \$id) | $2" "$1/studies.jsonl"; }
