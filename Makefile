# Two commands matter: `make run` and `make test`. The rest is for those who work on Aviary.
# Everything installs what it needs, once, and stays inside this folder (and Debian's packages).

SHELL := /bin/bash
SWIFT_FLAGS := -c release --explicit-target-dependency-import-check error
# SwiftPM leaves temporary folders behind; here they are found again.
export TMPDIR := $(CURDIR)/.build-tmp
PROGRAM := $(CURDIR)/.build/release/aviary
DATA ?= ./data
PORT ?= 8080
SEEDS ?= 1..300
MINUTES ?= 10
MEMBERS ?= 3
TARGET ?= http
SECONDS ?= 60

.PHONY: run build test test-swift test-system test-sanitize lint format simulate simulate-bugs faults fuzz fuzz-seeds bench clean setup-build setup-test setup-bench

run: build ## Build, start three members on loopback, print what to try
	@exec $(PROGRAM) dev --members 3 --data $(DATA) --port $(PORT)

build: setup-build
	@swift build $(SWIFT_FLAGS) --product aviary

test: setup-test lint test-swift test-system ## All tests: lint, units, simulator, three real processes

test-swift: setup-build
	@swift build $(SWIFT_FLAGS) --product aviary
	@swift build $(SWIFT_FLAGS) --product aviary-simulate
	@scripts/swift-test $(SWIFT_FLAGS)

test-system: setup-test build
	@AVIARY=$(PROGRAM) scripts/pytest -q -p no:cacheprovider Tests/system

lint: setup-build ## swift format, strict
	@swift format lint --strict --recursive --configuration .swift-format Package.swift Sources Tests

format: setup-build
	@swift format --in-place --recursive --configuration .swift-format Package.swift Sources Tests

simulate: setup-build ## make simulate SEEDS=1..10000
	@swift build $(SWIFT_FLAGS) --product aviary-simulate
	@.build/release/aviary-simulate --seeds $(SEEDS)

faults: setup-test build ## Real members under faults: make faults MINUTES=10 [SEED=7] [MEMBERS=5]
	@cd Tests/system && AVIARY=$(PROGRAM) nice python3 -B -m faults --minutes $(MINUTES) \
		--members $(MEMBERS) $(if $(SEED),--seed $(SEED))

simulate-bugs: setup-build ## Plants each bug of Tests/Mutations and hunts it; takes over an hour
	@scripts/mutations

# Why no reports of threads that were not joined: a member that ends at once joins none.
test-sanitize: setup-test ## Unit tests under the address sanitizer; threads and real processes under the thread sanitizer
	@ASAN_OPTIONS=detect_leaks=0 swift test --sanitize address --scratch-path .build-asan \
		--disable-xctest --skip SimulationTests
	@swift test --sanitize thread --scratch-path .build-tsan --disable-xctest \
		--filter 'ZnodesTests|SystemTests|ServerTests'
	@swift build -c release --sanitize thread --scratch-path .build-tsan --product aviary
	@rm -rf .build-tsan/reports && mkdir .build-tsan/reports
	@AVIARY=$(CURDIR)/.build-tsan/release/aviary PATIENCE=5 \
		TSAN_OPTIONS="halt_on_error=1 exitcode=66 report_thread_leaks=0 \
		log_path=$(CURDIR)/.build-tsan/reports/aviary" \
		scripts/pytest -q -p no:cacheprovider Tests/system; \
		status=$$?; ! cat .build-tsan/reports/* 2>/dev/null && exit $$status

# Why lld: gold, the linker by default, fails on what the fuzzer's instrumentation leaves.
fuzz: setup-build ## make fuzz TARGET=http SECONDS=60, guided by coverage, under the address sanitizer
	@swift build -c release --scratch-path .build-fuzz --product aviary-fuzz -Xswiftc -DFUZZER \
		-Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld
	@mkdir -p .build-fuzz/corpus/$(TARGET)
	@SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 .build-fuzz/release/aviary-fuzz $(TARGET) \
		-max_total_time=$(SECONDS) -max_len=16384 -timeout=10 -rss_limit_mb=1024 \
		-artifact_prefix=.build-fuzz/$(TARGET)- -print_final_stats=1 \
		.build-fuzz/corpus/$(TARGET) Tests/Fuzz/Corpus/$(TARGET)

fuzz-seeds: setup-build ## Write the seeds that are made by code into the corpus anew
	@swift build $(SWIFT_FLAGS) --product aviary-fuzz
	@.build/release/aviary-fuzz seeds Tests/Fuzz/Corpus

bench: setup-bench build ## Rates and instructions, beside nginx in the same run
	@AVIARY=$(PROGRAM) python3 Benchmarks/compare.py

setup-build setup-test setup-bench:
	@mkdir -p $(TMPDIR)
	@scripts/install $(@:setup-%=%)

clean:
	@rm -rf .build .build-tmp .build-fuzz .build-asan .build-tsan .build-mutations
