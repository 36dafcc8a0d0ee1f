# SPDX-License-Identifier: Apache-2.0
# What the Bats files of several ranks share beyond the helpers of tests/cli.
# shellcheck disable=SC2034,SC2154  # the files that load this use and set them

need_mpirun() { command -v mpirun >/dev/null || skip "no mpirun (Debian package openmpi-bin)"; }

# True once process $1 has ended; mpirun may be gone a moment before a rank that it killed.
is_gone() { ! kill -0 "$1" 2>/dev/null; }

# Runs command $2... as $1 ranks; one that hangs fails. Each rank leaves its process number in pid.RANK.
ranks() {
  # shellcheck disable=SC2016  # the rank expands it
  timeout 300 "$UNIRG_SOURCE/tests/ranks/with-ranks" "$1" \
    bash -c 'echo $$ >"pid.$OMPI_COMM_WORLD_RANK.new"; mv "pid.$OMPI_COMM_WORLD_RANK.new" "pid.$OMPI_COMM_WORLD_RANK"; exec "$@"' \
    rank "${@:2}"
}

# Fails unless the lines of metrics files $1 and $2 that have field $3 (a jq expression) differ by at most $4 in it.
assert_close() {
  jq -en --slurpfile a "$1" --slurpfile b "$2" --argjson most "$4" "[\$a[] | select($3 != null) | $3] as \$x |
    [\$b[] | select($3 != null) | $3] as \$y | (\$x | length) > 0 and (\$x | length) == (\$y | length) and
    ([range(\$x | length) | \$x[.] - \$y[.] | fabs] | max | debug) <= \$most" >/dev/null
}
