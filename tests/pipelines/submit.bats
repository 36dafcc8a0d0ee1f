#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# scripts/submit without Slurm: the scripts it shows, and what it does with stand-ins for sbatch and the tools. With a real Slurm:
# scripts/test-slurm.
bats_require_minimum_version 1.5.0
load ../cli/helpers

setup() {
  unirg_setup
  here=$PWD
  submit=$UNIRG_SOURCE/scripts/submit
}

print() { "$submit" --print "$@" RUN="$here/run"; }

# job TARGET KIND FILE: the script in FILE that --print shows for it.
job() { awk -v head=": $1 ($2)" '/^--- /{ on = index($0, head) } on' "$3"; }
# The number that stands for a job in FILE.
id() { job "$@" | sed -n '1s/--- \(.*\): .*/\1/p'; }
after() { job "$@" | sed -n 's/^#SBATCH --dependency=afterok://p'; }

# ---------------------------------------------------------------- what is shown

@test "--print shows a job for every stage of the graph, in its order, and makes nothing" {
  print smoke >plan.txt
  make --no-print-directory -n -C "$UNIRG_SOURCE" -f pipelines/smoke.mk RUN="$here/run" BIN=b >make.txt
  [ "$(grep -c '^--- ' plan.txt)" -eq "$(grep -cE '^(scripts/stage|last=|rollouts=)' make.txt)" ]
  [ "$(grep '^--- ' plan.txt | head -n 3 | sed "s|$here/run/||" | paste -sd '|')" = '--- JOB1: seed-1/phantom/DONE (phantom)|--- JOB2: seed-1/studies/DONE (ingest)|--- JOB3: seed-1/base/DONE (model)' ]
  [[ $(grep '^--- ' plan.txt | tail -n 1) == *": $here/run/summary.json (other)" ]]
  run ! grep -q -e --array plan.txt
  [ ! -e run ]
}

@test "a job is what Slurm is told, the checkout, and make for one target" {
  print smoke ITERATIONS=1 >plan.txt
  target=$here/run/seed-1/sft/DONE
  cat >expected <<END
--- $(id "$target" sft plan.txt): $target (sft)
#!/bin/bash
#SBATCH --job-name=seed-1/sft
#SBATCH --requeue --open-mode=append --kill-on-invalid-dep=yes --signal=B:TERM@120
#SBATCH --output=$here/run/slurm/seed-1.sft.log
#SBATCH --dependency=afterok:$(id "$here/run/seed-1/seen/DONE" sft plan.txt)
cd $UNIRG_SOURCE || exit 66
export UNIRG_ONLY=$target
exec pipelines/slurm/job make --no-print-directory -f pipelines/smoke.mk BIN=$UNIRG_SOURCE/build/release/bin ITERATIONS=1 RUN=$here/run $target

END
  job "$target" sft plan.txt | diff expected -
}

@test "jobs wait for those that make what they read, and for no other" {
  print smoke >plan.txt
  rl=$here/run/seed-1/rl
  [ "$(after "$rl/001/rollouts.jsonl" rollout plan.txt)" = "$(id "$here/run/seed-1/sft/DONE" sft plan.txt)" ]
  [ "$(after "$rl/001/rewards.jsonl" reward plan.txt)" = "$(id "$rl/001/rollouts.jsonl" rollout plan.txt)" ]
  [ "$(after "$rl/002/rollouts.jsonl" rollout plan.txt)" = "$(id "$rl/001/policy/DONE" update plan.txt)" ]
  [ "$(after "$here/run/seed-1/more/DONE" sft plan.txt)" = "$(id "$here/run/seed-1/sft/DONE" sft plan.txt)" ]
  [ "$(after "$here/run/summary.json" other plan.txt | tr : '\n' | wc -l)" -eq 5 ]
}

