# Real radiographs with clinical notes through the whole graph. 25 studies teach nothing: this shows that the path holds.
RUN ?= runs/xray
CONF ?= pipelines/conf/xray
NAMES := seed-1
ITERATIONS := 3
SPLITS := test
TITLE := Radiographs with clinical notes
DATA ?= ../shared/data
XRAYS ?= $(DATA)/cxr-images/covid-chestxray-pairs
XRAY_TABLE ?= $(XRAYS)/pairs.tsv
.DEFAULT_GOAL := all
.PHONY: all
all: $(RUN)/summary.json
include pipelines/common.mk

$(call each,studies/DONE): $(RUN)/%/studies/DONE: $(XRAY_TABLE) $(CONF)/ingest.yaml $(CONF)/columns.yaml
	$(STAGE)/unirg-ingest -c $(CONF)/ingest.yaml --columns $(CONF)/columns.yaml --reports $(XRAY_TABLE) --seed $(SEED) \
	  -o $(@D) $(COMPUTE) $(XRAYS)
