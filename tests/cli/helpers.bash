# SPDX-License-Identifier: Apache-2.0
# What the Bats files share. Use:
#
#   bats_require_minimum_version 1.5.0
#   load helpers
#   setup() { unirg_setup; }
#
# ctest sets UNIRG_BIN (where the tools are) and UNIRG_TOOLS (which there are); by hand: UNIRG_BIN=build/release/bin bats tests/cli

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
  if [[ -n ${UNIRG_TOOLS:-} ]]; then
    tr ';' '\n' <<<"$UNIRG_TOOLS"
  else
    (cd "$UNIRG_BIN" && printf '%s\n' unirg-*)
  fi
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

# Options of a tool, one a line, as "--name" or, for those that take a value, "--name METAVAR".
unirg_options() { "$1" --help | sed -nE 's/^  (-., )?(--[a-z0-9-]+( .*)?)$/\2/p'; }
