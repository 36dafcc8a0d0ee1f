# The paper's recipe at its own size (arXiv 2601.17151, sections 2 and 3): SFT for 3 epochs, RL with the RadCliQ reward for
# one, RL with the error reward and a KL penalty for one more.
#
#   make -f pipelines/paper.mk BASE=Qwen3-VL-8B-Instruct STUDIES_FROM=studies-of-unirg-ingest \
#     SCORING="--models models --judge-url http://localhost:8000 --judge-model NAME"
#
# 563,494 studies make 2,202 rounds of 256 queries an epoch; fewer studies: TRAIN=n. The sizes are files in $(CONF): another
# scale is another folder. `make -n` shows every command; unirg-sft and unirg-update --dry-run what it takes.
RUN ?= runs/paper
CONF ?= pipelines/conf/paper
NAMES := unirg
include pipelines/paper-rounds.mk
SPLITS ?= test
TITLE := UniRG
.DEFAULT_GOAL := all
.PHONY: all
all: $(RUN)/summary.json
include pipelines/common.mk

ifeq ($(and $(BASE),$(STUDIES_FROM)),)
$(error paper.mk needs BASE=CHECKPOINT and STUDIES_FROM=FOLDER, see its first lines)
endif

$(call each,studies/DONE): $(RUN)/%/studies/DONE: $(STUDIES_FROM)/studies.jsonl
	$(call link,$(STUDIES_FROM))
