# Settings are environment variables: `make up PORT=9000 DATA_DIR=/srv/rungs`. All of them are in README.md.
SHELL := /bin/bash
.DEFAULT_GOAL := up
BIN := .venv/bin
UV := .cache/uv/bin/uv
VMAF := .cache/vmaf# Debian's ffmpeg has no libvmaf; this one only measures
LOCK_ALONE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-emit-index-url --no-emit-find-links --no-annotate
LOCK := $(LOCK_ALONE) pyproject.toml
FFMPEG7_TESTS := tests/unit/workers tests/integration/workers tests/exact tests/field tests/media

.PHONY: up rebuild doctor test fuzz chaos check bench bench-encode bench-fair bench-growth bench-overlap bench-overload bench-simulate bench-trickle bench-upload bench-watch compose-test test-media test-exact test-field test-nasty test-ffmpeg7 test-files test-traits test-schema test-uploads lock readme clean setup

up: ## start Rungs here, in the foreground
	@infra/setup.sh run && exec $(BIN)/python -m infra.cli up

rebuild: ## restore all jobs from the object store after Redis was lost; beside a running `make up`
	@$(BIN)/python -m infra.cli rebuild

doctor: ## say what this machine lacks, and which layers of the sandbox its kernel lends
	@$(BIN)/python -m infra.cli doctor

setup: ## install what the checks and tests need
	@infra/setup.sh dev

test: setup ## all tests but those of the targets below, PROCESSES=2 files of them at a time
	$(BIN)/pytest -n $(or $(PROCESSES),2) --dist loadfile --no-loadscope-reorder -m "not media and not compose and not exact and not field and not nasty"

chaos: setup ## uploads while things are killed, frozen and cut: MINUTES=10, SEED=n to repeat a schedule, BROKER=rabbitmq, WAITING=3000 jobs all the time
	PYTHONPATH=. $(BIN)/python -m tests.chaos --minutes $(or $(MINUTES),10) --broker $(or $(BROKER),redis) $(if $(SEED),--seed $(SEED)) $(if $(WAITING),--waiting $(WAITING))

test-media: setup ## every file of ../shared/media through the whole stack
	$(BIN)/pytest -m media

test-exact: setup ## every picture of ../shared/media/happy against the source's, sound in time, no gap
	$(BIN)/pytest -m exact

test-field: setup ## every file of ../shared/field beside what its README calls right
	$(BIN)/pytest -m field

test-uploads: setup ## an upload of 1 GiB by tus, broken twenty times, web killed twice and Redis once: over both object stores
	RUNGS_UPLOAD_MIB=1024 $(BIN)/pytest -q -k large tests/integration/web/test_tus_service.py

test-nasty: setup ## every file of ../shared/media under every wrong name, beside canaries; headers that tell of too much
	$(BIN)/pytest -m nasty

fuzz: setup ## COUNT=5000 changed containers through probe and plan, CASES=200000 of garbage as names and records; SEED=n for one again
	PYTHONPATH=. $(BIN)/python -m tests.fuzz --count $(or $(COUNT),$(if $(SEED),1,5000)) $(if $(SEED),--seed $(SEED))
	PYTHONPATH=. $(BIN)/python -m tests.fuzz.records --cases $(or $(CASES),$(if $(SEED),1,200000)) $(if $(SEED),--seed $(SEED))

test-ffmpeg7: setup ## what looks at pictures and sound, on Debian 13's ffmpeg 7.1: ARGS='-m exact -k theora'
	infra/ffmpeg7.sh $(BIN)/pytest $(or $(ARGS),$(FFMPEG7_TESTS))

test-files: setup ## any folder of videos (DIR=) beside what comes out, by a judge that shares no code with the planner
	$(BIN)/python -m tests.files $(DIR)

test-traits: setup ## coded clips of random traits: COUNT=2000, SEED=n for one of them again, KEEP=folder keeps its file
	PYTHONPATH=. $(BIN)/python -m tests.traits --count $(or $(COUNT),$(if $(SEED),1,200)) $(if $(SEED),--seed $(SEED)) \
		$(if $(KEEP),--keep $(KEEP)) --shrink

