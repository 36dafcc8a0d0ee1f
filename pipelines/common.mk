# The stages every pipeline is made of, as pattern rules: $(RUN)/NAME holds one run of the graph.
#
#   NAME/studies  ->  NAME/base  ->  NAME/seen  ->  NAME/sft  ->  NAME/rl/001 .. NAME/rl/K  (rollouts, rewards, policy)
#                                                   NAME/sft  ->  NAME/more                 (the control: more of the same)
#   NAME/reports/SYSTEM.jsonl  ->  NAME/scores/SYSTEM.jsonl            SYSTEM: base sft sft_rl sft_more
#
# Targets are files; a folder is done when it holds DONE. Parameters are files too: everything below $(CONF). Beside each
# target lies its log, and beside each output its run record. A pipeline sets these and includes this file:
#
#   RUN         folder of everything that is made
#   CONF        folder of the stages' YAML
#   NAMES       the runs of the graph, e.g. seed-1 seed-2
#   ITERATIONS  rounds of reinforcement learning
#   STEP2_FROM  round from which the paper's second step runs: reward2.yaml and update2.yaml instead of reward.yaml and
#               update.yaml, and the policy of the round before as reference of the KL penalty; none by default
#   BASE        checkpoint of the base model; without one a new one is made of model.yaml
#   FROM        an earlier run of the same NAMES whose studies, base, seen and sft are taken instead of made
#   FIRST       checkpoint SFT starts from: seen/best, or base where there are no images to learn to see
#   RL_FROM     checkpoint RL starts from: sft/best by default
#   RESAMPLE    1: studies whose samples all have the same reward are left out of an update, and others drawn in their place;
#               none by default
#   VALIDATE    rounds between validations: the policy of the round that is best on the split VALIDATION ("validate") by the
#               metric BEST_BY ("composite"; $(CONF)/best.yaml says what that is) is RL's, not that of the last; none by default
#   PATIENCE    validations without a better one after which RL ends; 0, the default: never
#   REWARD      files of the reward without .yaml or 2.yaml: $(CONF)/reward by default; a composition that such a file
#               names lies beside it as ...-terms.yaml or ...2-terms.yaml
#   SPLITS      splits that reports are written for
#   BASELINES   reports of others as systems of their own: copy_prior most_frequent nearest random; none by default
#   PROMPT_X    NAME of the file $(CONF)/NAME.yaml that shows studies to system X instead of prompt.yaml; X may be seen
#   SYSTEMS     whose reports are written; NAME_sft_rl is what a system is called in scores, sft_rl by default
# and may set BIN (folder of the tools), THREADS (of each stage; 0: all cores), KEEP=1 (keep every policy of the RL stage),
# SCORING (options of every stage that scores: where networks and judges are), UPDATING (options of unirg-update).
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
BIN ?= build/release/bin
BASE ?=
FROM ?=
SCORING ?=
UPDATING ?=
STEP2_FROM ?=
RESAMPLE ?=
VALIDATE ?=
VALIDATION ?= validate
BEST_BY ?= composite
PATIENCE ?= 0
RL_FROM ?= sft/best
REWARD ?= $(CONF)/reward
THREADS ?= 0
FIRST ?= seen/best
STAGE = scripts/stage $@ $(BIN)
COMPUTE = --threads $(THREADS)
SYSTEMS ?= base sft sft_rl sft_more
STUDIES = $(RUN)/$*/studies/studies.jsonl
# of the run: seed-2 -> 2; a name without a number has seed 0
SEED = $(or $(filter-out $*,$(patsubst seed-%,%,$*)),0)
# $(call each,base/DONE): that file of every run
each = $(NAMES:%=$(RUN)/%/$(1))

# --- supervised ------------------------------------------------------------------------------------------------------

# $(call link,FOLDER): recipe of a DONE beside links to all that FOLDER holds; what the user has is not copied or touched
link = mkdir -p $(@D) && find $(abspath $(1)) -mindepth 1 -maxdepth 1 ! -name DONE -exec ln -sfn {} $(@D)/ \; && touch $@
# $(call folder_of,sft/best) -> sft
folder_of = $(firstword $(subst /, ,$(1)))

