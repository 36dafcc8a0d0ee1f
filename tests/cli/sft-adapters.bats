#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# unirg-sft: what of a model is trained - all, a part, an adapter - and what an adapter's folder is good for afterwards.
# shellcheck disable=SC2154  # run sets stderr
bats_require_minimum_version 1.5.0
load helpers
load sft_helpers

@test "--freeze leaves the tensors it names as they are" {
  sft --epochs 1 --freeze 'model.visual.*,lm_head.weight' -o out
  run -1 unirg-model diff --quiet "$base" out/best
  [ "$(grep -c 'model.visual.\|lm_head' <<<"$output")" -eq 0 ]
  assert_contains "$output" "model.language_model.layers.0.mlp.up_proj.weight	values"
  run -78 --separate-stderr sft --freeze 'vision*' -o none
  assert_contains "$stderr" "'vision*'"
}

@test "--lora-rank trains an adapter, whose folder names its base from where it lies" {
  run -0 --separate-stderr loud_sft --epochs 2 --lora-rank 2 --lora-alpha 8 --lora-dropout 0.1 --lora-targets q_proj,attn.qkv -o run/out
  assert_contains "$stderr" "trains 384 of "
  [ ! -e run/out/best/model.safetensors ]
  jq -e '.peft_type == "LORA" and .r == 2 and .lora_alpha == 8 and .lora_dropout == 0.1 and .target_modules == ["q_proj", "qkv"]' \
    run/out/best/adapter_config.json
  [ "$(cd run/out/best && cd "$(jq -r .base_model_name_or_path adapter_config.json)" && pwd)" = "$base" ]
  [ "$(safetensors_header run/out/best/adapter_model.safetensors | jq 'del(.__metadata__) | length')" -eq 8 ]
  cmp "$base/tokenizer.json" run/out/best/tokenizer.json
}

@test "an adapter can be trained on, written with, and stopped and continued to the same bytes" {
  lora=(--lora-rank 2 --lora-dropout 0.2)
  sft --epochs 2 "${lora[@]}" --save-every 1 -o whole
  sft --epochs 2 "${lora[@]}" --save-every 1 --threads 2 --micro-batch 8 -o two
  assert_same_run whole two
  unirg-generate --quiet --studies "$st/studies.jsonl" --split test -m whole/best --prompt short --max-new-tokens 8 -o a.jsonl
  unirg-generate --quiet --studies "$st/studies.jsonl" --split test -m "$base" --prompt short --max-new-tokens 8 -o b.jsonl
  [ "$(jq -r .policy a.jsonl | sort -u)" != "$(jq -r .policy b.jsonl | sort -u)" ]
  unirg-sft --quiet "${options[@]}" -m whole/best --max-steps 1 -o more
  [ "$(cd more/best && cd "$(jq -r .base_model_name_or_path adapter_config.json)" && pwd)" = "$base" ]
  run -78 --separate-stderr unirg-sft "${options[@]}" -m whole/best --lora-rank 4 -o none
  assert_contains "$stderr" "an adapter already, of rank 2"
}

@test "a killed adapter run goes on to the bytes of an unbroken one" {
  lora=(--epochs 6 --lora-rank 2 --lora-dropout 0.2 --save-every 1)
  sft "${lora[@]}" -o whole
  unirg-sft --quiet "${options[@]}" "${lora[@]}" -o out & # no function: the process to kill is the tool
  pid=$!
  until [ -e out.partial/last/DONE ] || ! kill -0 "$pid"; do sleep 0.01; done
  kill -KILL "$pid" || true
  wait "$pid" || true
  sft "${lora[@]}" -o out
  assert_same_run whole out
}

@test "--gradient-checkpointing changes memory, not what is learned" {
  sft --epochs 1 -o plain
  sft --epochs 1 --gradient-checkpointing -o lean
  [ "$(metric plain .loss)" = "$(metric lean .loss)" ]
}

@test "bfloat16 weights are trained, themselves or through an adapter; float16 weights through one only" {
  unirg-model convert --quiet -m "$base" -o half --dtype bfloat16
  unirg-sft --quiet "${options[@]}" -m half --dtype bfloat16 --epochs 1 -o own
  jq -e '.dtype == "bfloat16"' own/best/config.json
  cp -r half smaller
  jq '.dtype = "float16" | .text_config.dtype = "float16"' half/config.json >smaller/config.json
  run -78 --separate-stderr unirg-sft "${options[@]}" -m smaller --dtype auto --epochs 1 -o none
  assert_contains "$stderr" "--lora-rank"
  unirg-sft --quiet "${options[@]}" -m half --dtype bfloat16 --epochs 1 --lora-rank 2 -o out
  [ -e out/best/adapter_model.safetensors ]
  unirg-sft --quiet "${options[@]}" -m half --epochs 1 -o wide # widened to float32
  jq -e '.dtype == "float32"' wide/best/config.json
}

@test "an adapter never replaces its base" {
  cp -r "$base" mine
  unirg-model info --quiet -m mine >before
  for output in mine mine/ ../here/mine; do
    run -78 --separate-stderr unirg-sft "${options[@]}" -m mine --lora-rank 2 --epochs 1 -o "$output"
    assert_contains "$stderr" "the base of the adapter"
  done
  unirg-sft --quiet "${options[@]}" -m mine --lora-rank 2 --max-steps 1 -o out
  run -78 --separate-stderr unirg-sft "${options[@]}" -m out/best --max-steps 1 -o mine
  run -78 --separate-stderr unirg-model merge -m out/best -o mine
  assert_contains "$stderr" "the base of the adapter"
  unirg-model info --quiet -m mine | cmp before -
}

@test "an adapter is found through a link, and converted it still knows its base" {
  sft --max-steps 1 --lora-rank 2 -o deep/er/out
  ln -s deep/er/out/best link
  unirg-model info --quiet -m link | grep -F "base: $base"
  unirg-model convert --quiet -m link -o else/where --dtype bfloat16
  unirg-model info --quiet -m else/where | grep -F "base: $base"
  run -0 unirg-model diff --quiet link deep/er/out/best
}

@test "the labels objective trains the tower or says that there is nothing to train" {
  run -78 --separate-stderr sft --objective labels --lora-rank 2 --epochs 1 -o none
  assert_contains "$stderr" "nothing is left to train of the vision tower"
  run -78 sft --objective labels --freeze 'model.visual.*' --epochs 1 -o none
  sft --objective labels --lora-rank 2 --lora-targets qkv --epochs 1 -o out
  jq -e '.target_modules == ["qkv"]' out/best/adapter_config.json
}

@test "--dry-run refuses what the run would" {
  run -78 sft --freeze 'nope*' --dry-run -o out
  run -78 sft --lora-rank 2 --lora-targets nope --dry-run -o out
}
