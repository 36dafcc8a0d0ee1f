# The demo's graph on a handful of studies: every stage, in well under two minutes. What it writes is not worth reading.
RUN ?= runs/smoke
CONF ?= pipelines/conf/smoke
NAMES := seed-1
ITERATIONS := 2
STEP2_FROM := 2
SPLITS := test,heldout_site
TITLE := UniRG smoke test
.DEFAULT_GOAL := all
.PHONY: all
all: $(RUN)/summary.json
include pipelines/common.mk
include pipelines/phantom.mk