ifneq ($(FROM),)
define take
$(call each,$(1)/DONE): $(RUN)/%/$(1)/DONE: $(FROM)/%/$(1)/DONE$(if $(filter-out studies,$(1)), $(RUN)/%/studies/DONE)
	$$(call link,$$(<D))

endef
$(foreach folder,studies base seen sft,$(eval $(call take,$(folder))))
else

ifneq ($(BASE),)
$(call each,base/DONE): $(RUN)/%/base/DONE: $(BASE)/config.json
	$(call link,$(BASE))
else
$(call each,base/DONE): $(RUN)/%/base/DONE: $(RUN)/%/studies/DONE $(CONF)/model.yaml
	$(STAGE)/unirg-model init -c $(CONF)/model.yaml --seed $(SEED) --studies $(STUDIES) -m $(@D)
endif

# The vision tower learns to see: the stand-in for the pre-trained tower of the paper's model.
SEEN_PROMPT = $(CONF)/$(or $(PROMPT_seen),prompt).yaml
$(call each,seen/DONE): $(RUN)/%/seen/DONE: $(RUN)/%/base/DONE $(CONF)/seen.yaml $(SEEN_PROMPT)
	$(STAGE)/unirg-sft -c $(SEEN_PROMPT) -c $(CONF)/seen.yaml --seed $(SEED) --studies $(STUDIES) \
	  -m $(RUN)/$*/base -o $(@D) $(COMPUTE)

$(call each,sft/DONE): $(RUN)/%/sft/DONE: $(RUN)/%/$(call folder_of,$(FIRST))/DONE $(CONF)/sft.yaml $(CONF)/prompt.yaml
	$(STAGE)/unirg-sft -c $(CONF)/prompt.yaml -c $(CONF)/sft.yaml --seed $(SEED) --studies $(STUDIES) \
	  -m $(RUN)/$*/$(FIRST) -o $(@D) $(COMPUTE)

endif

# The control of the RL stage: supervised training goes on for as long as RL takes.
$(call each,more/DONE): $(RUN)/%/more/DONE: $(RUN)/%/sft/DONE $(CONF)/more.yaml $(CONF)/prompt.yaml
	$(STAGE)/unirg-sft -c $(CONF)/prompt.yaml -c $(CONF)/more.yaml --seed $(SEED) --studies $(STUDIES) \
	  -m $(RUN)/$*/sft/best -o $(@D) $(COMPUTE)

# --- reinforcement learning: rollout -> reward -> update, ITERATIONS times ---------------------------------------------

# A run of other ITERATIONS or SPLITS is another run: what depends on them depends on this file, which changes with them.
# A make that only says what it would do writes nothing: to it the file counts as changed.
SETTINGS := $(RUN)/settings
SETTINGS_NOW := ITERATIONS=$(ITERATIONS) SPLITS=$(SPLITS)$(STEP2_FROM:%= STEP2_FROM=%)$(if $(VALIDATE), VALIDATE=$(VALIDATE) $(VALIDATION) $(BEST_BY) $(PATIENCE))
ifneq ($(file <$(SETTINGS)),$(SETTINGS_NOW))
ifeq ($(findstring n,$(firstword -$(MAKEFLAGS))),)
$(shell mkdir -p $(RUN))
$(file >$(SETTINGS),$(SETTINGS_NOW))
else
.PHONY: $(SETTINGS)
endif
endif
$(SETTINGS):
# The same for what the RL stage is made of.
RL_SETTINGS := $(RUN)/rl-settings
RL_SETTINGS_NOW := RL_FROM=$(RL_FROM) FROM=$(FROM) REWARD=$(REWARD) STEP2_FROM=$(STEP2_FROM)$(RESAMPLE:%= RESAMPLE=%) UPDATING=$(UPDATING)
ifneq ($(file <$(RL_SETTINGS)),$(RL_SETTINGS_NOW))
ifeq ($(findstring n,$(firstword -$(MAKEFLAGS))),)
$(shell mkdir -p $(RUN))
$(file >$(RL_SETTINGS),$(RL_SETTINGS_NOW))
else
.PHONY: $(RL_SETTINGS)
endif
endif
$(RL_SETTINGS):

