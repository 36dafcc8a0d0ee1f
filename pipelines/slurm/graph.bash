#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is missing of a pipeline, as make sees it. Sourced by scripts/submit, which sets and reads the variables.
# shellcheck disable=SC2034,SC2154
#
# 'make -n' walks the graph and, for each target that is missing or older than what it is made of, expands the variable SHELL in
# the context of its recipe. Here SHELL is set to a value whose expansion prints the target and its prerequisites: so no rule
# needs to tell of itself, no rule can be forgotten, and what is out of date is decided by make alone, as in a run without Slurm.
# The commands that -n prints say which tool a stage runs, nothing more.

targets=()            # what is missing, each after what it needs
declare -A needs=()   # prerequisites of each, as make names them
declare -A kind_of=() # the tool (rollout), "graph" for a make of its own, "other" for the small steps between
declare -A is_stage=() # runs through scripts/stage
run=''                # the pipeline's RUN

# shellcheck disable=SC2016  # make expands it
graph_line='$(if $@,$(info unirg-plan $(MAKELEVEL) $(RUN) $@ : $^ $|))/bin/bash'

# A make that only says what it would do writes no settings. Here they must be there before the first job, or the jobs, which
# start side by side, would each write them, and what one has made would be older than the settings of the next.
write_settings() {
  "${make_command[@]}" --eval '.PHONY: unirg-settings' --eval 'unirg-settings:' unirg-settings >/dev/null
}

plan_graph() {
  local words line current='' text=''
  ((only_print)) || write_settings || die 78 "make cannot plan '$makefile' (its message is above)"
  text=$("${make_command[@]}" -n SHELL="$graph_line" "${wanted[@]}") || die 78 "make cannot plan '$makefile' (its message is above)"
  while IFS= read -r line; do
    if [[ $line == unirg-plan\ * ]]; then
      read -ra words <<<"$line"
      [[ ${words[1]} == 0 ]] || { current='' && continue; } # of a make within a make: part of that job
      take_plan_line "${words[@]:2}"
      current=$planned
    elif [[ -n $current ]]; then
      take_command "$current" "$line"
    elif [[ -z ${targets[*]} && $line != make* && -n $line ]]; then
      die 70 "this make ($(make --version | head -n 1)) does not tell its targets by SHELL"
    fi
  done <<<"$text"
}

take_plan_line() { # RUN TARGET : PREREQUISITE...
  [[ $2 != : && $3 == : ]] || die 78 "'$makefile' has no RUN, or names with blanks, and cannot be submitted"
  run=$1 planned=$2
  [[ -z ${needs[$planned]+there} ]] || return 0 # the recipe's next line
  targets+=("$planned")
  needs[$planned]="${*:4}"
  kind_of[$planned]=other
}

# What a printed command tells of target $1.
take_command() {
  if [[ $2 =~ (^|[[:space:]])scripts/stage[[:space:]]+([^[:space:]]+)[[:space:]]+[^[:space:]]*/unirg-([a-z]+) ]]; then
    [[ ${BASH_REMATCH[2]} != "$1" ]] || { kind_of[$1]=${BASH_REMATCH[3]} && is_stage[$1]=1; }
  elif [[ $2 =~ (^|[[:space:]])([^[:space:]]*/)?make[[:space:]]+- ]]; then
    kind_of[$1]=graph
  fi
}
