# The paper's tables and figures (arXiv 2601.17151), a target each, and the verdict on every claim:
#
#   all        runs/claims/claims.md: claim, the paper's value, ours with its interval, whether it holds (and verdicts.json)
#   fig1d      leaderboard by site and setting (Findings; Findings and Impression)        fig1d/*.md
#   fig2b      one metric alone as reward against all together                            ablation/table.md
#   fig2cd     curves of the rollouts: composite or BLEU-2 alone; with and without errors ablation/report.html
#   fig2f      reports with at most 1, 2, 3, at least 4 errors                            table.md
#   fig3       with and without the prior study, by encounter, by temporal class          table.md, followups.md
#   fig4       a site that no training saw                                                table.md
#   conditions F1 of each condition with counts                                           table.md
#   subgroups  sex x race, sex x age                                                      table.md
#   supp1      base, SFT, RL only, SFT and RL                                             ablation/table.md
#
# At demo scale, from scratch: synthetic radiographs of patients with up to six studies, two seeds. With checkpoints that are
# there: FROM=an earlier run. At the paper's scale: claims-paper.mk.
RUN ?= runs/claims
CONF_FROM ?= pipelines/conf/demo
CONF_OVER ?= pipelines/conf/claims
CONF := $(RUN)/conf
NAMES ?= seed-3 seed-4
ITERATIONS ?= 12
ABLATION_ITERATIONS ?= $(ITERATIONS)
REWARDS ?= pipelines/conf/ablation
CURVES ?= bleu2 label-f1 entity-f1 errors
RL_ONLY_FROM ?= seen/best
THREADS ?= $(shell echo $$((($$(nproc) + 1) / 2)))
SPLITS ?= test,heldout_site
BASELINES := copy_prior most_frequent nearest random
SYSTEMS := base sft sft_rl sft_more sft_rl_alone
TITLE ?= UniRG claims
.DEFAULT_GOAL := all
.PHONY: all fig1d fig2b fig2cd fig2f fig3 fig4 conditions subgroups supp1
all: $(RUN)/claims.md
# A make that only says what it would do does not write the settings.
PLANNED := $(findstring n,$(firstword -$(MAKEFLAGS)))
ifneq ($(PLANNED),)
$(CONF)/%.yaml: ;
else
$(shell scripts/overlay $(CONF) $(CONF_FROM) $(CONF_OVER))
endif
# The policy of RL, which here does not see the study before.
CHECKPOINT_sft_rl_alone = $(CHECKPOINT_sft_rl)
FINISHED_sft_rl_alone = $(FINISHED_sft_rl)
PROMPT_sft_rl_alone := alone
# Learning to see takes one picture a study.
PROMPT_seen := alone
include pipelines/common.mk
ifneq ($(STUDIES_FROM),)
$(call each,studies/DONE): $(RUN)/%/studies/DONE: $(STUDIES_FROM)/studies.jsonl
	$(call link,$(STUDIES_FROM))
else
include pipelines/phantom.mk
endif

# --- beside the summary that every pipeline has -------------------------------------------------------------------------

# Everything that does not need another model is in one comparison: by site, encounter, temporal class, sex and race, sex and
# age, with error shares; $(CONF)/compare.yaml says so.
fig2f fig4 conditions subgroups fig3: $(RUN)/summary.json $(RUN)/followups.json

# Studies with a prior one only: what copying it is worth.
$(RUN)/followups.json: $(SCORES) $(CONF)/compare.yaml
	$(BIN)/unirg-eval -c $(CONF)/compare.yaml --only prior=follow-up --quiet --table $(RUN)/followups.md --format none \
	  --summary $@ compare $(SCORES)

# The leaderboard by site in the paper's two settings: of what the model writes, the findings alone count in one.
LEADERS := sft_rl sft $(BASELINES)
fig1d: $(RUN)/fig1d/both.md $(RUN)/fig1d/findings.md
$(RUN)/fig1d/both.md: $(SCORES) $(CONF)/board.yaml
	mkdir -p $(@D)
	$(BIN)/unirg-eval -c $(CONF)/board.yaml --quiet --format none --table $@ \
	  compare $(foreach system,$(LEADERS),$(call each,scores/$(system).jsonl))

# $(call findings_of,SYSTEM)
define findings_of
$(call each,findings/$(1).jsonl): $(RUN)/%/findings/$(1).jsonl: $(RUN)/%/reports/$(1).jsonl $(CONF)/eval.yaml
	$$(STAGE)/unirg-eval -c $(CONF)/eval.yaml --sections findings --references $$(STUDIES) --split $(SPLITS) --name $(1) \
	  --seed-tag $$(SEED) --scores $$@ --format none $$(SCORING) $$(COMPUTE) $$<

endef
$(foreach system,$(LEADERS),$(eval $(call findings_of,$(system))))
$(RUN)/fig1d/findings.md: $(foreach system,$(LEADERS),$(call each,findings/$(system).jsonl)) $(CONF)/board.yaml
	mkdir -p $(@D)
	$(BIN)/unirg-eval -c $(CONF)/board.yaml --quiet --format none --table $@ compare $(filter %.jsonl,$^)

# Other rewards, and RL without SFT, from the same supervised checkpoints. A make that only says what it would do does not go
# on into the other graph, which needs this one's files.
MAKE_TOO := $(MAKE)
ANOTHER = $(if $(PLANNED),,+)$(MAKE_TOO)
fig2b fig2cd supp1: $(RUN)/ablation/summary.json
.PHONY: ablation
$(RUN)/ablation/summary.json: ablation
ablation: $(call each,sft/DONE) $(call each,$(call folder_of,$(RL_ONLY_FROM))/DONE) $(foreach system,base sft,$(call each,scores/$(system).jsonl))
	$(ANOTHER) --no-print-directory -f pipelines/ablation.mk RUN=$(RUN)/ablation FROM=$(RUN) CONF=$(CONF) NAMES="$(NAMES)" BIN=$(BIN) \
	  THREADS=$(THREADS) ITERATIONS=$(ABLATION_ITERATIONS) REWARDS=$(REWARDS) CURVES="$(CURVES)" RL_ONLY_FROM=$(RL_ONLY_FROM) STEP2_FROM=

$(RUN)/claims.md: $(RUN)/summary.json $(RUN)/followups.json $(RUN)/ablation/summary.json pipelines/claims.json $(CONF_OVER)/metrics.json fig1d scripts/claims scripts/claims.jq
	scripts/claims json $(RUN) pipelines/claims.json $(CONF_OVER)/metrics.json >$(RUN)/verdicts.json
	scripts/claims markdown $(RUN) pipelines/claims.json $(CONF_OVER)/metrics.json >$@.tmp
	mv $@.tmp $@
	cat $@
