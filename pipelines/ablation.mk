# What each part of the recipe brings (the paper's Supplementary Table 1 and Fig. 2b to 2d), on the demo's data and from its
# supervised checkpoints: RL with each metric alone as reward, with all (composite), with the error term of the second step
# (errors), and without SFT before it (rl_only). Each is a run of the same graph: runs/ablation/VARIANT.
RUN ?= runs/ablation
FROM ?= runs/demo
CONF ?= pipelines/conf/demo
NAMES ?= seed-3 seed-4
BIN ?= build/release/bin
THREADS ?= $(shell echo $$((($$(nproc) + 1) / 2)))
ITERATIONS ?= 24
# A variant is a file of rewards; FIELD of "rewards.FIELD.mean" of every curve; where RL without SFT starts.
REWARDS ?= pipelines/conf/ablation
VARIANTS ?= composite $(filter-out composite compare %-terms,$(basename $(notdir $(wildcard $(REWARDS)/*.yaml))))
CURVES ?= bleu2 label-f1 entity-f1 errors
RL_ONLY_FROM ?= seen/best
SHELL := /bin/bash
.DEFAULT_GOAL := all
.PHONY: all
.DELETE_ON_ERROR:

ifeq ($(VARIANT),)
# --- all variants, and what they come to ---------------------------------------------------------------------------------

SCORES = $(foreach name,$(NAMES),$(foreach system,base sft,$(FROM)/$(name)/scores/$(system).jsonl) \
  $(foreach variant,$(VARIANTS),$(RUN)/$(variant)/$(name)/scores/sft_rl.jsonl))

all: $(RUN)/summary.json

# A variant is a make of its own: its rounds are many, its variables its own.
.PHONY: $(VARIANTS)
$(VARIANTS): %:
	$(MAKE) --no-print-directory -f pipelines/ablation.mk VARIANT=$* RUN=$(RUN)/$* FROM=$(FROM) CONF=$(CONF) \
	  NAMES="$(NAMES)" BIN=$(BIN) THREADS=$(THREADS) ITERATIONS=$(ITERATIONS)

# $(call pair,A,B): their difference, where both are compared
pair = $(if $(filter $(1),$(VARIANTS)),$(if $(filter $(2),sft base $(VARIANTS)),--pairs $(1)-$(2)))
PAIRS = $(foreach variant,$(filter-out rl_only,$(VARIANTS)),$(call pair,$(variant),sft)) \
  $(call pair,composite,bleu2) $(call pair,errors,composite) $(call pair,rl_only,base) $(call pair,rl_only,sft)

# $(call curve,METRIC): its mean over the rollouts, over the steps of every variant
curve = $(foreach variant,$(VARIANTS),$(foreach name,$(NAMES),\
  --curve "$(1) of the rollouts:$(variant) $(name)=$(RUN)/$(variant)/$(name)/rl/metrics.jsonl:rewards.$(1).mean"))

$(RUN)/summary.json: $(VARIANTS) $(REWARDS)/compare.yaml
	$(BIN)/unirg-eval -c $(REWARDS)/compare.yaml --title "UniRG ablation" --table $(RUN)/table.md --html $(RUN)/report.html \
	  $(foreach name,$(NAMES),--studies $(name:seed-%=%)=$(FROM)/$(name)/studies/studies.jsonl) \
	  $(foreach metric,$(CURVES),$(call curve,$(metric))) $(PAIRS) --summary $@ --quiet compare $(SCORES)
	@echo "results: $@ $(RUN)/table.md $(RUN)/report.html"
else
# --- one variant ---------------------------------------------------------------------------------------------------------

SYSTEMS := sft_rl
NAME_sft_rl := $(VARIANT)
SPLITS := test,heldout_site
TITLE := UniRG ablation: $(VARIANT)
REWARD := $(REWARDS)/$(VARIANT)
ifeq ($(VARIANT),rl_only)
# The stand-in for the paper's base model sees, but its writer is untrained.
RL_FROM := $(RL_ONLY_FROM)
override UPDATING += --on-collapse go-on
endif
include pipelines/common.mk
all: $(SCORES) $(call each,rl/metrics.jsonl)
endif
