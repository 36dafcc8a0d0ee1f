# The front door: 'make help' lists the targets. Each delegates to CMake, ctest, scripts/ or pipelines/.
#   LIBTORCH=/path   another LibTorch      JOBS=N      parallel compile and test jobs
#   THREADS=N        threads of a pipeline PREFIX=, DESTDIR=   where 'make install' puts things
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:
PRESET ?= release
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
BIN := $(CURDIR)/build/$(PRESET)/bin
# Two runs of a graph side by side, a thread each, waste less than two threads on one.
PIPELINE = $(MAKE) --no-print-directory --silent --jobs=2 BIN=$(BIN) -f pipelines
.PHONY: help setup build demo ablation claims demo-real test test-slurm plan-check cuda-check smoke verify parity parity-metrics \
        parity-statistics judge-server fuzz lint format bench bench-metrics bench-rl bench-ingest bench-shards install clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: ## install Debian packages (root or sudo) and fetch LibTorch; does nothing when all is there
	@scripts/bootstrap all

build: ## compile the tools into build/release/bin
	@scripts/bootstrap build
	cmake --preset $(PRESET) --log-level=WARNING
	cmake --build --preset $(PRESET) --parallel $(JOBS) --target programs

demo: build ## the paper's whole process on synthetic radiographs, into runs/demo
	$(PIPELINE)/demo.mk

ablation: demo ## what each part of the recipe brings: RL by single rewards, without SFT, with the error term; half an hour more
	$(PIPELINE)/ablation.mk

claims: build ## the paper's tables and figures at demo scale, and which of its claims hold, into runs/claims
	$(PIPELINE)/claims.mk

demo-real: build ## the same on real data: make demo-real DATA=/path (see man/unirg.7)
	$(PIPELINE)/demo-real.mk

test: setup build ## unit, command-line, man page, layer and smoke tests (ctest)
	cmake --build --preset $(PRESET) --parallel $(JOBS)
	ctest --preset $(PRESET) --parallel $(JOBS)

test-slurm: build ## the demo's graph on a handful of studies under a real Slurm on this machine: same bytes as without (docs/hpc.md)
	scripts/test-slurm --bin $(BIN)

plan-check: build ## hold the memory that --dry-run predicts against what runs of three models take, up to 290 million parameters (docs/planning.md)
	scripts/plan-check --bin $(BIN)

cuda-check: ## compile what runs on a GPU against a CUDA LibTorch (5.2 GB by pip) for sm_80 and sm_90, and start it; needs nvcc
	@scripts/bootstrap build
	scripts/cuda-check --jobs $(JOBS)

smoke: build ## the demo's graph on a handful of studies, under two minutes
	$(PIPELINE)/smoke.mk

verify: build ## run a pipeline three times (twice alike, once with THREADS=1) and compare every byte; DEMO=smoke|demo
	scripts/verify --bin $(BIN) $(or $(DEMO),demo) NAMES=seed-1

parity: build ## compare models with Python's transformers and peft, both ways, on random checkpoints; ONLY=PATTERN
	cmake --build --preset $(PRESET) --parallel $(JOBS) --target tokenize_lines
	scripts/parity-transformers --bin $(BIN) $(if $(ONLY),--only '$(ONLY)')

judge-server: build ## ask a real OpenAI-compatible server (llama.cpp) through the judge metrics
	cmake --build --preset $(PRESET) --parallel $(JOBS) --target judge_probe
	scripts/test-judge-server --probe build/$(PRESET)/tests/judge/judge_probe

parity-metrics: build ## compare metrics with the published Python packages on real reports; ONLY=PARTS, DATA=/path
	scripts/parity-metrics --bin $(BIN) $(if $(DATA),--data '$(DATA)') $(if $(ONLY),--only '$(ONLY)')

parity-statistics: build ## compare bootstrap and permutation test with scipy, and count how often intervals hold the truth
	cmake --build --preset $(PRESET) --parallel $(JOBS) --target statistics_probe
	scripts/parity-statistics --probe build/$(PRESET)/tests/parity/statistics/statistics_probe

fuzz: ## drive the fuzz targets of untrusted input under sanitizers, needs clang; SECONDS=600 of each
	scripts/fuzz $(or $(SECONDS),600)

lint: setup build ## clang-format, shellcheck, layers, man pages; TIDY=1 adds clang-tidy (slow)
	scripts/lint build/$(PRESET)

format: ## rewrite the C++ sources with clang-format
	scripts/format

bench: build ## run the measurements under tests/bench
	cmake --build --preset $(PRESET) --parallel $(JOBS) --target metrics_loop rl_loop
	scripts/bench $(BIN)

bench-metrics: build ## metrics beside the published Python packages, one thread; ONLY=WORDS, DATA=/path
	cmake --build --preset $(PRESET) --parallel $(JOBS) --target metrics_loop
	scripts/bench-metrics --bin $(BIN) $(if $(DATA),--data '$(DATA)') $(if $(ONLY),--only '$(ONLY)')

bench-rl: build ## decoding, SFT and GRPO steps beside transformers and trl; ONLY=WORDS
	cmake --build --preset $(PRESET) --parallel $(JOBS) --target rl_loop
	scripts/bench-rl --loop build/$(PRESET)/tests/bench/rl_loop $(if $(ONLY),--only '$(ONLY)')

bench-ingest: build ## unirg-ingest beside pydicom and Pillow, its memory, and a killed run; DATA=/folder of DICOM files
	scripts/bench-ingest --bin $(BIN) $(if $(DATA),--data '$(DATA)')

bench-shards: build ## two shards on two processors beside one run: ingest, rollout, reward
	scripts/bench-shards --bin $(BIN)

install: build ## install tools, man pages, completions and data: PREFIX=/usr/local DESTDIR=
	cmake --install build/$(PRESET) --prefix $(PREFIX)

clean: ## remove build/; runs/ and .deps/ stay
	rm -rf build