# The second step's rounds, if there are any, pull towards the policy that the first step ended with.
ifneq ($(STEP2_FROM),)
STEP1_LAST := $(shell printf %03d $$(($(STEP2_FROM) - 1)))
endif
# $(call step,NUMBER): 2 for a round of the second step
step = $(if $(STEP2_FROM),$(if $(filter 1,$(shell expr $(1) '>=' $(STEP2_FROM))),2))

# What the update reads: filled-rollouts.jsonl, filled-rewards.jsonl where studies are drawn again.
FILLED := $(RESAMPLE:%=filled-)
# $(call drawing,NUMBER,NUMBER before): options of a round's unirg-rollout
drawing = -c $(CONF)/prompt.yaml -c $(CONF)/rollout.yaml --seed $$(SEED) --round $(shell expr $(1) - 1) --studies $$(STUDIES) \
  -m $(RUN)/$$*/$(if $(2),rl/$(2)/policy,$(RL_FROM))

# $(call scored,NUMBER,REWARDS,ROLLOUTS,STEP)
define scored
$(call each,rl/$(1)/$(2).jsonl): $(RUN)/%/rl/$(1)/$(2).jsonl: $(RUN)/%/rl/$(1)/$(3).jsonl $(REWARD)$(4).yaml $(wildcard $(REWARD)$(4)-terms.yaml)
	$$(STAGE)/unirg-reward -c $(REWARD)$(4).yaml --references $$(STUDIES) -o $$@ $$(SCORING) $$(COMPUTE) $$<
endef

# $(call drawn_again,NUMBER,NUMBER before,STEP): rollouts in the place of those that teach nothing, and all of them together
define drawn_again
$(call each,rl/$(1)/more-rollouts.jsonl): $(RUN)/%/rl/$(1)/more-rollouts.jsonl: $(RUN)/%/rl/$(1)/rewards.jsonl
	$$(STAGE)/unirg-rollout $(call drawing,$(1),$(2)) --instead-of $$< -o $$@ $$(COMPUTE)

$(call scored,$(1),more-rewards,more-rollouts,$(3))

$(call each,rl/$(1)/filled-rewards.jsonl): $(RUN)/%/rl/$(1)/filled-rewards.jsonl: $(RUN)/%/rl/$(1)/more-rewards.jsonl
	for what in rollouts rewards; do cat $$(@D)/$$$$what.jsonl $$(@D)/more-$$$$what.jsonl >$$(@D)/filled-$$$$what.tmp; done
	for what in rollouts rewards; do mv $$(@D)/filled-$$$$what.tmp $$(@D)/filled-$$$$what.jsonl; done

endef

# $(call round,NUMBER,NUMBER before,NUMBER two before,STEP): a round starts from the policy of the one before, the first
# from SFT's. Weights of policies that nothing needs any more are removed; their run records and metrics stay.
define round
$(call each,rl/$(1)/rollouts.jsonl): $(RUN)/%/rl/$(1)/rollouts.jsonl: $(RUN)/%/$(if $(2),rl/$(2)/policy,$(call folder_of,$(RL_FROM)))/DONE $(CONF)/rollout.yaml $(CONF)/prompt.yaml $(RL_SETTINGS)
	$$(STAGE)/unirg-rollout $(call drawing,$(1),$(2)) -o $$@ $$(COMPUTE)

$(call scored,$(1),rewards,rollouts,$(4))
$(if $(RESAMPLE),$(call drawn_again,$(1),$(2),$(4)))
$(call each,rl/$(1)/policy/DONE): $(RUN)/%/rl/$(1)/policy/DONE: $(RUN)/%/rl/$(1)/$(FILLED)rewards.jsonl $(CONF)/update$(4).yaml $(CONF)/prompt.yaml
	$$(STAGE)/unirg-update -c $(CONF)/prompt.yaml -c $(CONF)/update$(4).yaml --studies $$(STUDIES) \
	  -m $(RUN)/$$*/$(if $(2),rl/$(2)/policy,$(RL_FROM)) $(if $(4),--reference $(RUN)/$$*/$(if $(filter 000,$(STEP1_LAST)),$(RL_FROM),rl/$(STEP1_LAST)/policy)) \
	  --rewards $$< -o $$(@D) $(if $(RESAMPLE),--drop-equal-groups) $$(UPDATING) $$(COMPUTE) $$(<D)/$(FILLED)rollouts.jsonl
	$(if $(and $(filter-out $(STEP1_LAST) $(VALIDATED),$(3)),$(filter-out 1,$(KEEP))),@rm -rf $(RUN)/$$*/rl/$(3)/policy/*.safetensors $(RUN)/$$*/rl/$(3)/policy/training_state)

