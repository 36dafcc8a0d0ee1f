# Real input: (a) DICOM files of many makers, (b) radiographs with clinical notes through the whole graph, (c) 3,365 reports of
# Open-i for a text-only writer of impressions. DATA is laid out as ../shared/data; to use your own download, give
# DICOM=, XRAYS= with XRAY_TABLE=, or OPENI= (a folder of XML files), or edit the YAML below pipelines/conf.
DATA ?= ../shared/data
RUN ?= runs/demo-real
BIN ?= build/release/bin
THREADS ?= 0
DICOM ?= $(DATA)/dicom
OPENI ?= $(RUN)/openi/xml
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PRECIOUS: $(RUN)/dicom/studies/DONE $(RUN)/openi/xml
.DEFAULT_GOAL := all
.PHONY: all dicom xray openi
all: dicom xray openi

# (a) every file is used, rejected with a reason, or ignored; pixels agree with those that pydicom found.
dicom: $(RUN)/dicom/digests.txt
	@cat $<
$(RUN)/dicom/studies/DONE: pipelines/conf/dicom/ingest.yaml $(DICOM)
	scripts/stage $@ $(BIN)/unirg-ingest -c pipelines/conf/dicom/ingest.yaml -o $(@D) --threads $(THREADS) $(DICOM)
$(RUN)/dicom/digests.txt: $(RUN)/dicom/studies/DONE $(wildcard $(DICOM)/expected.tsv)
	jq -r '"\(.files) files = \(.used) used + \(.rejected) rejected + \(.ignored) ignored; \(.studies) studies"' $(RUN)/dicom/studies/summary.json >$@
	$(if $(wildcard $(DICOM)/expected.tsv),scripts/check-digests $(RUN)/dicom/studies $(DICOM)/expected.tsv pipelines/conf/dicom/known-differences.tsv >>$@)

# (b)
xray:
	@$(MAKE) -f pipelines/xray.mk RUN=$(RUN)/xray BIN=$(BIN) THREADS=$(THREADS) DATA=$(DATA)

# (c)
openi: $(OPENI)
	@$(MAKE) -f pipelines/openi.mk RUN=$(RUN)/openi BIN=$(BIN) THREADS=$(THREADS) OPENI=$(OPENI)
$(RUN)/openi/xml: $(DATA)/iu-xray/iu_xray_reports.tgz
	rm -rf $@ $@.tmp
	mkdir -p $@.tmp
	tar -xzf $< -C $@.tmp
	touch $@.tmp
	mv $@.tmp $@
