# The input of demo.mk and smoke.mk: procedural radiographs as DICOM files with a report table, ingested as any other folder.
ifeq ($(FROM),)
$(call each,phantom/DONE): $(RUN)/%/phantom/DONE: $(CONF)/phantom.yaml
	$(STAGE)/unirg-phantom -c $(CONF)/phantom.yaml --seed $(SEED) -o $(@D) $(COMPUTE)

$(call each,studies/DONE): $(RUN)/%/studies/DONE: $(RUN)/%/phantom/DONE $(CONF)/ingest.yaml
	$(STAGE)/unirg-ingest -c $(CONF)/ingest.yaml --reports $(RUN)/$*/phantom/reports.csv -o $(@D) $(COMPUTE) $(RUN)/$*/phantom
endif