@test "--shards makes arrays of the tools that have --shard, each joined by a job that others wait for" {
  print --shards 4 smoke ITERATIONS=1 >plan.txt
  for tool in ingest rollout reward generate; do grep -F -A 4 "($tool)" plan.txt | grep -q -e '--array=0-3 --output=.*\.%a\.log'; done
  for tool in phantom model sft update eval other join; do run ! grep -q -e --array <(grep -F -A 4 --no-group-separator "($tool)" plan.txt); done
  rollouts=$here/run/seed-1/rl/001/rollouts.jsonl
  # shellcheck disable=SC2016  # of the job's shell
  job "$rollouts" rollout plan.txt | grep -qx 'export UNIRG_SHARD=$SLURM_ARRAY_TASK_ID/4'
  job "$rollouts" join plan.txt | grep -qx 'export UNIRG_JOIN=4'
  [ "$(after "$rollouts" join plan.txt)" = "$(id "$rollouts" rollout plan.txt)" ]
  [ "$(after "${rollouts%/*}/rewards.jsonl" reward plan.txt)" = "$(id "$rollouts" join plan.txt)" ]
}

@test "a make within the pipeline is one job, and its rounds are none" {
  print demo NAMES=seed-3 ITERATIONS=4 VALIDATE=2 >plan.txt
  job "$here/run/seed-3/rl/best/DONE" graph plan.txt >best.txt
  [ -s best.txt ]
  run ! grep -q '^---.*rl/00' plan.txt
  run ! grep -q UNIRG_ONLY best.txt
}

@test "a target submits what it needs and no more" {
  print smoke "$here/run/seed-1/base/DONE" >plan.txt
  [ "$(grep -c '^--- ' plan.txt)" -eq 3 ]
  grep -F '/phantom/DONE' plan.txt | grep '^exec' | grep -qv '/base/DONE' # a job makes its own
}

@test "targets that are asked for are made by jobs, not by what submits them" {
  tiny
  mkdir quiet
  printf '#!/bin/sh\ncat >/dev/null; echo 7\n' >quiet/sbatch
  chmod +x quiet/sbatch
  PATH=$here/quiet:$PATH run -0 "$submit" "$here/tiny.mk" RUN="$here/run" BIN="$here/bin" "$here/run/sft/DONE"
  assert_contains "$output" '2 jobs for 2 targets'
  [ ! -e run/rollouts.jsonl ]
}

@test "settings that changed count as changed, though nothing is written" {
  mkdir -p run/seed-1/reports
  echo "ITERATIONS=1 SPLITS=test,heldout_site STEP2_FROM=2" >run/settings
  cp -r "$UNIRG_SOURCE/pipelines/conf/smoke" conf
  for folder in phantom studies base; do mkdir -p "run/seed-1/$folder" && touch "run/seed-1/$folder/DONE"; done
  touch run/seed-1/reports/base.jsonl
  find run conf -exec touch -d 2020-01-01 {} + # all of one time
  target=$here/run/seed-1/reports/base.jsonl
  run -0 print smoke CONF="$here/conf" ITERATIONS=1 "$target"
  [ "$output" = 'submit: nothing to do: all is made' ]
  run -0 print smoke CONF="$here/conf" ITERATIONS=2 "$target"
  assert_contains "$output" "$target (generate)"
  [ "$(cat run/settings)" = "ITERATIONS=1 SPLITS=test,heldout_site STEP2_FROM=2" ]
}

# ---------------------------------------------------------------- the site file

@test "the site file's options go to its kinds of jobs, the special after the general, and so do shards" {
  cat >site <<'END'
# a comment

sft --gres=gpu:1 --time=9:00:00
all --partition=p --time=1:00:00 shards=2
reward shards=3
before module load gcc/12
before export A="b c"
END
  print --site "$here/site" smoke ITERATIONS=1 >plan.txt
  cat >expected <<END
#SBATCH --partition=p
#SBATCH --time=1:00:00
#SBATCH --gres=gpu:1
#SBATCH --time=9:00:00
cd $UNIRG_SOURCE || exit 66
module load gcc/12
export A="b c"
export UNIRG_ONLY=$here/run/seed-1/sft/DONE
END
  job "$here/run/seed-1/sft/DONE" sft plan.txt | sed '1,/dependency/d; /^exec/,$d' | diff expected -
  grep -F -A 4 '(reward)' plan.txt | grep -q -e --array=0-2
  grep -F -A 4 '(rollout)' plan.txt | grep -q -e --array=0-1
  print --site "$here/site" --shards 5 smoke ITERATIONS=1 >plan.txt
  grep -F -A 4 '(reward)' plan.txt | grep -q -e --array=0-4
}

@test "what trains is a job of as many tasks as the site file has ranks" {
  printf '%s\n' 'sft ranks=4 --cpus-per-task=2' 'update ranks=1' 'graph ranks=2' >site
  print --site "$here/site" smoke ITERATIONS=1 >plan.txt
  cat >expected <<END
#SBATCH --cpus-per-task=2
#SBATCH --ntasks=4
cd $UNIRG_SOURCE || exit 66
export UNIRG_ONLY=$here/run/seed-1/sft/DONE
export UNIRG_RANKS=4
END
  job "$here/run/seed-1/sft/DONE" sft plan.txt | sed '1,/dependency/d; /^exec/,$d' | diff expected -
  [ "$(grep -c '^export UNIRG_RANKS=4$' plan.txt)" -eq "$(grep -c '^--- .* (sft)$' plan.txt)" ]
  [ "$(grep -c UNIRG_RANKS plan.txt)" -eq "$(grep -c '^--- .* (sft)$' plan.txt)" ] # one rank is a plain run
}

@test "the example of a site file is one" {
  print --site pipelines/slurm/site.example smoke >plan.txt
  grep -F -A 20 '(update)' plan.txt | grep -qx '#SBATCH --constraint=a100'
}

@test "a line of the site file that is none is 78, with its place" {
  while IFS='|' read -r line message; do
    printf '# c\n%s\n' "$line" >site
    run -78 print --site "$here/site" smoke
    assert_contains "$output" "submit: error: $here/site:2: $message"
  done <<'END'
ssft --time=1|unknown kind of job 'ssft'
sft time=1|'time=1' is neither --NAME=VALUE of sbatch nor shards=N nor ranks=N
sft -p main|'-p' is neither
sft --array=0-3|--array is scripts/submit's own
update shards=2|unirg-update has no --shard
reward shards=0|'shards=0' is neither
sft ranks=0|'ranks=0' is neither
reward ranks=2|'reward' does not train: it has no ranks
all ranks=2|'all' does not train: it has no ranks
END
}

# ---------------------------------------------------------------- errors

@test "bad usage is 64, what is not there 66, what cannot be planned 78" {
  run -64 "$submit"
  assert_contains "$output" 'usage: scripts/submit'
  run -64 "$submit" --prnt smoke
  assert_contains "$output" "unknown option '--prnt'"
  run -64 "$submit" --shards 0 smoke
  run -64 "$submit" --site
  run -66 print nothing
  assert_contains "$output" "no pipeline 'pipelines/nothing.mk' (hint:"
  run -66 print --site none smoke
  assert_contains "$output" "no site file 'none'"
  run -78 print paper
  assert_contains "$output" 'needs BASE=CHECKPOINT'
  run -78 print smoke no-such-target
  assert_contains "$output" "make cannot plan 'pipelines/smoke.mk'"
}

@test "without Slurm it is 69" {
  mkdir empty
  for program in bash make dirname cat; do ln -s "$(command -v "$program")" empty; done
  run -69 env PATH="$here/empty" "$submit" smoke RUN="$here/run"
  assert_contains "$output" 'no sbatch'
}

# ---------------------------------------------------------------- jobs, with a stand-in for Slurm

# A pipeline of two stages and a last step; tools that write six units; an sbatch that runs a job at once.
tiny() {
  cp -r "$BATS_TEST_DIRNAME/tiny" .
  cd tiny
  here=$PWD
  mkdir fake/jobs fake/failed
  echo x >input
  echo RUNNING >fake/state
  export FAKE=$PWD/fake PATH=$PWD/fake:$PATH
}
tiny_submit() { "$submit" --shards 4 "$here/tiny.mk" RUN="$here/run" BIN="$here/bin"; }
tiny_make() { make --no-print-directory -C "$UNIRG_SOURCE" -f "$here/tiny.mk" BIN="$here/bin" "$@"; }

@test "arrays are joined to the bytes of one run, and a graph that is done is not submitted" {
  tiny
  tiny_make RUN="$here/plain"
  run -0 tiny_submit
  assert_contains "$output" '4 jobs for 3 targets'
  cmp run/rollouts.jsonl plain/rollouts.jsonl
  cmp run/sum.txt plain/sum.txt
  [ ! -e run/rollouts.jsonl.parts ]
  [ "$(cut -d ' ' -f 1,2 run/slurm/jobs | paste -sd '|')" = '101 array|102 last|103 last|104 last' ]
  grep -qx '#SBATCH --dependency=afterok:102' fake/jobs/103
  grep -qx '#SBATCH --dependency=afterok:102:103' fake/jobs/104 # it needs a name: all before
  run -0 "$submit" --shards 4 "$here/tiny.mk" RUN="$here/run" BIN="$here/bin" "$here/run/sft/DONE"
  assert_contains "$output" 'nothing to do'
}

@test "what failed is submitted again, of an array the missing tasks only" {
  tiny
  echo 65 | tee fake/fail-1 >fake/fail-3
  tiny_submit
  [ ! -e run/rollouts.jsonl ]
  grep -q 'rollouts.jsonl.parts/1-of-4.jsonl: exit status 65, log: ' fake/out
  rm fake/fail-? fake/failed/*
  tiny_submit
  grep -q -e '--array=1,3 ' fake/jobs/105
  [ "$(wc -l <run/sum.txt)" -eq 6 ]
}

@test "parts that are older than what they are made of are made again" {
  tiny
  echo 65 >fake/fail-3
  tiny_submit
  rm fake/fail-3 fake/failed/*
  touch -d 2030-01-01 input
  tiny_submit
  grep -q -e '--array=0-3 ' fake/jobs/105
}

@test "jobs that are still queued are waited for and not submitted again" {
  tiny
  mkdir -p run/slurm
  printf '%s\n' "7 array $here/run/rollouts.jsonl" "8 last $here/run/rollouts.jsonl" "9 last $here/run/sft/DONE" >run/slurm/jobs
  printf '7\n8\n' >fake/queue
  run -0 tiny_submit
  assert_contains "$output" '2 jobs for 2 targets, 1 targets are on their way already'
  grep -qx '#SBATCH --dependency=afterok:8' fake/jobs/101
}

@test "a job whose forerunner left nothing says what is missing, and makes it not" {
  tiny
  export UNIRG_ONLY=$here/run/sft/DONE
  run -2 tiny_make RUN="$here/run" "$UNIRG_ONLY"
  assert_contains "$output" "'$here/run/rollouts.jsonl' is not made, and '$UNIRG_ONLY' needs it"
  [ ! -e run/rollouts.jsonl ]
}

# The end of a job that makes the rollouts, in place of this shell.
run_job() {
  cd "$UNIRG_SOURCE" && exec env SLURM_JOB_ID=5 pipelines/slurm/job make --no-print-directory -f "$here/tiny.mk" \
    RUN="$here/run" BIN="$here/bin" "$here/run/rollouts.jsonl"
}

@test "a job is put back after 75 only, whatever make says" {
  tiny
  echo 65 >fake/fail-0
  run -65 run_job
  [ ! -e fake/requeued ]
  echo 75 >fake/fail-0
  run -75 run_job
  [ "$(cat fake/requeued)" = 'requeue 5' ]
  rm fake/requeued
  echo COMPLETING >fake/state # scancel sends the same signal
  run -75 run_job
  [ ! -e fake/requeued ]
  rm fake/fail-0
  run -0 run_job
}

@test "a signal to the job's shell reaches the tool, whose end is waited for" {
  tiny
  cat >bin/unirg-rollout <<END
#!/usr/bin/env bash
trap "sleep 0.3; touch $here/saved; exit 75" TERM
touch $here/ready
while :; do sleep 0.05; done
END
  for signal in TERM USR1; do
    rm -f fake/requeued ready saved
    run_job >job.log 2>&1 &
    wait_until test -e ready
    kill "-$signal" $!
    assert_status $! 75
    [ -e saved ]
    [ "$(cat fake/requeued)" = 'requeue 5' ]
  done
}

@test "what trains runs as tasks of srun, and a signal reaches them by scancel: srun would kill them" {
  tiny
  echo '{}' >run.jsonl
  export UNIRG_RANKS=2 SLURM_CPUS_PER_TASK=3 SLURM_JOB_ID=5
  stage=$UNIRG_SOURCE/scripts/stage
  "$stage" "$here/run/sft/DONE" "$here/bin/unirg-sft" -o "$here/run/sft" run.jsonl
  [ "$(paste -sd ' ' fake/srun-options)" = '--mpi=pmix --ntasks=2 --cpus-per-task=3' ]
  cmp run.jsonl run/sft/model
  rm fake/srun-options
  "$stage" "$here/run/rollouts.jsonl" "$here/bin/unirg-rollout" -o "$here/run/rollouts.jsonl"
  [ ! -e fake/srun-options ] # it does not train
  cat >bin/unirg-update <<END
#!/usr/bin/env bash
trap "touch $here/saved; exit 75" TERM
touch $here/ready
while :; do sleep 0.05; done
END
  chmod +x bin/unirg-update
  "$stage" "$here/run/policy/DONE" "$here/bin/unirg-update" -o "$here/run/policy" &
  wait_until test -e ready
  kill -TERM $!
  assert_status $! 75
  [ -e saved ]
  [ ! -e fake/killed ]
}
