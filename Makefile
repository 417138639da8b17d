# Thin on purpose: what a target does stands in CMakePresets.json, tools/ and demo/.
MAKEFLAGS += --no-print-directory
STEP := @tools/step
JOBS ?= $(shell nproc)
# Most of a test's time is spent waiting for a kubelet or an API server.
TESTS ?= $(shell echo $$(($$(nproc) + 2)))
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 600
TOGETHER_SECONDS ?= 600
# The compiler cache serves every clone: where the tree stands does not count.
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1
CTEST := ctest --output-on-failure --no-tests=error
# What the tests start; the pods of the chart are placed by kube-scheduler.
CONTROL_PLANE := etcd kube-apiserver kube-controller-manager kube-scheduler kubectl

.PHONY: help deps build docs images release demo test e2e compat schedulers soak lint fuzz tsan coverage bench format clean
.PHONY: configure control-plane machines helm cert-manager build-tests build-asan build-fuzz

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install the Debian packages that are missing
	$(STEP) "Debian packages" tools/install-deps.sh

build: deps configure ## the binaries, into build/bin/
	$(STEP) "build binaries" ninja -C build binaries

docs: build ## the documentation site, into build/site/; broken links and foreign hosts are errors
	$(STEP) "documentation site" tools/docs/build

images: build ## the OCI images of controller and daemon, into build/images/, by buildah
	$(STEP) "images" tools/images

release: build control-plane helm ## binaries, images, chart, SPDX lists and checksums of VERSION=x.y.z
	$(STEP) "release" tools/release $(VERSION)

demo: ## all of it on a control plane of its own, about a minute once built (KEEP=1 leaves it running)
	@demo/run

# The last command is one run of ctest, so that its summary ends the output.
test: deps control-plane machines helm cert-manager build-tests build-asan ## unit tests with ASan and UBSan, integration tests, lint
	@$(CTEST) --test-dir build -j $(TESTS)

e2e: deps control-plane machines helm configure ## pods on a real kubelet and containerd (root only)
	$(STEP) "build (release)" ninja -C build binaries end-to-end-tests
	@$(CTEST) --test-dir build -L e2e -j $(TESTS)

compat: deps control-plane machines helm configure ## other versions of Kubernetes: builds each (15 min of two cores, once), and runs the tests on it (root only)
	$(STEP) "build (release)" ninja -C build binaries end-to-end-tests placement_integration_test
	@tools/compat

schedulers: deps control-plane configure ## the real Volcano: builds it (4 min of two cores, once), and has it place pods; all schedulers at once for TOGETHER_SECONDS=600
	$(STEP) "Volcano" tests/volcano/build
	$(STEP) "build (release)" ninja -C build binaries volcano_test schedulers_test
	@VDCU_TOGETHER_SECONDS=$(TOGETHER_SECONDS) $(CTEST) --test-dir build -C schedulers -L schedulers

soak: deps control-plane machines configure ## faults for SOAK_SECONDS=600 at random, each write refused in each way, 200 rounds on a real kubelet
	$(STEP) "build (release)" ninja -C build faults_soak end-to-end-tests
	@VDCU_SOAK_SECONDS=$(SOAK_SECONDS) $(CTEST) --test-dir build -C soak -L soak

lint: build ## format, layers, headers alone, dead code, shell, documents and site; clang-tidy on what changed (ALL=1: on all)
	$(STEP) "configure (asan)" cmake --preset asan --log-level=WARNING
	$(STEP) "build binaries (asan)" ninja -C build/asan binaries
	@$(CTEST) --test-dir build -L lint -j $(JOBS)

fuzz: deps build-fuzz ## each libFuzzer target for FUZZ_SECONDS=60 (7200: for hours)
	@$(CTEST) --test-dir build/fuzz -L fuzz -j $(JOBS)

tsan: deps ## what comes to the loop from other threads, with ThreadSanitizer
	$(STEP) "configure (tsan)" cmake --preset tsan --log-level=WARNING
	$(STEP) "build (tsan)" ninja -C build/tsan base_test
	@build/tsan/tests/base_test

coverage: deps ## which lines the unit tests run
	$(STEP) "configure (coverage)" cmake --preset coverage --log-level=WARNING
	$(STEP) "build (coverage)" ninja -C build/coverage unit-tests
	@$(CTEST) --test-dir build/coverage -L unit -j $(JOBS)
	@tools/coverage

bench: deps configure ## the figures of docs/performance.md, about ten minutes once built
	$(STEP) "control plane" tests/cluster/build etcd kube-apiserver kube-scheduler kubectl
	$(STEP) "build benchmarks" ninja -C build benchmarks
	@for bench in build/bench/*_bench; do $$bench || exit 1; done

format: ## clang-format on all sources
	@tools/check-format --fix

clean: ## remove build/; the control plane's binaries stay in ~/.cache/vdcu-operator
	rm -rf build

configure:
	$(STEP) "configure (release)" cmake --preset release --log-level=WARNING

control-plane: deps
	$(STEP) "control plane" tests/cluster/build $(CONTROL_PLANE)

machines: deps
	$(STEP) "kubelet and containerd" tests/machine/build

helm: deps
	$(STEP) "helm" tests/chart/build

cert-manager: deps
	$(STEP) "cert-manager" tests/chart/cert-manager/build

build-tests: deps configure
	$(STEP) "build (release)" ninja -C build

build-asan: deps
	$(STEP) "configure (asan)" cmake --preset asan --log-level=WARNING
	$(STEP) "build (asan)" ninja -C build/asan binaries unit-tests

build-fuzz: deps
	$(STEP) "configure (fuzz)" cmake --preset fuzz --log-level=WARNING -DVDCU_FUZZ_SECONDS=$(FUZZ_SECONDS)
	$(STEP) "build (fuzz)" ninja -C build/fuzz fuzzers