test-schema: setup ## what the API's description allows and forbids, by schemathesis: EXAMPLES=150 of each route, SEED=n
	$(BIN)/python -m tests.schema --examples $(or $(EXAMPLES),150) $(if $(SEED),--seed $(SEED))

compose-test: setup ## the containers, on a Docker engine
	infra/engine.sh
	$(BIN)/pytest -m compose tests/compose

check: setup ## lint, format, types, the import rule, no addresses in the locks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@! grep -nE '://|--(extra-)?index-url|--find-links' infra/requirements/*.txt package-lock.json

bench: setup ## picture quality and speed of the encoder's settings
	@ls $(VMAF)/lib/*/site-packages/imageio_ffmpeg >/dev/null 2>&1 || { $(BIN)/python -m venv $(VMAF) && $(VMAF)/bin/pip install --quiet imageio-ffmpeg==0.8.1; }
	VMAF_FFMPEG=$$($(VMAF)/bin/python -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())') \
		$(BIN)/python tests/bench/quality.py

bench-encode: setup ## speed of the whole pipeline beside what others do, as ratios
	$(BIN)/python -m tests.bench.encode

bench-fair: setup ## clips behind a film and behind another owner, beside what they take alone; once more beside SLOW=4 slow uploads
	$(BIN)/python -m tests.bench.fair $(if $(SLOW),--slow-uploads $(SLOW))

bench-growth: setup ## what a job costs while ten thousand wait, and beside finished ones: SIZES='100 300' FINISHED=1000 for a look
	$(BIN)/python -m tests.bench.growth $(if $(SIZES),--sizes $(SIZES)) $(if $(FINISHED),--finished $(FINISHED))

bench-overload: setup ## ten times more than can be encoded, for MINUTES=5; CLIENTS=10000 that come back for RETURNS=900 s; SLOW=4 slow uploads
	$(BIN)/python -m tests.bench.overload --minutes $(or $(MINUTES),5) $(if $(SLOW),--slow-uploads $(SLOW)) \
		$(if $(CLIENTS),--clients $(CLIENTS)) $(if $(RETURNS),--returns $(RETURNS))

bench-simulate: setup ## the simulator beside a real installation, with one load
	$(BIN)/python -m tests.bench.simulate

bench-trickle: setup ## what answers take while fifty uploads trickle, and beside slow and greedy clients
	$(BIN)/python -m tests.bench.trickle

bench-watch: setup ## WATCHERS=500 of as many waiting jobs while the queue moves, three phases of MINUTES=1.5
	$(BIN)/python -m tests.bench.watch --watchers $(or $(WATCHERS),500) --minutes $(or $(MINUTES),1.5)

bench-overlap: setup ## what encoding before the last byte saves: videos of LENGTH s, sent at three paces; ARGS='--clips phone --add'
	PYTHONPATH=. $(BIN)/python -m tests.bench.overlap $(if $(LENGTH),--seconds $(LENGTH)) $(ARGS)

bench-upload: setup ## speed and memory of 2 GiB by form and by tus, one and twenty at once, beside direct puts
	$(BIN)/python tests/bench/upload.py

readme: setup ## write the generated tables of README.md and docs/benchmarks.md
	$(BIN)/python -m infra.readme_tables

lock: setup ## pin all packages anew, with hashes and without addresses
	@[ -x $(UV) ] || { $(BIN)/python -m venv .cache/uv && .cache/uv/bin/pip install --quiet uv==0.13.9; }
	$(LOCK) --output-file infra/requirements/run.txt
	$(LOCK) --group dev --output-file infra/requirements/dev.txt
	$(LOCK_ALONE) --group node --output-file infra/requirements/node.txt
	npm install --package-lock-only --omit-lockfile-registry-resolved --no-audit --no-fund
	@# npm copies where a package's authors ask for money, which is an address too
	node -p 'const lock = require("./package-lock.json"); Object.values(lock.packages).forEach((p) => delete p.funding); JSON.stringify(lock, null, 2)' >package-lock.new
	mv package-lock.new package-lock.json

clean: ## remove what can be made again; data/ stays
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
	find web/translations -name '*.mo' -delete
