#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The contract that every tool keeps (man/unirg.7, section COMMAND LINE), checked over all built tools.
bats_require_minimum_version 1.5.0
load helpers

setup() {
  unirg_setup
  mapfile -t tools < <(unirg_tools)
}

# Arguments under which tool $1 gets as far as opening an input that is not there; none for a tool without inputs.
arguments_with_missing_input() {
  case $1 in
    unirg-phantom) ;;
    unirg-ingest) echo "--source dicom --reports absent.csv -o out absent" ;;
    unirg-model) echo "info --model absent" ;;
    unirg-sft) echo "--studies absent.jsonl --model absent -o out" ;;
    unirg-rollout | unirg-generate) echo "--studies absent.jsonl --model absent" ;;
    unirg-reward) echo "--references absent.jsonl absent.jsonl" ;;
    unirg-update) echo "--policy absent --rewards absent.jsonl --studies absent.jsonl -o out absent.jsonl" ;;
    unirg-eval) echo "--references absent.jsonl absent.jsonl" ;;
    *) echo "tests/cli/common.bats: no case for $1" >&2 && return 1 ;;
  esac
}

@test "there are tools to check" {
  [ "${#tools[@]}" -gt 0 ]
  for tool in "${tools[@]}"; do command -v "$tool"; done
}

@test "--help goes to standard output, exits 0 and fits 80 columns" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    for flag in --help -h; do
      run -0 --separate-stderr "$tool" "$flag"
      [ -z "$stderr" ]
      [[ $output == "usage: $tool "* ]]
      assert_contains "$output" "Exit status:"
      [ -z "$(awk 'length($0) > 80' <<<"$output")" ]
    done
  done
}

@test "--version names version, compiler and libraries" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    run -0 --separate-stderr "$tool" --version
    [ -z "$stderr" ]
    [[ ${lines[0]} =~ ^"$tool "[0-9]+\.[0-9]+\.[0-9]+" (" ]]
    [[ $output =~ compiler\ [^,]+,\ LibTorch\ [0-9].*DCMTK\ [0-9].*GDCM\ [0-9] ]]
  done
}

@test "an unknown flag is 64, with the nearest known one" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    run -64 --separate-stderr "$tool" --hepl
    [ -z "$output" ]
    assert_contains "$stderr" "$tool: error: unknown option '--hepl' (hint: did you mean 'help'?)"
    assert_contains "$stderr" "try '$tool --help'"
  done
}

@test "flags are not guessed from their beginnings" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    run -64 --separate-stderr "$tool" --versio
  done
}

@test "a full disk on standard output is 74, not success" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    for flag in --help --version --dump-config; do
      # shellcheck disable=SC2016  # expanded by the inner shell
      run -74 --separate-stderr bash -c '"$1" "$2" >/dev/full' - "$tool" "$flag"
      assert_contains "$stderr" "$tool: error: cannot write standard output"
    done
  done
}

@test "a closed standard output is 74" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    # shellcheck disable=SC2016
    run -74 --separate-stderr bash -c '"$1" --help >&-' - "$tool"
  done
}

@test "--dump-config is itself a valid configuration that says the same" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    "$tool" --dump-config >config.yaml
    [ -s config.yaml ]
    "$tool" --config config.yaml --dump-config >again.yaml
    cmp config.yaml again.yaml
  done
}

@test "an unknown key in a configuration file is 78, with file, line and nearest key" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    key=$("$tool" --dump-config | sed -n '1s/:.*//p')
    printf '# a comment\n%sx: 1\n' "$key" >wrong.yaml
    run -78 --separate-stderr "$tool" --config wrong.yaml --dump-config
    [ -z "$output" ]
    assert_contains "$stderr" "$tool: error: wrong.yaml:2: unknown key '${key}x' (hint: did you mean '$key'?)"
  done
}

@test "a configuration file that is no YAML map is 78" {
  printf -- '- 1\n- 2\n' >list.yaml
  printf 'key: "open\n' >broken.yaml
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    run -78 --separate-stderr "$tool" --config list.yaml --dump-config
    assert_contains "$stderr" "list.yaml"
    run -78 --separate-stderr "$tool" --config broken.yaml --dump-config
    assert_contains "$stderr" "broken.yaml:"
  done
}

@test "a configuration file that does not exist is 66" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    run -66 --separate-stderr "$tool" --config absent.yaml --dump-config
    assert_contains "$stderr" "'absent.yaml'"
  done
}

@test "an input that does not exist is 66, named, and nothing is left behind" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    arguments=$(arguments_with_missing_input "$tool")
    [ -n "$arguments" ] || continue
    mkdir "$BATS_TEST_TMPDIR/$tool"
    cd "$BATS_TEST_TMPDIR/$tool"
    # shellcheck disable=SC2086  # words are meant
    run -66 --separate-stderr "$tool" $arguments
    [ -z "$output" ]
    assert_contains "$stderr" "$tool: error: "
    assert_contains "$stderr" "'absent"
    [ -z "$(ls -A)" ]
  done
}

@test "missing required options are 64, before anything is read" {
  checked=0
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    "$tool" --help | grep -q 'Required\.' || continue
    run -64 --separate-stderr "$tool" </dev/null
    [ -z "$output" ]
    assert_contains "$stderr" "missing "
    checked=$((checked + 1))
  done
  [ "$checked" -gt 0 ]
}

@test "log lines are JSON objects with --log-format json" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    arguments=$(arguments_with_missing_input "$tool")
    [ -n "$arguments" ] || continue
    # shellcheck disable=SC2086
    run -66 --separate-stderr "$tool" --log-format json $arguments
    # shellcheck disable=SC2154
    jq -e --arg tool "$tool" 'select(.level == "error") | .program == $tool' <<<"${stderr_lines[0]}"
  done
}

@test "every option is explained by a sentence" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    "$tool" --generate man-options >options.mdoc
    [ "$(grep -c '^\.It ' options.mdoc)" -ge 10 ]
    awk '
      /^\.It / { if (item != "") bad = 1; item = $0; next }
      item != "" {
        if ($0 !~ /^(\\&)?[A-Za-z0-9]/ || $0 !~ /\.$/ || length($0) < 12) { print item " has no sentence: " $0; bad = 1 }
        item = ""
      }
      END { exit bad }' options.mdoc
  done
}

@test "the completion is valid bash and offers every option" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    "$tool" --generate bash-completion >completion.bash
    bash -n completion.bash
    # shellcheck disable=SC2016  # expanded by the inner shell
    bash -c '
      source ./completion.bash
      COMP_WORDS=("$1" --); COMP_CWORD=1
      "_${1//-/_}"
      printf "%s\n" "${COMPREPLY[@]}"' - "$tool" | sort >offered
    unirg_options "$tool" | sed 's/ .*//' | sort >known
    [ -s known ]
    cmp known offered
  done
}

@test "the example in --help uses options that exist" {
  for tool in "${tools[@]}"; do
    echo "tool: $tool"
    example=$("$tool" --help | sed -n '/^Example:$/,/^$/ { /^Example:$/d; p; }')
    assert_contains "$example" "$tool"
    [ "$("$UNIRG_SOURCE/tests/man/run-example" <<<"$example")" = "1 calls" ]
  done
}
