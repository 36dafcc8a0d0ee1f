# How many rounds the paper's RL stage has: an epoch of each step, TRAIN studies in batches of $(CONF)/rollout.yaml's prompts.
TRAIN ?= 563494
PROMPTS := $(shell sed -n 's/^prompts: *//p' $(or $(CONF_FROM),$(CONF))/rollout.yaml)
EPOCH := $(shell echo $$((($(TRAIN) + $(PROMPTS) - 1) / $(PROMPTS))))
ITERATIONS ?= $(shell echo $$((2 * $(EPOCH))))
STEP2_FROM ?= $(shell echo $$(($(EPOCH) + 1)))
# The paper's model sees already.
FIRST := base
