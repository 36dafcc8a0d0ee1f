# Real reports, no images: a writer that turns findings into an impression, supervised and then rewarded.
RUN ?= runs/openi
CONF ?= pipelines/conf/openi
NAMES := seed-1
ITERATIONS := 30
FIRST := base
SPLITS := test
TITLE := Open-i: impressions from findings
OPENI ?= ../shared/data/iu-xray/xml
.DEFAULT_GOAL := all
.PHONY: all
all: $(RUN)/summary.json
include pipelines/common.mk

$(call each,all/DONE): $(RUN)/%/all/DONE: $(CONF)/ingest.yaml $(OPENI)
	$(STAGE)/unirg-ingest -c $(CONF)/ingest.yaml --seed $(SEED) -o $(@D) $(COMPUTE) $(OPENI)

# Reports that have both sections: the one is given, the other written.
$(call each,studies/DONE): $(RUN)/%/studies/DONE: $(RUN)/%/all/DONE
	mkdir -p $(@D)
	jq -c 'select(.findings != null and .impression != null)' $(RUN)/$*/all/studies.jsonl >$(@D)/studies.jsonl.tmp
	mv $(@D)/studies.jsonl.tmp $(@D)/studies.jsonl
	touch $@
