# SPDX-License-Identifier: Apache-2.0
# Starts misbehaving_server.py for a Bats test and asks its log. Needs helpers.bash.

# shellcheck disable=SC2034  # JUDGE_URL is for the tests
# Starts the server with arguments $@; sets JUDGE_URL. Its log is judge.log in the working folder.
start_judge() {
  command -v python3 >/dev/null || skip "needs python3 for tests/judge/misbehaving_server.py"
  rm -f judge.log judge.port
  "$UNIRG_SOURCE/tests/judge/misbehaving_server.py" --log judge.log "$@" >judge.port 3>&- &
  JUDGE_PID=$!
  wait_until test -s judge.port
  JUDGE_URL=http://127.0.0.1:$(cut -d ' ' -f 2 judge.port)
}

stop_judge() {
  [[ -n ${JUDGE_PID:-} ]] || return 0
  kill -KILL "$JUDGE_PID" 2>/dev/null || true
  wait "$JUDGE_PID" 2>/dev/null || true
  JUDGE_PID=
}

# Requests so far, and how many of them were different.
asked() { if [[ -e judge.log ]]; then wc -l <judge.log; else echo 0; fi; }
asked_at_least() { [ "$(asked)" -ge "$1" ]; }
questions() { jq -r .sha256 judge.log | sort -u | wc -l; }
