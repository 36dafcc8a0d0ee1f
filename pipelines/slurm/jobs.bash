#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The site file, and jobs: which of a target's are needed, their scripts, and the order to sbatch. Sourced by
# scripts/submit, which sets and reads the variables.
# shellcheck disable=SC2034,SC2154

sharded=' ingest rollout reward generate ' # tools with --shard
ranked=' sft update graph '                # what trains, or holds what trains
kinds=' all phantom ingest model sft rollout reward update generate eval graph join other '
# What a job's script says itself; told otherwise it would not be the pipeline any more.
ours=' array chdir dependency error input job-name kill-on-invalid-dep no-requeue open-mode output parsable requeue wait wrap '

declare -A site_options=() # sbatch options by kind
declare -A site_shards=()
declare -A site_ranks=()
site_before='' # commands before make

# Lines "KIND OPTION...": --NAME=VALUE of sbatch, shards=N, ranks=N; "before COMMAND". '#' begins a comment.
read_site() {
  local line words kind word number=0 name
  [[ -n $site ]] || return 0
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    [[ $line =~ ^[[:space:]]*(#|$) ]] && continue
    read -ra words <<<"$line"
    kind=${words[0]}
    if [[ $kind == before ]]; then
      site_before+="${line#*before }"$'\n'
      continue
    fi
    [[ $kinds == *" $kind "* ]] || die 78 "$site:$number: unknown kind of job '$kind' (hint:$kinds or before)"
    for word in "${words[@]:1}"; do
      if [[ $word =~ ^shards=([1-9][0-9]*)$ ]]; then
        [[ $kind == all || $sharded == *" $kind "* ]] || die 78 "$site:$number: unirg-$kind has no --shard"
        site_shards[$kind]=${BASH_REMATCH[1]}
        continue
      fi
      if [[ $word =~ ^ranks=([1-9][0-9]*)$ ]]; then
        [[ $ranked == *" $kind "* ]] || die 78 "$site:$number: '$kind' does not train: it has no ranks (hint:${ranked}have)"
        site_ranks[$kind]=${BASH_REMATCH[1]}
        continue
      fi
      [[ $word =~ ^--([a-z][a-z-]*)(=.*)?$ ]] || die 78 "$site:$number: '$word' is neither --NAME=VALUE of sbatch nor shards=N nor ranks=N"
      name=${BASH_REMATCH[1]}
      [[ $ours != *" $name "* ]] || die 78 "$site:$number: --$name is scripts/submit's own"
      site_options[$kind]+=" $word"
    done
  done <"$site"
}

# --- what is there, and what is on its way ----------------------------------------------------------------------------------

declare -A queued=() # "TARGET KIND" -> job id; KIND is array or last
declare -A last_job=() # TARGET -> job that others wait for
submitted=0 waited_for=0

# Jobs of earlier calls that have not ended. Lines of RUN/slurm/jobs: ID KIND TARGET.
read_ledger() {
  local alive id kind target
  [[ -e $run/slurm/jobs ]] && ((!only_print)) || return 0
  alive=" $(squeue --noheader --format=%F 2>/dev/null | paste -sd ' ') " || die 69 "squeue does not answer"
  while read -r id kind target; do
    if [[ $alive == *" $id "* ]]; then queued["$target $kind"]=$id; fi
  done <"$run/slurm/jobs"
}

shards_of() { # kind
  if [[ $sharded != *" $1 "* ]]; then
    echo 1
  else
    echo "${shards:-${site_shards[$1]:-${site_shards[all]:-1}}}"
  fi
}

# Which of N parts of a target are missing, or older than what the target is made of: "0,2".
missing_parts() { # TARGET N
  local i part need missing=()
  for ((i = 0; i < $2; i++)); do
    part=${1%/DONE}.parts/$i-of-$2
    if [[ $1 == *.jsonl ]]; then part+=.jsonl; else part+=/DONE; fi
    for need in ${needs[$1]}; do
      # What is itself to be made makes the part old, too.
      if [[ ! -e $part || ! -e $need || $need -nt $part || -n ${last_job[$need]:-} ]]; then
        missing+=("$i")
        break
      fi
    done
  done
  if ((${#missing[@]} == $2)); then
    echo "0-$(($2 - 1))"
  else
    (IFS=, && echo "${missing[*]}")
  fi
}

# The jobs that target $1 waits for, "12:15". A prerequisite that is no path and has no recipe is a name for others (.PHONY),
# which make has told before: then it waits for all that came before.
dependencies() {
  local need target ids=()
  for need in ${needs[$1]}; do
    if [[ -n ${last_job[$need]:-} ]]; then
      ids+=("${last_job[$need]}")
    elif [[ $need != */* && ! -e $need && -z ${needs[$need]+there} ]]; then
      for target in "${targets[@]}"; do
        [[ $target != "$1" ]] || break
        ids+=("${last_job[$target]}")
      done
    fi
  done
  printf '%s\n' "${ids[@]}" | awk 'NF && !seen[$0]++' | paste -sd :
}

# --- jobs ---------------------------------------------------------------------------------------------------------------------

submit_target() {
  local target=$1 kind=${kind_of[$1]} n after missing array
  if [[ -n ${queued["$target last"]:-} ]]; then
    last_job[$target]=${queued["$target last"]}
    waited_for=$((waited_for + 1))
    return
  fi
  n=$(shards_of "$kind")
  after=$(dependencies "$target")
  if ((n > 1)); then
    array=${queued["$target array"]:-}
    missing=$(missing_parts "$target" "$n")
    if [[ -z $array && -n $missing ]]; then
      submit_job "$target" array "$kind" "$after" "$n" "$missing"
      array=$job_id
    fi
    submit_job "$target" last join "${array:-$after}" "$n" ''
  else
    submit_job "$target" last "$kind" "$after" 1 ''
  fi
  last_job[$target]=$job_id
}

submit_job() { # TARGET array|last KIND AFTER N INDICES: sets job_id
  local script refused
  script=$(job_script "$@")
  submitted=$((submitted + 1))
  if ((only_print)); then
    job_id="JOB$submitted" # stands for the number that sbatch will give
    printf -- '--- %s: %s (%s)\n%s\n\n' "$job_id" "$1" "$3" "$script"
    return
  fi
  mkdir -p "$run/slurm" || die 74 "cannot make '$run/slurm'"
  job_id=$(sbatch --parsable <<<"$script") || {
    refused=$submitted
    die 69 "sbatch refuses job $refused, '$1' (its message is above); what was submitted before goes on (hint: run this again)"
  }
  job_id=${job_id%%;*}
  echo "$job_id $2 $1" >>"$run/slurm/jobs" || die 74 "cannot write '$run/slurm/jobs'"
}

# One job: what Slurm is told, and what pipelines/slurm/job does with it.
job_script() { # TARGET array|last KIND AFTER N INDICES
  local target=$1 what=$2 kind=$3 after=$4 n=$5 indices=$6 ranks=${site_ranks[$3]:-1} name log option
  name=${target#"$run/"}
  name=${name%/DONE}
  log=$run/slurm/${name//\//.}
  if [[ $log != /* ]]; then log=$PWD/$log; fi
  echo '#!/bin/bash'
  echo "#SBATCH --job-name=$name"
  echo "#SBATCH --requeue --open-mode=append --kill-on-invalid-dep=yes --signal=B:TERM@120"
  if [[ $what == array ]]; then
    echo "#SBATCH --array=$indices --output=$log.%a.log"
  else
    echo "#SBATCH --output=$log.log"
  fi
  if [[ -n $after ]]; then echo "#SBATCH --dependency=afterok:$after"; fi
  for option in ${site_options[all]:-} ${site_options[$kind]:-}; do echo "#SBATCH $option"; done
  if ((ranks > 1)); then echo "#SBATCH --ntasks=$ranks"; fi
  printf 'cd %q || exit 66\n' "$PWD"
  printf '%s' "$site_before"
  if [[ -n ${is_stage[$target]:-} ]]; then printf 'export UNIRG_ONLY=%q\n' "$target"; fi
  if ((ranks > 1)); then echo "export UNIRG_RANKS=$ranks"; fi
  if [[ $what == array ]]; then
    echo "export UNIRG_SHARD=\$SLURM_ARRAY_TASK_ID/$n"
  elif ((n > 1)); then
    echo "export UNIRG_JOIN=$n"
  fi
  printf 'exec pipelines/slurm/job'
  printf ' %q' "${make_command[@]}" "$target"
  echo
}

report() {
  ((!only_print)) || return 0
  printf 'submit: %d jobs for %d targets, %d targets are on their way already; logs in %s\n' "$submitted" "$((${#targets[@]} - waited_for))" "$waited_for" "$run/slurm"
  printf 'submit: last job %s\n' "${last_job[${targets[-1]}]}"
}