endef
KEEP ?= 0
ROUNDS := $(shell seq -f %03g 1 $(ITERATIONS))
LAST := $(lastword $(ROUNDS))
VALIDATED := $(if $(VALIDATE),$(sort $(shell seq -f %03g $(VALIDATE) $(VALIDATE) $(ITERATIONS)) $(LAST)))
$(foreach k,$(ROUNDS),$(eval $(call round,$(k),$(ONE_BEFORE),$(TWO_BEFORE),$(call step,$(k))))\
  $(eval TWO_BEFORE := $(ONE_BEFORE))$(eval ONE_BEFORE := $(k)))

# $(call validation,NUMBER): how good the policy of a round is on studies that nothing is trained on
define validation
$(call each,rl/$(1)/validation/summary.json): $(RUN)/%/rl/$(1)/validation/summary.json: $(RUN)/%/rl/$(1)/policy/DONE $(CONF)/generate.yaml $(CONF)/eval.yaml $(CONF)/best.yaml $(CONF)/prompt.yaml
	scripts/stage $$(@D)/reports $(BIN)/unirg-generate -c $(CONF)/prompt.yaml -c $(CONF)/generate.yaml --studies $$(STUDIES) \
	  --split $(VALIDATION) -m $$(<D) -o $$(@D)/reports.jsonl $$(COMPUTE)
	$$(STAGE)/unirg-eval -c $(CONF)/eval.yaml -c $(CONF)/best.yaml --references $$(STUDIES) --split $(VALIDATION) --name $(1) \
	  --seed-tag $$(SEED) --scores $$(@D)/scores.jsonl --summary $$@ --format none $$(SCORING) $$(COMPUTE) $$(@D)/reports.jsonl

endef
$(foreach k,$(VALIDATED),$(eval $(call validation,$(k))))

$(call each,rl/best/DONE): $(RUN)/%/rl/best/DONE: $(RUN)/%/$(call folder_of,$(RL_FROM))/DONE $(SETTINGS) $(RL_SETTINGS)
	KEEP=$(KEEP) scripts/best-round $(@D) $(BEST_BY) $(VALIDATION) $(PATIENCE) $(VALIDATED) -- $(MAKE) --no-print-directory -f $(firstword $(MAKEFILE_LIST))

# A folder appears whole: what an interrupt finds there is finished, and DONE may not be taken out of it.
FOLDERS = phantom all studies base seen sft more rl/best $(ROUNDS:%=rl/%/policy)
.PRECIOUS: $(foreach folder,$(FOLDERS),$(call each,$(folder)/DONE))

# RL's policy: the last, or the best.
RL_POLICY := rl/$(if $(VALIDATE),best,$(LAST)/policy)
$(call each,rl/metrics.jsonl): $(RUN)/%/rl/metrics.jsonl: $(RUN)/%/$(RL_POLICY)/DONE $(SETTINGS)
	last=$(if $(VALIDATE),$$(jq -r .round $(@D)/validation.jsonl | tail -n 1),$(LAST)); \
	  for k in $(ROUNDS); do cat "$(@D)/$$k/policy.metrics.jsonl"; if [[ $$k == "$$last" ]]; then break; fi; done >$@.tmp
	mv $@.tmp $@

# --- reports and scores --------------------------------------------------------------------------------------------------

CHECKPOINT_base = base
CHECKPOINT_sft = sft/best
CHECKPOINT_sft_rl = $(RL_POLICY)
CHECKPOINT_sft_more = more/best
FINISHED_base = base
FINISHED_sft = sft
FINISHED_sft_rl = $(RL_POLICY)
FINISHED_sft_more = more

