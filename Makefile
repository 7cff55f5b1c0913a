# Everything that is done with stentor's sources: `make` builds, `make help` says what else there is.
#
# Needs Rust, make and a C compiler; ALSA's headers are installed by apt where they are missing.

CARGO  ?= cargo
PREFIX ?= /usr
DESTDIR ?=

# Without ALSA's headers: a build without sound, which `make setup` has then announced.
# (Lazily expanded: after `setup` has run.)
FEATURES = $(shell packaging/setup.sh --features)
FLAGS    = --locked $(FEATURES)

# Most tests wait, for timers and for child processes: more of them at once than there are cores.
export RUST_TEST_THREADS ?= 8

# Random histories and texts are the same at each run; other ones: PROPTEST_RNG_SEED=7 make test
export PROPTEST_RNG_SEED ?= 20261120

# A run that ends with its checkout builds everything once: what would make a second build quick is
# two thirds of the disk space.
ifdef CI
export CARGO_INCREMENTAL ?= 0
endif

# For how long `make fuzz` tries each parser.
SECONDS ?= 60

.PHONY: all help setup tools test torture fuzz lint build release bench demo run deny man install clean

all: build

help:
	@echo 'make           builds everything; sets up what is missing'
	@echo 'make test      format, lints, docs and every test'
	@echo 'make torture   the long ones: hundreds of deaths, flipped bytes, days of load'
	@echo 'make fuzz      every parser of what strangers write, SECONDS=60 each'
	@echo 'make demo      one alarm all the way, in a minute, against stand-ins on this machine'
	@echo 'make bench     what it carries, beside what this machine can do by itself (docs/performance.md)'
	@echo 'make run       the daemon with etc/demo.toml, until Ctrl-C'
	@echo 'make release   target/release/stentord, stentorctl and stentor-player'
	@echo 'make install   them and all that belongs to them, under $$DESTDIR (as root: this machine)'
	@echo 'make deny      licences, bans, sources and advisories of what we depend on'
	@echo 'make man       docs/man, from the definition of the commands'

setup:
	@packaging/setup.sh

tools:
	@packaging/setup.sh --tools

test: setup tools lint
	$(CARGO) test $(FLAGS)

# Another choice of deaths, or one seen before: STENTOR_SEEDS=17..18 make torture
torture: setup tools
	$(CARGO) test $(FLAGS) --lib --test it --test scale torture_ -- --ignored --nocapture --test-threads=2

# A case that fails is kept in tests/fuzz/corpus; cargo test --test fuzz times::crons is one of them.
fuzz: setup
	STENTOR_FUZZ_SECONDS=$(SECONDS) $(CARGO) test $(FLAGS) --test fuzz

# rustfmt and clippy come with the usual Rust; without them the tests still say whether it works.
lint: setup
	@if $(CARGO) fmt --version >/dev/null 2>&1; then $(CARGO) fmt --check; \
	else echo '*** SKIPPED: the format, because rustfmt is not installed (rustup component add rustfmt) ***' >&2; fi
	@if $(CARGO) clippy --version >/dev/null 2>&1; then $(CARGO) clippy $(FLAGS) --all-targets -- -D warnings; \
	else echo '*** SKIPPED: the lints, because clippy is not installed (rustup component add clippy) ***' >&2; fi
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc $(FLAGS) --lib --no-deps --document-private-items --quiet

build: setup
	$(CARGO) build $(FLAGS) --bins

release: setup
	$(CARGO) build $(FLAGS) --release --bins

# Some minutes; with ALERTMANAGER=/usr/bin/prometheus-alertmanager beside that one (benches/alertmanager.sh).
bench: setup
	$(CARGO) bench $(FLAGS)
	$(CARGO) build $(FLAGS) --release --bins --example load
	target/release/examples/load $(if $(ALERTMANAGER),--alertmanager $(ALERTMANAGER))

demo: build
	$(CARGO) run $(FLAGS) --quiet --example demo

run: build
	$(CARGO) run $(FLAGS) --quiet --example demo -- stay

deny:
	@if $(CARGO) deny --version >/dev/null 2>&1; then packaging/deny.sh; \
	else echo '*** SKIPPED: cargo-deny is not installed (cargo install --locked cargo-deny) ***' >&2; fi

man: setup
	$(CARGO) run $(FLAGS) --quiet --example man

# What `make release` built, so that nothing needs to be built as root.
install:
	packaging/install.sh --from target/release --prefix '$(PREFIX)' --destdir '$(DESTDIR)'

clean:
	$(CARGO) clean
