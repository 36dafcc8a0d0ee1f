#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The man pages: well-formed, complete, and in agreement with the programs they describe.
bats_require_minimum_version 1.5.0
load ../cli/helpers

setup() {
  unirg_setup
  UNIRG_MAN=${UNIRG_MAN:-$UNIRG_BIN/../man}
  mapfile -t tools < <(unirg_tools)
  pages=("$UNIRG_MAN"/*.[1-9])
}

# The body of section $2 of page $1 as plain text, one line, single spaces.
section_text() {
  mandoc -T ascii -O width=78 "$1" | col -bx | awk -v name="$2" '
    /^[A-Z]/ { inside = $0 == name; next }
    inside { print }' | tr -s ' \n' ' ' | sed 's/^ //; s/ $//'
}

# The literal displays of the EXAMPLES section of page $1 that call a tool, one file each in folder $2.
split_examples() {
  mkdir -p "$2"
  awk -v folder="$2" '
    function keep() { if (text ~ /(^|[ |(])unirg-[a-z]+ /) { file = sprintf("%s/%02d", folder, ++n); printf "%s", text >file; close(file) } }
    /^\.Sh / { examples = $0 == ".Sh EXAMPLES" }
    examples && /^\.Ed/ { keep(); inside = 0 }
    inside && !/^\.\\"/ { gsub(/\\e/, "\\"); text = text $0 "\n" }
    examples && /^\.Bd -literal/ { inside = 1; text = "" }' "$1"
}

@test "every tool has a page, and the formats and the overview have theirs" {
  for tool in "${tools[@]}"; do [ -s "$UNIRG_MAN/$tool.1" ]; done
  for page in unirg.7 unirg-records.5 unirg-config.5 unirg-checkpoint.5; do [ -s "$UNIRG_MAN/$page" ]; done
}

@test "mandoc has nothing to warn about" {
  run -0 mandoc -T lint -W warning "${pages[@]}"
  [ -z "$output" ]
}

@test "no page has a mark left to fill" {
  run -1 grep -nE '@[A-Z_]+@' "${pages[@]}"
}

@test "the sections of a tool's page are all there, in order" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    sections=$(sed -n 's/^\.Sh //p' "$UNIRG_MAN/$tool.1" | grep -v REFERENCES | paste -sd ,)
    [ "$sections" = "NAME,SYNOPSIS,DESCRIPTION,OPTIONS,INPUT,OUTPUT,ENVIRONMENT,FILES,EXIT STATUS,EXAMPLES,REPRODUCIBILITY,SEE ALSO" ] ||
      [ "$sections" = "NAME,SYNOPSIS,DESCRIPTION,OPTIONS,INPUT,OUTPUT,ENVIRONMENT,EXIT STATUS,EXAMPLES,REPRODUCIBILITY,SEE ALSO" ]
  done
}

@test "SYNOPSIS is the usage line of --help" {
  for tool in "${tools[@]}"; do
    usage=$("$tool" --help | awk '/^$/ { exit } { print }' | tr -s ' \n' ' ' | sed 's/^usage: //; s/ $//')
    synopsis=$(section_text "$UNIRG_MAN/$tool.1" SYNOPSIS)
    echo "usage:    $usage"
    echo "synopsis: $synopsis"
    [ -n "$usage" ]
    [ "$synopsis" = "$usage" ]
  done
}

@test "OPTIONS names every option of --help" {
  for tool in "${tools[@]}"; do
    mandoc -T ascii "$UNIRG_MAN/$tool.1" | col -bx >page.txt
    unirg_options "$tool" | while read -r flag _; do
      grep -qE -- "^ +(-., )?$flag( |$)" page.txt || {
        echo "$tool: $flag is not in the page"
        false
      }
    done
  done
}

@test "EXIT STATUS lists the statuses of the program, no more and no fewer" {
  statuses=$(sed -nE 's/^  [a-z_]+ = ([0-9]+),.*/\1/p' "$UNIRG_SOURCE/libcommon/base/error.h" | sort -n | paste -sd ,)
  [ -n "$statuses" ]
  for tool in "${tools[@]}"; do
    listed=$(awk '/^\.Sh / { inside = $0 == ".Sh EXIT STATUS" } inside && /^\.It [0-9]+$/ { print $2 }' "$UNIRG_MAN/$tool.1" | paste -sd ,)
    echo "$tool: $listed, base/error.h: $statuses"
    [ "$listed" = "$statuses" ]
  done
}

@test "every page that is referred to exists" {
  grep -ohE '^\.Xr unirg[a-z-]* [0-9]' "${pages[@]}" | sort -u | while read -r _ name section; do
    echo "$name($section)"
    [ -s "$UNIRG_MAN/$name.$section" ]
  done
}

@test "every example calls tools with options and values that they take" {
  for page in "${pages[@]}"; do
    rm -rf examples
    split_examples "$page" examples
    for example in examples/*; do
      [ -e "$example" ] || continue
      echo "$page:"
      cat "$example"
      expected=$(grep -oE '(^|[ |(])unirg-[a-z]+ ' "$example" | wc -l)
      [ "$("$UNIRG_SOURCE/tests/man/run-example" <"$example")" = "$expected calls" ]
    done
  done
}

@test "each tool's page has at least three examples" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    [ "$(awk '/^\.Sh / { inside = $0 == ".Sh EXAMPLES" } inside && /^\.Bd -literal/' "$UNIRG_MAN/$tool.1" | wc -l)" -ge 3 ]
  done
}

@test "the sample configuration file is one" {
  awk '/^\.Ed/ { inside = 0 } inside { print } /^\.\\" sample config unirg-rollout/ { inside = 1 }' "$UNIRG_MAN/unirg-config.5" >rollout.yaml
  [ "$(wc -l <rollout.yaml)" -ge 5 ]
  unirg-rollout -c rollout.yaml --dump-config >merged.yaml
  grep -qx 'samples: 8' merged.yaml
}

@test "the sample lines of unirg-records are records of the kind they stand for" {
  awk '/^\.\\" sample / { kind = $3; next } /^\.Ed/ { kind = "" } kind != "" { print kind "\t" $0 }' "$UNIRG_MAN/unirg-records.5" >samples
  [ "$(cut -f1 samples | paste -sd ,)" = "study,generation,reward,score,metrics,rejected,data-card,run" ]
  while IFS=$'\t' read -r kind line; do
    echo "$kind"
    [ "$(jq -r 'keys_unsorted[0]' <<<"$line")" = schema ]
    [ "$(jq -r .schema <<<"$line")" = "unirg.$kind/1" ]
  done <samples
}
