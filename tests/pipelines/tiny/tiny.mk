# What tests/pipelines/submit.bats submits: an array, a stage, and a step that needs a name.
SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
.PHONY: all named
all: $(RUN)/sum.txt
$(RUN)/rollouts.jsonl: $(dir $(RUN))input
	scripts/stage $@ $(BIN)/unirg-rollout --seed 1 -o $@
$(RUN)/sft/DONE: $(RUN)/rollouts.jsonl
	scripts/stage $@ $(BIN)/unirg-sft -o $(@D) $<
named: $(RUN)/sft/DONE
$(RUN)/sum.txt: named
	cat $(RUN)/sft/model >$@
