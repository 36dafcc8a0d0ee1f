#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-model: what init writes, that it writes the same again, what info says, and what both refuse.
# shellcheck disable=SC2030,SC2031,SC2154  # run sets output and stderr, in each test anew
bats_require_minimum_version 1.5.0
load helpers

# What all tests share and none changes: study records 'st', the configuration of a tiny model, the model 'base'.
setup_file() {
  cd "$BATS_FILE_TMPDIR"
  unirg_tiny 8
}

setup() {
  unirg_setup
  mkdir here && cd here # run keeps its own files in the folder above
  st=$BATS_FILE_TMPDIR/st
  tiny=$BATS_FILE_TMPDIR/tiny.yaml
  base=$BATS_FILE_TMPDIR/base
}

init() { unirg-model init --quiet -c "$tiny" --studies "$st/studies.jsonl" "$@"; }

info() { unirg-model info --quiet "$@"; }

# Number $2 of $1, a report of info.
number() { sed -nE "s/^ *$2: //p" "$1"; }

# ---------------------------------------------------------------- init

@test "init writes a complete checkpoint from a YAML file" {
  run -0 --separate-stderr init -m model
  [ -z "$output" ]
  [ -z "$stderr" ]
  [ "$(find model -type f -printf '%f\n' | sort | paste -sd ' ')" = \
    "DONE chat_template.jinja config.json generation_config.json model.safetensors preprocessor_config.json run.json tokenizer.json tokenizer_config.json" ]
  for file in model/*.json; do jq -e 'type == "object"' "$file" >/dev/null; done
  jq -e '.text_config | .hidden_size == 16 and .num_hidden_layers == 2 and .num_key_value_heads == 1' model/config.json
  jq -e '.vision_config | .depth == 2 and .deepstack_visual_indexes == [0] and .out_hidden_size == 16' model/config.json
  [ "$(jq '.model.vocab | length' model/tokenizer.json)" -le 300 ]
  jq -e --arg digest "$(sha256sum <"$st/studies.jsonl" | cut -d ' ' -f 1)" '.tool == "unirg-model" and (.inputs | to_entries[0].value == $digest)' model/run.json
  assert_no_leftovers .
}

@test "flags override the file" {
  init --layers 3 --set intermediate-size=48 -m model
  jq -e '.text_config | .num_hidden_layers == 3 and .intermediate_size == 48 and .hidden_size == 16' model/config.json
}

@test "the same seed gives the same bytes, another seed other weights and the same tokenizer" {
  init --seed 3 -m one
  init --seed 3 -m again
  init --seed 4 -m other
  unirg_digests one >one.txt
  unirg_digests again | cmp one.txt -
  run -1 cmp -s one/model.safetensors other/model.safetensors
  for file in tokenizer.json config.json chat_template.jinja preprocessor_config.json; do cmp "one/$file" "other/$file"; done
}

@test "a tensor depends on its own name and shape, not on the others" {
  init --layers 3 -m deeper
  tensor() { # model, name: its bytes
    read -r begin end < <(safetensors_header "$1/model.safetensors" | jq -r --arg name "$2" '.[$name].data_offsets | "\(.[0]) \(.[1])"')
    length=$(od -An -tu8 -N8 "$1/model.safetensors" | tr -d ' ')
    tail -c "+$((8 + length + begin + 1))" "$1/model.safetensors" | head -c $((end - begin))
  }
  name=model.language_model.layers.1.mlp.down_proj.weight
  [ "$(tensor "$base" $name | wc -c)" -eq $((16 * 32 * 4)) ]
  cmp <(tensor "$base" $name) <(tensor deeper $name)
}

@test "--init-std is the spread of the weights" {
  init --init-std 0 -m zero
  init --init-std 0.5 -m wide
  mean_square() { # of the embedding's values
    read -r begin end < <(safetensors_header "$1/model.safetensors" | jq -r '.["model.language_model.embed_tokens.weight"].data_offsets | "\(.[0]) \(.[1])"')
    length=$(od -An -tu8 -N8 "$1/model.safetensors" | tr -d ' ')
    tail -c "+$((8 + length + begin + 1))" "$1/model.safetensors" | head -c $((end - begin)) | od -An -v -tf4 -w4 |
      awk '{ sum += $1 * $1 } END { printf "%d\n", 1000 * sum / NR }'
  }
  [ "$(mean_square zero)" -eq 0 ]
  [ "$(mean_square wide)" -gt 230 ]
  [ "$(mean_square wide)" -lt 270 ]
}

@test "init needs the records alone, not the pictures" {
  cp "$st/studies.jsonl" .
  unirg-model init --quiet -c "$tiny" --studies studies.jsonl -m model
  cmp model/model.safetensors "$base/model.safetensors"
}

@test "the tokenizer is trained on the chosen splits" {
  init --split test --vocab-size 400 -m tests
  init --split train --vocab-size 400 -m train
  run -1 cmp -s tests/tokenizer.json train/tokenizer.json
  run -65 --separate-stderr init --split absent -m none
  assert_contains "$stderr" "no study of split 'absent'"
  [ ! -e none ]
}

@test "an existing checkpoint is replaced as a whole" {
  init -m model
  touch model/stray
  init --seed 1 -m model
  [ ! -e model/stray ]
  [ -e model/DONE ]
}

@test "something that is no checkpoint is not replaced" {
  mkdir mine && echo precious >mine/data
  echo precious >file
  run ! init -m mine
  run ! init -m file
  [ "$(cat mine/data file)" = "$(printf 'precious\nprecious')" ]
}

# ---------------------------------------------------------------- info

@test "info counts parameters by part, and bytes" {
  info -m "$base" >report
  total=$(safetensors_header "$base/model.safetensors" | jq 'del(.__metadata__) | map(.shape | reduce .[] as $n (1; . * $n)) | add')
  [ "$(number report parameters)" -eq "$total" ]
  sum=0
  for part in vision embedding layers head; do sum=$((sum + $(number report $part))); done
  # The text tower's last norm is in no part.
  [ "$((sum + 16))" -eq "$total" ]
  [ "$(number report embedding)" -eq "$(number report head)" ]
  [ "$(number report weights-float32-bytes)" -eq $((4 * total)) ]
  [ "$(number report training-bytes)" -eq $((16 * total)) ]
  [ "$(number report kv-bytes-per-token)" -eq $((4 * 2 * 2 * 1 * 8)) ]
}

@test "tied embeddings have no head of their own" {
  info -m "$base" >report
  init --tie-word-embeddings -m tied
  info -m tied >tied.report
  [ "$(number tied.report head)" -eq 0 ]
  [ "$(number tied.report parameters)" -eq $(($(number report parameters) - $(number report head))) ]
}

@test "info's digest is the documented one and does not know how the checkpoint came about" {
  cp -r "$base" model
  digest() { info -m model | sed -n 's/^digest: //p'; }
  expected=$(cd model && find . -type f ! -name run.json ! -name DONE ! -path './training_state/*' -printf '%P\n' | LC_ALL=C sort |
    while read -r name; do printf '%s %s\n' "$name" "$(sha256sum <"$name" | cut -d ' ' -f 1)"; done | sha256sum | cut -d ' ' -f 1)
  [ "$(digest)" = "$expected" ]
  mkdir model/training_state && echo '{}' >model/training_state/state.json
  rm model/run.json model/DONE
  [ "$(digest)" = "$expected" ]
  jq '.x = 1' model/generation_config.json >changed && mv changed model/generation_config.json
  [ "$(digest)" != "$expected" ]
}

@test "info on a full disk is 74" {
  # shellcheck disable=SC2016  # expanded by the inner shell
  run -74 --separate-stderr bash -c 'unirg-model info --quiet -m "$1" >/dev/full' - "$base"
  assert_contains "$stderr" "cannot write standard output"
}

# ---------------------------------------------------------------- checkpoints that are none

# Changes a copy of the checkpoint by command $3... and expects status $1 and message $2 of info.
refused() {
  local status=$1 message=$2
  shift 2
  rm -rf model && cp -r "$base" model
  "$@"
  echo "after: $*"
  run -"$status" --separate-stderr info -m model
  [ -z "$output" ]
  assert_contains "$stderr" "$message"
}
edit_config() { jq "$1" "$base/config.json" >model/config.json; }

@test "info refuses a missing, unknown or ill-shaped tensor by name" {
  refused 65 "missing tensors: lm_head.weight; unknown tensors: lm_hexd.weight" sed -i 's/lm_head\.weight/lm_hexd.weight/' model/model.safetensors
  refused 65 "lm_head.weight [300,16] instead of [300,24]" edit_config '.text_config.hidden_size = 24 | .vision_config.out_hidden_size = 24'
  refused 65 "layers.2." edit_config '.text_config.num_hidden_layers = 3'
  refused 65 "unknown tensors: model.language_model.layers.1." edit_config '.text_config.num_hidden_layers = 1'
}

@test "info refuses a damaged weights file" {
  refused 65 "'model/model.safetensors'" truncate -s -100 model/model.safetensors
  refused 65 "'model/model.safetensors'" truncate -s 10 model/model.safetensors
  refused 65 "'model/model.safetensors'" truncate -s 0 model/model.safetensors
  refused 65 "'model/model.safetensors'" sed -i '1s/{"/["/' model/model.safetensors
}

@test "info refuses a configuration that is none" {
  refused 65 "model/config.json: text_config: key 'hidden_size' is missing" edit_config 'del(.text_config.hidden_size)'
  refused 65 "'hidden_size'" edit_config '.text_config.hidden_size = "16"'
  refused 65 "not valid JSON" truncate -s 20 model/config.json
}

@test "info names the file that is not there" {
  refused 66 "'model/config.json'" rm model/config.json
  refused 66 "'model.safetensors'" rm model/model.safetensors
  run -66 --separate-stderr info -m absent
  assert_contains "$stderr" "absent"
}

# ---------------------------------------------------------------- what init refuses

@test "sizes that do not fit are refused, all before anything is written" {
  check() { # status, word of the message, options
    status=$1 word=$2
    shift 2
    echo "options: $*"
    run -"$status" --separate-stderr init "$@" -m model
    assert_contains "$stderr" "$word"
    [ -z "$(ls -A)" ]
  }
  check 64 "'hidden-size': expected a number from 1" --hidden-size 0
  check 64 "'layers': expected a whole number" --layers 1.5
  check 64 "'vocab-size': expected a number from 263" --vocab-size 262
  check 64 "'mrope-section'" --mrope-section 1,1,x
  check 64 "'deepstack'" --deepstack 0,,1
  check 78 "num_key_value_heads" --attention-heads 3 --key-value-heads 2
  check 78 "head_dim" --head-dim 7 --mrope-section 1,1,1
  check 78 "mrope_section" --mrope-section 4
  check 78 "deepstack" --deepstack 9
  check 78 "num_heads" --vision-heads 3
  check 78 "num_position_embeddings" --position-embeddings 15
}

@test "rotary sections that do not add up to half a head are refused" {
  run ! --separate-stderr init --mrope-section 1,1,1 -m model
  assert_contains "$stderr" "mrope"
  [ -z "$(ls -A)" ]
}

@test "a smallest image above the largest is refused" {
  run ! --separate-stderr init --min-pixels 9999 --max-pixels 4096 -m model
  assert_contains "$stderr" "pixels"
  [ -z "$(ls -A)" ]
}

@test "an unknown key or wrong type in the YAML file is 78 with its line" {
  check() { # text, message
    printf '%b' "$1" >wrong.yaml
    run -78 --separate-stderr init -c wrong.yaml -m model
    assert_contains "$stderr" "$2"
    [ "$(ls -A)" = wrong.yaml ]
  }
  check '# sizes\nlayer: 2\n' "wrong.yaml:2: unknown key 'layer' (hint: did you mean 'layers'?)"
  check 'layers: two\n' "wrong.yaml:1: bad value 'two' for 'layers'"
  check 'layers: 0\n' "wrong.yaml:1: bad value '0' for 'layers'"
  check 'layers: [2]\n' "wrong.yaml:1:"
}

@test "an unknown action, no action, and init without studies are 64" {
  run -64 --separate-stderr unirg-model make -m model
  assert_contains "$stderr" "expected one of init, info"
  run -64 --separate-stderr unirg-model -m model
  run -64 --separate-stderr unirg-model init -c "$tiny" -m model
  assert_contains "$stderr" "missing option '--studies'"
  [ -z "$(ls -A)" ]
}

@test "studies that are not there are 66, bad ones 65 with file, line and field" {
  run -66 --separate-stderr unirg-model init -c "$tiny" --studies absent.jsonl -m model
  assert_contains "$stderr" "'absent.jsonl'"
  jq -c 'if input_line_number == 3 then .findings = 7 else . end' "$st/studies.jsonl" >bad.jsonl
  run -65 --separate-stderr unirg-model init -c "$tiny" --studies bad.jsonl -m model
  assert_contains "$stderr" "bad.jsonl:3: field 'findings'"
  head -c 3000 "$st/studies.jsonl" >cut.jsonl
  run -65 --separate-stderr unirg-model init -c "$tiny" --studies cut.jsonl -m model
  assert_contains "$stderr" "cut.jsonl:"
  [ ! -e model ]
  assert_no_leftovers .
}

@test "an output that cannot be created is 73" {
  touch file
  run -73 --separate-stderr init -m file/model
  assert_contains "$stderr" "cannot create 'file/model'"
  run -73 --separate-stderr init -m absent/model
  [ "$(ls -A)" = file ]
}

@test "a full disk is 74 and leaves nothing" {
  # A limit on the size of files stands in for the disk.
  limited() { (trap '' XFSZ && ulimit -f 8 && init -m model); }
  run -74 --separate-stderr limited
  assert_contains "$stderr" "cannot write"
  [ -z "$(ls -A)" ]
}

@test "a stopped init is 75 and leaves nothing" {
  mkdir work
  (exec unirg-model init --quiet -c "$tiny" --hidden-size 1024 --intermediate-size 8192 --layers 3 --studies "$st/studies.jsonl" -m work/model) &
  pid=$!
  # Bit 14 of the caught signals, and no longer the shell's own: the tool has begun to listen to SIGTERM.
  while kill -0 "$pid" && ! grep -q unirg-model "/proc/$pid/comm"; do sleep 0.01; done
  while kill -0 "$pid" && ! ((16#$(sed -n 's/^SigCgt:\t//p' "/proc/$pid/status") & 0x4000)); do sleep 0.01; done
  kill -TERM "$pid"
  status=0
  wait "$pid" || status=$?
  echo "status $status"
  [ "$status" -eq 75 ]
  [ -z "$(ls -A work)" ]
}

# ---------------------------------------------------------------- verify, diff, convert, merge

@test "verify loads a checkpoint, looks at every value and runs it once" {
  run -0 --separate-stderr unirg-model verify --quiet -m "$base"
  assert_contains "$output" "forward pass finite"
  [ -z "$stderr" ]
}

@test "verify names a tensor that is not finite" {
  cp -r "$base" model
  header=$(od -An -tu8 -N8 model/model.safetensors | tr -d ' ')
  begin=$(safetensors_header model/model.safetensors | jq '.["model.language_model.norm.weight"].data_offsets[0]')
  printf '\x00\x00\xc0\x7f' | dd of=model/model.safetensors bs=1 seek=$((8 + header + begin)) conv=notrunc status=none # NaN
  run -65 --separate-stderr unirg-model verify --quiet -m model
  assert_contains "$stderr" "'model.language_model.norm.weight'"
}

@test "diff says 0 and nothing of equal checkpoints, 1 and the tensors of others" {
  cp -r "$base" same
  run -0 --separate-stderr unirg-model diff --quiet "$base" same
  [ "${#lines[@]}" -eq 2 ] # heading and count
  assert_contains "$output" "# 0 of"
  init --seed 9 -m other
  run -1 --separate-stderr unirg-model diff --quiet "$base" other
  assert_contains "$output" "lm_head.weight	values"
  init --layers 3 --tie-word-embeddings -m deeper
  run -1 --separate-stderr unirg-model diff --quiet "$base" deeper
  assert_contains "$output" "lm_head.weight	only in A"
  assert_contains "$output" "model.language_model.layers.2.mlp.up_proj.weight	only in B"
  run -64 unirg-model diff --quiet "$base"
}

@test "convert writes another type and shards, whose values come back" {
  unirg-model convert --quiet -m "$base" -o half --dtype bfloat16 --max-shard-size 8000
  [ "$(find half -name 'model-*.safetensors' | wc -l)" -gt 1 ]
  [ ! -e half/model.safetensors ]
  jq -e '.dtype == "bfloat16" and .text_config.dtype == "bfloat16"' half/config.json
  total=$(number <(info -m half) parameters)
  [ "$(number <(info -m half) stored-bytes)" -eq $((2 * total)) ]
  unirg-model convert --quiet -m half -o back --dtype float32
  [ -e back/model.safetensors ]
  unirg-model convert --quiet -m back -o half2 --dtype bfloat16
  run -0 unirg-model diff --quiet half half2
  run -1 unirg-model diff --quiet "$base" back # rounded once
  cmp "$base/tokenizer.json" half/tokenizer.json
}

@test "16-bit weights have the gradients that the same weights have in float32" {
  unirg-model convert --quiet -m "$base" -o half --dtype bfloat16
  jq 'del(.dtype)' half/config.json >changed && mv changed half/config.json # the text tower's says it too
  request='{"input_ids": [1, 2], "labels": [1, 2], "gradients": true}'
  unirg-model forward --quiet -m half -o half.safetensors <<<"$request"
  unirg-model forward --quiet -m half --dtype float32 -o wide.safetensors <<<"$request"
  for kind in half wide; do safetensors_header $kind.safetensors | jq -cS 'del(.__metadata__) | map_values(.shape)' >$kind.shapes; done
  cmp half.shapes wide.shapes
}

@test "convert with nothing to change keeps every byte of the weights" {
  unirg-model convert --quiet -m "$base" -o same
  cmp "$base/model.safetensors" same/model.safetensors
  cmp "$base/config.json" same/config.json
}

@test "merge folds an adapter in; what is none is refused" {
  run -65 --separate-stderr unirg-model merge --quiet -m "$base" -o none
  assert_contains "$stderr" "no adapter"
  unirg_tiny_adapter "$base" adapter
  unirg-model merge --quiet -m adapter -o whole
  run -1 --separate-stderr unirg-model diff --quiet "$base" whole
  [ "$(grep -c 'q_proj.weight	values' <<<"$output")" -eq 2 ] # both layers
  assert_contains "$output" "# 2 of"
  unirg-model forward --quiet -m adapter -o one.safetensors <<<'{"input_ids": [1, 2, 3, 4], "greedy": 4}'
  unirg-model forward --quiet -m whole -o two.safetensors <<<'{"input_ids": [1, 2, 3, 4], "greedy": 4}'
  [ "$(safetensors_i64 one.safetensors greedy)" = "$(safetensors_i64 two.safetensors greedy)" ]
  info -m adapter >report
  assert_contains "$(cat report)" "adapter: rank 2, alpha 4, dropout 0"
}

@test "an adapter whose base is gone says where it looked" {
  unirg_tiny_adapter "$base" adapter
  jq '.base_model_name_or_path = "../gone"' adapter/adapter_config.json >changed && mv changed adapter/adapter_config.json
  run -66 --separate-stderr info -m adapter
  assert_contains "$stderr" "gone"
  assert_contains "$stderr" "base_model_name_or_path"
}

# ---------------------------------------------------------------- forward, tokenize

@test "forward writes what the model says about text and pictures" {
  picture=$(find "$BATS_FILE_TMPDIR" -name '*.png' | head -n 1)
  if [ -z "$picture" ]; then # pictures lie in a tar shard
    tar xf "$(find "$st" -name '*.tar' | head -n 1)" && picture=$(find . -name '*.png' | head -n 1)
  fi
  jq -n --arg picture "$picture" '{text: "Describe.", chat: true, images: [$picture], reply: "Clear.", greedy: 3, gradients: true, adamw: {steps: 2, learning_rate: 0.001}}' >request.json
  run -0 --separate-stderr unirg-model forward --quiet -m "$base" -o out.safetensors request.json
  [ -z "$output$stderr" ]
  safetensors_header out.safetensors >header
  tokens=$(jq '.input_ids.shape[0]' header)
  jq -e --argjson t "$tokens" '.position_ids.shape == [3, $t] and .logits.shape == [$t, 300] and .loss.shape == [1]
    and .greedy.shape == [3] and .["adamw.losses"].shape == [2] and .entropy.shape == [$t - 1]' header
  jq -e '.["gradient_norm.model.visual.patch_embed.proj.weight"].dtype == "F32" or .["gradient_norm.model.visual.patch_embed.proj.weight"].dtype == "F64"' header
  [ -e out.safetensors.run.json ]
}

@test "forward names the field that is wrong" {
  bad() { # request, message
    run -65 --separate-stderr unirg-model forward --quiet -m "$base" -o out.safetensors <<<"$1"
    assert_contains "$stderr" "$2"
    [ ! -e out.safetensors ]
  }
  bad '[]' "not a JSON object"
  bad '{' "not valid JSON"
  bad '{}' "'text'"
  bad '{"text": 3}' "'text'"
  bad '{"input_ids": []}' "no token"
  bad '{"input_ids": [1, 2], "labels": [1]}' "1 labels for 2 tokens"
  bad '{"input_ids": [1, 2], "gradients": true}' "'reply' or 'labels'"
  bad '{"input_ids": [1, 99999]}' "99999"
  bad '{"text": "a", "chat": "yes"}' "'chat'"
  bad '{"input_ids": [1, 2], "labels": [1, -1]}' "label -1"
  bad '{"input_ids": [1, 2], "labels": [1, 99999]}' "label 99999"
  bad '{"input_ids": [1, 2], "greedy": 100000000}' "'greedy'"
  bad '{"input_ids": [1, 2], "labels": [1, 2], "adamw": {"steps": 100000000}}' "'adamw'"
}

@test "tokenize is a filter from lines to ids" {
  tokenize() { printf '%s\n' '{"text": "No effusion."}' '{"text": ""}' | unirg-model tokenize --quiet -m "$base"; }
  run -0 --separate-stderr tokenize
  [ "${#lines[@]}" -eq 2 ]
  jq -e '.ids | length > 0' <<<"${lines[0]}"
  [ "${lines[1]}" = '{"ids":[]}' ]
  run -65 --separate-stderr unirg-model tokenize --quiet -m "$base" <<<'{"txt": 1}'
  assert_contains "$stderr" "'text'"
}

@test "an action that takes no argument refuses one, and an unknown action is named" {
  run -64 unirg-model info --quiet -m "$base" more
  run -64 --separate-stderr unirg-model dance --quiet -m "$base"
  assert_contains "$stderr" "dance"
  run -64 unirg-model info --quiet
}
