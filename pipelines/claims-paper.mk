# The paper's tables and figures at its own size, and the verdict on every claim: claims.mk with the recipe of paper.mk.
#
#   make -f pipelines/claims-paper.mk BASE=Qwen3-VL-8B-Instruct STUDIES_FROM=studies-of-unirg-ingest \
#     SCORING="--models models --judge-url http://localhost:8000 --judge-model NAME"
#
# With checkpoints that are there FROM=an earlier run of paper.mk takes the place of BASE. Studies of sites that were held out
# (Fig. 4) are split heldout_site. Every variant of the ablation is a run of one epoch.
RUN ?= runs/claims-paper
CONF_FROM ?= pipelines/conf/paper
CONF_OVER ?= pipelines/conf/claims-paper
NAMES ?= unirg
REWARDS ?= pipelines/conf/ablation-paper
CURVES ?= bleu2 bertscore sembscore radgraph chexprompt-errors
RL_ONLY_FROM := base
TITLE := UniRG, the paper's claims
include pipelines/paper-rounds.mk
ABLATION_ITERATIONS ?= $(EPOCH)
include pipelines/claims.mk

ifeq ($(and $(or $(BASE),$(FROM)),$(or $(STUDIES_FROM),$(FROM))),)
$(error claims-paper.mk needs BASE=CHECKPOINT and STUDIES_FROM=FOLDER, or FROM=RUN, see its first lines)
endif