# $(call rules_of,SYSTEM)
define rules_of
$(call each,reports/$(1).jsonl): $(RUN)/%/reports/$(1).jsonl: $(RUN)/%/$(FINISHED_$(1))/DONE $(CONF)/generate.yaml $(CONF)/prompt.yaml $(SETTINGS)
	$$(STAGE)/unirg-generate -c $(CONF)/$(or $(PROMPT_$(1)),prompt).yaml -c $(CONF)/generate.yaml --studies $$(STUDIES) --split $(SPLITS) \
	  -m $(RUN)/$$*/$(CHECKPOINT_$(1)) -o $$@ $$(COMPUTE)

endef
# $(call scores_of,SYSTEM)
define scores_of
$(call each,scores/$(1).jsonl): $(RUN)/%/scores/$(1).jsonl: $(RUN)/%/reports/$(1).jsonl $(CONF)/eval.yaml
	$$(STAGE)/unirg-eval -c $(CONF)/eval.yaml --references $$(STUDIES) --split $(SPLITS) --name $(or $(NAME_$(1)),$(1)) --seed-tag $$(SEED) \
	  --scores $$@ --format none $$(SCORING) $$(COMPUTE) $$<

endef
# $(call baseline_of,SYSTEM): the nearest neighbour is looked up with the tower that has learned to see
define baseline_of
$(call each,reports/$(1).jsonl): $(RUN)/%/reports/$(1).jsonl: $(RUN)/%/$(if $(filter nearest,$(1)),sft,studies)/DONE $(CONF)/prompt.yaml $(SETTINGS)
	$$(STAGE)/unirg-generate -c $(CONF)/prompt.yaml --studies $$(STUDIES) --split $(SPLITS) --baseline $(subst _,-,$(1)) --seed $$(SEED) \
	  $(if $(filter nearest,$(1)),-m $(RUN)/$$*/sft/best) -o $$@ $$(COMPUTE)

endef
BASELINES ?=
$(foreach system,$(SYSTEMS),$(eval $(call rules_of,$(system))))
$(foreach system,$(BASELINES),$(eval $(call baseline_of,$(system))))
$(foreach system,$(SYSTEMS) $(BASELINES),$(eval $(call scores_of,$(system))))

SCORES = $(foreach system,$(SYSTEMS) $(BASELINES),$(call each,scores/$(system).jsonl))

# Tables, summary and page over all runs and systems; the table goes to the terminal, too. Of the rollouts the page shows
# those of the first round and of the last that was made (PATIENCE may end them early).
$(RUN)/summary.json: $(SCORES) $(call each,rl/metrics.jsonl) $(CONF)/compare.yaml
	rollouts=(); for name in $(NAMES); do made=(); \
	    for k in $(ROUNDS); do if [[ -e $(RUN)/$$name/rl/$$k/rewards.jsonl ]]; then made+=("$$k"); fi; done; \
	    for k in $$(printf '%s\n' "$${made[0]}" "$${made[-1]}" | uniq); do folder=$(RUN)/$$name/rl/$$k; \
	      rollouts+=(--rollouts "$${name#seed-}:round $$k=$$folder/rollouts.jsonl:$$folder/rewards.jsonl"); done; done; \
	  $(BIN)/unirg-eval -c $(CONF)/compare.yaml --title "$(TITLE)" --runs $(RUN) --table $(RUN)/table.md --html $(RUN)/report.html \
	  $(foreach name,$(NAMES),--studies $(name:seed-%=%)=$(RUN)/$(name)/studies/studies.jsonl) \
	  $(foreach name,$(NAMES),--curve "validation loss of SFT:$(name)=$(RUN)/$(name)/sft/metrics.jsonl:validation_loss") \
	  $(foreach name,$(NAMES),--curve "mean reward of the rollouts:$(name)=$(RUN)/$(name)/rl/metrics.jsonl:rewards.reward.mean") \
	  "$${rollouts[@]}" --summary $@ --quiet compare $(SCORES)
	@echo "results: $(RUN)/summary.json $(RUN)/table.md $(RUN)/report.html"
